"""What every service is made of: settings in force, latencies, shares, counters, pools."""

import asyncio
import functools
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

from fastapi import FastAPI, Request, Response
from prometheus_client.core import Metric
from starlette.types import Scope

from mock_services.kit import openapi
from mock_services.kit.call import Call
from mock_services.kit.database import Database
from mock_services.kit.errors import error_response
from mock_services.kit.events import EventLog
from mock_services.kit.metrics import (
    LAG_BOUNDS_S,
    RequestStats,
    database_families,
    pool_families,
    process_families,
)
from mock_services.kit.planted import Planted, shares
from mock_services.kit.pool import Lease, Pool, PoolExhaustedError
from mock_services.kit.quantiles import LatencySampler
from mock_services.kit.settings import DatabaseSettings, ServiceSettings
from mock_services.kit.tally import Tally

SettingsT = TypeVar("SettingsT", bound=ServiceSettings, covariant=True)
P = ParamSpec("P")
Handler = Callable[P, Awaitable[Response]]
Work = Callable[[], Awaitable[Response]]

LAG_TICK_S = 0.1
MODELLED_TIME = b"x-modelled-time"
"""Milliseconds, in answers of a service that others' latencies contain."""


class MockService(Generic[SettingsT]):
    """Base of every service. Subclasses add state, `pools`, `on_settings`, start and stop."""

    name: str
    version: str
    tells_modelled_time: ClassVar[bool] = False
    """Whether answers say how much of their time is modelled, for callers whose model holds it."""

    def __init__(self, settings: SettingsT) -> None:
        self.settings = settings
        self.requests = RequestStats()
        self.loop_lag = Tally(LAG_BOUNDS_S)
        self.events = EventLog(self.name)
        self._samplers = {
            endpoint: LatencySampler(settings.seed, endpoint, table, settings.latency_scale)
            for endpoint, table in settings.latency.items()
        }
        self._planted = _plant(settings)
        self.database = (
            Database(settings.capacity) if isinstance(settings, DatabaseSettings) else None
        )
        """Where the connections of all its pools lead."""
        self._stalled_until_s = time.perf_counter() + settings.stall_s
        self._ticker: asyncio.Task[None] | None = None

    # What a subclass may replace.

    def pools(self) -> Iterable[Pool]:
        """Connection pools to report."""
        return ()

    def replica_count(self) -> int:
        """Replicas serving."""
        return 1

    def extra_metrics(self) -> Iterable[Metric]:
        """Metrics only this service has."""
        return ()

    def admit(self, call: Call, scope: Scope) -> Response | None:
        """Refuse a business request before anything is done for it (None: go on)."""
        return None

    def injected_error(self, endpoint: str) -> Response | None:
        """The 500 that `error_share` has for this request, before anything is done for it."""
        planted = self._planted.get(endpoint)
        return planted.error() if planted else None

    def on_settings(self) -> None:
        """New settings are in force."""

    async def make_test_data(self, wanted: Mapping[str, Any]) -> dict[str, int]:
        """Make what a load test needs of this service; how much of what."""
        del wanted
        return {}

    async def remove_test_data(self, prefix: str) -> dict[str, int]:
        """Remove what load tests left here; how much of what."""
        del prefix
        return {}

    async def on_start(self) -> None:
        """Before the first request."""

    async def on_stop(self) -> None:
        """After the last request."""

    # What the app does with it.

    def collect(self) -> Iterator[Metric]:
        """Everything on its /metrics page, as it is now."""
        yield from self.requests.families()
        yield from pool_families(tuple(self.pools()))
        yield from database_families(self.database)
        limit_bytes = self.settings.memory_limit_bytes
        yield from process_families(self.replica_count(), limit_bytes, self.loop_lag)
        yield from self.extra_metrics()

    async def start(self) -> None:
        """Start the service's own work; called inside the event loop."""
        await self.on_start()
        self._ticker = asyncio.create_task(self._measure_lag())
        self.events.write("started", version=self.version, pid=os.getpid())

    async def stop(self) -> None:
        """End it in order."""
        if self._ticker is not None:
            self._ticker.cancel()
        await self.on_stop()
        self.events.write("stopped", pid=os.getpid())

    def apply(self, changed: dict[str, object]) -> None:
        """Put some settings in force at once.

        Raises pydantic.ValidationError and then changes nothing.
        """
        before, self.settings = self.settings, self.settings.updated(changed)
        now = self.settings
        for endpoint, table in now.latency.items():
            if (table, now.latency_scale) != (before.latency[endpoint], before.latency_scale):
                self._samplers[endpoint].configure(table, now.latency_scale)
        if shares(now) != shares(before) or now.retry_after_s != before.retry_after_s:
            self._planted = _plant(now)
        if "stall_s" in changed:
            self._stalled_until_s = time.perf_counter() + now.stall_s
        if self.database is not None and isinstance(now, DatabaseSettings):
            self.database.resize(now.capacity)
        self.on_settings()
        self.events.write("behaviour_changed", keys=sorted(changed), changed=changed)

    def count(self, call: Call, scope: Scope) -> None:
        """Count an answered business request; 499 when no answer was begun."""
        endpoint = call.endpoint or getattr(scope.get("route"), "name", "")
        known = endpoint if endpoint in self._samplers else "unmatched"
        took_s = call.took_s or call.elapsed_s()
        self.requests.add(known, scope["method"], call.status or 499, took_s)

    def endpoint(
        self,
        app: FastAPI,
        method: str,
        path: str,
        name: str,
        contract: openapi.Contract = openapi.NOTHING_MORE,
    ) -> Callable[[Handler[P]], Handler[P]]:
        """Decorator of a business endpoint: stall, drawn latency, dealt errors, then the work.

        The handler takes `request`; the time it needs itself comes on top of the drawn latency.
        """

        docs = openapi.business(contract)

        def decorate(handler: Handler[P]) -> Handler[P]:
            @app.api_route(path, methods=[method], name=name, response_model=None, **docs)
            @functools.wraps(handler)
            async def wrapped(*args: P.args, **kwargs: P.kwargs) -> Response:
                request = kwargs["request"]
                assert isinstance(request, Request)
                call = Call.of(request)
                call.endpoint = name
                await self._begin(call)
                planted = self._planted.get(name)
                refusal = planted.refusal() or self.injected_error(name) if planted else None
                response = refusal or await handler(*args, **kwargs)
                await call.rest()
                return planted.spoilt(response) if planted else response

            return wrapped

        return decorate

    async def _begin(self, call: Call) -> None:
        drawn_s = self._samplers[call.endpoint].draw_s()
        stalled_s = self._stalled_until_s - call.started_s
        if stalled_s > 0:
            await asyncio.sleep(stalled_s)
        call.takes(drawn_s)
        if self.tells_modelled_time:
            call.extra_headers += ((MODELLED_TIME, b"%.3f" % (drawn_s * 1000)),)

    async def with_connection(
        self, call: Call, pool: Pool, wait_timeout_s: float, work: Work
    ) -> Response:
        """Do the work, and rest until the answer is due, on a connection of `pool`."""
        try:
            lease = await pool.acquire(wait_timeout_s)
        except PoolExhaustedError as full:
            return self.exhausted(call, full, wait_timeout_s)
        return await self._work_on(lease, call, work)

    async def _work_on(self, lease: Lease, call: Call, work: Work) -> Response:
        try:
            response = await work()
            await call.rest(self.database)
            return response
        finally:
            lease.release()

    def exhausted(self, call: Call, full: PoolExhaustedError, wait_timeout_s: float) -> Response:
        """The 503 of an exhausted pool, as in the seed's log, and the event that tells of it.

        Nothing of the modelled work was done: the caller has waited, and waits no longer.
        """
        call.takes(0.0)
        response = error_response(
            503,
            "ConnectionPoolExhausted",
            str(full),
            pool_max=full.pool_max,
            pool_active=full.pool_active,
            pool_waiting=full.pool_waiting,
        )
        self.events.write(
            "pool_exhausted",
            request_id=call.request_id,
            pool=full.pool.name,
            replica=full.pool.replica,
            body=bytes(response.body).decode(),
            waited_ms=round(wait_timeout_s * 1000),
        )
        return response

    async def _measure_lag(self) -> None:
        while True:
            before_s = time.perf_counter()
            await asyncio.sleep(LAG_TICK_S)
            self.loop_lag.observe(max(0.0, time.perf_counter() - before_s - LAG_TICK_S))


def _plant(settings: ServiceSettings) -> dict[str, Planted]:
    """By endpoint; nothing where nothing is to go wrong."""
    return {name: Planted(settings) for name in settings.latency} if any(shares(settings)) else {}
