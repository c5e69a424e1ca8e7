"""payment's client of checkout-service: what is to be paid, and by whom."""

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
import orjson

from mock_services.payment.settings import PaymentSettings

MODELLED_TIME = "X-Modelled-Time"
SERVICE_TOKEN = "Bearer lt-svc-token-payment"


class CheckoutUnavailableError(Exception):
    """Checkout gave no usable answer."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A checkout: whose it is, and its total."""

    user_id: str
    total_cents: int


@dataclass(frozen=True, slots=True)
class CheckoutAnswer:
    """None for a checkout that there is not.

    ``modelled_s`` is how much of its time is modelled; None when it does not say (a real one).
    """

    quote: Quote | None
    modelled_s: float | None


class CheckoutClient:
    """One shared session of keep-alive connections; create it inside the event loop."""

    def __init__(self, connections_max: int) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=60.0),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Authorization": SERVICE_TOKEN},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def ask(
        self, policy: PaymentSettings, request_id: str, checkout_id: str
    ) -> CheckoutAnswer:
        """Raises CheckoutUnavailableError."""
        url = f"{policy.checkout_url}/api/v2/checkout/{quote(checkout_id, safe='')}"
        try:
            async with asyncio.timeout(policy.checkout_timeout_s):
                return await self._get(url, request_id)
        except TimeoutError:
            problem = f"did not answer within {policy.checkout_timeout_s * 1000:.0f}ms"
        except aiohttp.ClientConnectorError as error:
            problem = f"could not be reached ({error.strerror or type(error).__name__})"
        except aiohttp.ClientError as error:
            problem = f"broke off the connection ({type(error).__name__})"
        except (ValueError, KeyError, TypeError):
            problem = "answered what is no checkout"
        raise CheckoutUnavailableError(f"checkout {problem}")

    async def _get(self, url: str, request_id: str) -> CheckoutAnswer:
        headers = {"X-Request-ID": request_id}
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            body = await response.read()
        told_ms = response.headers.get(MODELLED_TIME)
        modelled_s = float(told_ms) / 1000 if told_ms else None
        if response.status == 404:
            return CheckoutAnswer(None, modelled_s)
        if response.status != 200:
            raise CheckoutUnavailableError(f"checkout answered {response.status}")
        checkout = orjson.loads(body)
        return CheckoutAnswer(
            Quote(str(checkout["user_id"]), int(checkout["total_cents"])), modelled_s
        )
