"""checkout's client of the lock service: own timeout, retries and connections.

aiohttp and not httpx: httpx's pool took 60 % of this service's CPU at 12,000 users.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from mock_services.checkout.settings import CheckoutSettings

MODELLED_TIME = "X-Modelled-Time"
SERVICE_TOKEN = "Bearer lt-svc-token-checkout"


class LockUnavailableError(Exception):
    """The lock service gave no usable answer, in as many attempts as allowed."""


@dataclass(frozen=True, slots=True)
class LockAnswer:
    """What the lock service said.

    ``modelled_s`` is how much of its time is modelled; None when it does not say (a real one).
    """

    status: int
    body: bytes
    modelled_s: float | None = None

    @property
    def lock_id(self) -> str:
        """Id of the acquired lock."""
        return str(orjson.loads(self.body)["lock_id"])


class LockClient:
    """One shared session of keep-alive connections; create it inside the event loop."""

    def __init__(self, connections_max: int) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=60.0),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Authorization": SERVICE_TOKEN, "Content-Type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def acquire(
        self, policy: CheckoutSettings, request_id: str, wanted: dict[str, Any]
    ) -> LockAnswer:
        """Acquire a lock: answers 200 or the lock service's own 503, unchanged.

        Raises LockUnavailableError when the attempts run out.
        """
        return await self._attempts("/api/v1/locks/acquire", policy, request_id, wanted, (200, 503))

    async def release(self, policy: CheckoutSettings, request_id: str, lock_id: str) -> LockAnswer:
        """Release a lock; one that is not there any more (404, 410) is as good as released.

        Raises LockUnavailableError when the attempts run out.
        """
        return await self._attempts(
            "/api/v1/locks/release", policy, request_id, {"lock_id": lock_id}, (200, 404, 410)
        )

    async def _attempts(
        self,
        path: str,
        policy: CheckoutSettings,
        request_id: str,
        body: dict[str, Any],
        usable: tuple[int, ...],
    ) -> LockAnswer:
        problem = ""
        for attempt in range(policy.lock_attempts):
            if attempt:
                await asyncio.sleep(policy.lock_retry_backoff_s)
            try:
                async with asyncio.timeout(policy.lock_attempt_timeout_s):
                    answer = await self._post(policy.inventory_lock_url + path, request_id, body)
            except TimeoutError:
                problem = f"did not answer within {policy.lock_attempt_timeout_s * 1000:.0f}ms"
            except aiohttp.ClientConnectorError as error:
                problem = f"could not be reached ({error.strerror or type(error).__name__})"
            except aiohttp.ClientError as error:
                problem = f"broke off the connection ({type(error).__name__})"
            else:
                if answer.status in usable:
                    return answer
                problem = f"answered {answer.status}"
        raise LockUnavailableError(f"inventory-lock {problem} ({policy.lock_attempts} attempts)")

    async def _post(self, url: str, request_id: str, body: dict[str, Any]) -> LockAnswer:
        async with self._session.post(
            url, data=orjson.dumps(body), headers={"X-Request-ID": request_id}
        ) as response:
            told_ms = response.headers.get(MODELLED_TIME)
            modelled_s = float(told_ms) / 1000 if told_ms else None
            return LockAnswer(response.status, await response.read(), modelled_s)
