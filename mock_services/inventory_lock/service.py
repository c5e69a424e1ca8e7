"""inventory-lock-service: locks on stock, on pooled connections that can run out."""

import asyncio
import functools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, Request, Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import BaseModel, Field

from mock_services.inventory_lock import contract
from mock_services.inventory_lock.fleet import Fleet
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.kit import money
from mock_services.kit.app import build_app, settings_from_env
from mock_services.kit.call import Call
from mock_services.kit.errors import error_response, json_response
from mock_services.kit.pool import Lease, Pool, PoolExhaustedError
from mock_services.kit.service import MockService


class AcquireRequest(BaseModel):
    """Body of POST /api/v1/locks/acquire."""

    sku: str = Field(pattern=money.SKU_PATTERN)
    quantity: int = Field(ge=1, le=99)
    ttl_seconds: float | None = Field(default=None, gt=0, le=86_400)
    checkout_id: str | None = Field(default=None, max_length=100)


class ReleaseRequest(BaseModel):
    """Body of POST /api/v1/locks/release."""

    lock_id: str = Field(min_length=1, max_length=100)


class InventoryLockService(MockService[InventoryLockSettings]):
    """Holds the locks, and the replicas' pools."""

    name = "inventory-lock-service"
    version = "v1.6.0"
    tells_modelled_time = True

    def __init__(self, settings: InventoryLockSettings) -> None:
        super().__init__(settings)
        self._fleet = Fleet(self.name, lambda: self.settings, self.events.write)

    async def on_start(self) -> None:
        self._watch = asyncio.create_task(self._fleet.run())

    async def on_stop(self) -> None:
        self._watch.cancel()
        self._fleet.autoscaler.stop()

    def pools(self) -> Iterable[Pool]:
        return self._fleet.replicas.pools()

    def replica_count(self) -> int:
        return len(self._fleet.replicas)

    def on_settings(self) -> None:
        self._fleet.configure()

    def apply(self, changed: dict[str, object]) -> None:
        super().apply(changed)
        if "replicas" in changed:
            self._fleet.autoscaler.set(self.settings.replicas)

    def extra_metrics(self) -> Iterable[Metric]:
        locks, unswept = self._fleet.locks, len(self._fleet.sweeper)
        yield GaugeMetricFamily("inventory_locks", "Locks in force", value=len(locks))
        yield GaugeMetricFamily(
            "inventory_locks_unswept", "Expired, and still holding a connection", value=unswept
        )
        yield CounterMetricFamily(
            "inventory_locks_expired", "Locks that timed out", value=locks.expired_total
        )
        cpu = GaugeMetricFamily(
            "replica_cpu_utilization_ratio",
            "Modelled CPU of a replica, share of its request",
            labels=("replica",),
        )
        for replica, share in self._fleet.cpu.utilization.items():
            cpu.add_metric((replica,), share)
        yield cpu

    async def acquire(self, request: Request, wanted: AcquireRequest) -> Response:
        """Wait for a connection, then lock."""
        call = Call.of(request)
        self._fleet.cpu.requests += 1
        pool = self._fleet.replicas.next()
        if self._fleet.replicas.is_down(pool):
            call.takes(0.0)
            return error_response(502, "BadGateway", f"replica {pool.replica} does not answer")
        wait_timeout_s = self.settings.wait_timeout_s
        try:
            lease = await pool.acquire(wait_timeout_s)
        except PoolExhaustedError as full:
            return self.exhausted(call, full, wait_timeout_s)
        # A waiter stays in the queue after its client gave up, as in the seed: the gateway's
        # log shows 5,001 ms while checkout never took longer than 1,847 ms.
        if lease.waited_s and await request.is_disconnected():
            pool.abandoned += 1
            lease.release()
            return error_response(499, "ClientClosedRequest", "the client has gone away")
        if self.settings.hold == "transaction":
            return await self._work_on(lease, call, lambda: self._lock(wanted, None))
        response = await self._lock(wanted, lease)
        await call.rest(self.database)
        return response

    async def _lock(self, wanted: AcquireRequest, lease: Lease | None) -> Response:
        ttl_s = min(wanted.ttl_seconds or self.settings.lock_ttl_s, self.settings.lock_ttl_s)
        lock_id = self._fleet.locks.add(ttl_s, lease)
        expires_at = datetime.now(UTC) + timedelta(seconds=ttl_s)
        return json_response(
            200,
            lock_id=lock_id,
            status="acquired",
            sku=wanted.sku,
            expires_at=expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    async def release(self, request: Request, given: ReleaseRequest) -> Response:
        """Unlock. A release works on the lock's own connection, or else on a fresh one."""
        self._fleet.cpu.requests += 1
        call = Call.of(request)
        if self.settings.hold == "until_release":
            response = await self._unlock(given.lock_id)
            await call.rest(self.database)
            return response
        work = functools.partial(self._unlock, given.lock_id)
        pool, timeout_s = self._fleet.replicas.next(), self.settings.wait_timeout_s
        return await self.with_connection(call, pool, timeout_s, work)

    async def _unlock(self, lock_id: str) -> Response:
        if self._fleet.locks.release(lock_id):
            return json_response(200, lock_id=lock_id, status="released")
        if self._fleet.locks.has_expired(lock_id):
            text = f"{lock_id} has expired; its stock is free already"
            return error_response(410, "LockExpired", text)
        return error_response(404, "NotFound", f"no lock {lock_id}")


def create_app(settings: InventoryLockSettings | None = None) -> FastAPI:
    """The lock service's app; settings from the environment unless given."""
    service = InventoryLockService(settings or settings_from_env(InventoryLockSettings))
    app = build_app(service, "Locks on stock, on bounded connection pools.")

    @service.endpoint(app, "POST", "/api/v1/locks/acquire", "acquire", contract.ACQUIRE)
    async def acquire(request: Request, wanted: AcquireRequest) -> Response:
        """Lock stock; 503 ConnectionPoolExhausted when no connection came free in time."""
        return await service.acquire(request, wanted)

    @service.endpoint(app, "POST", "/api/v1/locks/release", "release", contract.RELEASE)
    async def release(request: Request, given: ReleaseRequest) -> Response:
        """Unlock stock; 410 when the lock has expired, 404 when there never was one."""
        return await service.release(request, given)

    return app


app = create_app()
