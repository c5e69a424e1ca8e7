"""The /metrics page."""

from __future__ import annotations

import psutil
import pytest
from mock_process import Running, Start

COMMON = (
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "service_replicas",
    "process_resident_memory_bytes",
    "container_memory_working_set_bytes",
    "container_spec_memory_limit_bytes",
    "process_cpu_seconds_total",
    "mock_event_loop_lag_seconds_bucket",
)
POOL = (
    "connection_pool_max",
    "connection_pool_active",
    "connection_pool_idle",
    "connection_pool_waiting",
    "connection_pool_acquire_seconds_bucket",
    "connection_pool_hold_seconds_bucket",
    "connection_pool_timeouts_total",
    "connection_pool_abandoned_total",
    "connection_pool_wait_timeout_seconds",
)
POOL_NAMES = {"checkout": "requests", "payment": "processor", "inventory_lock": "locks"}


@pytest.mark.parametrize("service", ["checkout", "payment", "inventory_lock", "cart"])
def test_names_and_size(shared: dict[str, Running], service: str) -> None:
    """All agreed names are there, pools carry pool and replica, and the page stays small."""
    running = shared[service]
    for path in ("/api/v2/products", "/api/v2/products/p-00001"):
        running.get(path)
    for path in ("checkout/apply-coupon", "checkout/start", "orders/confirm", "payments/charge"):
        running.post(f"/api/v2/{path}", {})
    page = running.get("/metrics").text
    names = COMMON + (POOL if service in POOL_NAMES else ())
    assert [name for name in names if f"\n{name}{{" not in page and f"\n{name} " not in page] == []
    if service in POOL_NAMES:
        assert f'connection_pool_max{{pool="{POOL_NAMES[service]}",replica="0"}}' in page
    assert len(page.splitlines()) < 180


def test_memory_is_the_processs_own(shared: dict[str, Running]) -> None:
    """RSS on the page is the RSS the system reports, within 10 MB."""
    running = shared["cart"]
    real = psutil.Process(running.process.pid).memory_info().rss
    for name in ("process_resident_memory_bytes", "container_memory_working_set_bytes"):
        assert abs(running.metric(name) - real) < 10e6


def test_requests_are_counted_by_endpoint_method_and_status(start: Start) -> None:
    """Every business request counts once: good, invalid, refused and unmatched ones."""
    cart = start("cart")
    path = "/api/v2/cart/items"
    body = {"cart_id": "c", "product_id": "p-00001", "quantity": 1}
    for _ in range(3):
        cart.post(path, body)
    cart.post(path, {})
    cart.post(path, body, Authorization="nobody")
    cart.get("/api/v2/nothing")
    cart.get("/healthz")
    counted = {
        (endpoint, status): cart.metric("http_requests_total", endpoint=endpoint, status=status)
        for endpoint, status in (
            ("add_to_cart", "200"),
            ("add_to_cart", "400"),
            ("unmatched", "401"),
            ("unmatched", "404"),
        )
    }
    assert list(counted.values()) == [3, 1, 1, 1]
    assert cart.metric("http_requests_total") == 6
    assert cart.metric("http_request_duration_seconds_count", endpoint="add_to_cart") == 4
