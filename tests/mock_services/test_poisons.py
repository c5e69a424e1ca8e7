"""Values that would poison a service: refused before anything is changed, or harmless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from mock_process import ADMIN_TOKEN, Running

from mock_services.table import SERVICES, Service

NUMBERS = (
    -1, 2**63, 2**64, 2**70, 10**400, -(2**64), 5e-324, 1e-310, 1e-12, 1e308, -1e-310,
    float("inf"), float("nan"),
)  # fmt: skip
OTHERS = (None, True, "", "1", [], {}, [1], {"a": 1})
URLS = (
    "http://[::1", "http://a:99999", "http://:80", "http://", "http://a b", "http://u:p@a",
    "http://a/b", "http://a?b", "http://a#b", "http://[1.2.3.4]", "http://a:b", "http://\x00",
    "http://" + "a" * 3000, "//a", "http:a", "http://%zz", "http://a\\b", "http://1.2.3.400",
)  # fmt: skip
TABLES = (
    {"mean_ms": 0.002}, {"mean_ms": 599_999.0}, {"max_ms": 10**400}, {"p50_ms": 1e-310},
    {"p50_ms": 10, "p95_ms": 1}, *({"p99_ms": number} for number in NUMBERS), {"p98_ms": 1}, [], 1,
)  # fmt: skip
PROBES: dict[str, tuple[str, dict[str, Any]]] = {
    "checkout": ("/api/v2/checkout/apply-coupon", {"cart_id": "c", "coupon_code": "BF25-001"}),
    "payment": (
        "/api/v2/payments/charge",
        {"checkout_id": "x", "payment_method": "card", "card_token": "tok_test_visa_4242"},
    ),
    "inventory_lock": ("/api/v1/locks/acquire", {"sku": "SKU-28471", "quantity": 1}),
    "cart": ("/api/v2/cart/items", {"cart_id": "c", "product_id": "p-00001", "quantity": 1}),
}
"""A business request of each service."""


def poisons(service: Service) -> Iterator[dict[str, Any]]:
    """Every setting with every value that its kind has no use for."""
    settings = service.settings
    live = [name for name in settings.model_fields if name not in settings.FIXED_WHILE_RUNNING]
    for name in live:
        urls = URLS if name.endswith("_url") else ()
        yield from ({name: value} for value in (*NUMBERS, *OTHERS, *urls))
    for endpoint in settings.DEFAULT_LATENCY:
        yield from ({"latency": {endpoint: table}} for table in TABLES)


def sent(running: Running, changed: dict[str, Any]) -> httpx.Response:
    """As JSON that Python writes: ``Infinity``, and numbers of any length."""
    headers = {"X-Admin-Token": ADMIN_TOKEN, "Content-Type": "application/json"}
    return running.client.post("/admin/behaviour", content=json.dumps(changed), headers=headers)


def in_force(running: Running) -> dict[str, Any]:
    found: dict[str, Any] = running.get("/admin/behaviour", **{"X-Admin-Token": ADMIN_TOKEN}).json()
    return found


@pytest.mark.parametrize("one_of", [4, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("key", SERVICES)
def test_a_poison_is_refused_and_changes_nothing_or_is_harmless(
    shared: dict[str, Running], key: str, one_of: int
) -> None:
    """Neither does a good change in the same body. What is not refused leaves a service that
    answers business requests, /healthz and /metrics."""
    running, service = shared[key], SERVICES[key]
    fixed = service.settings.FIXED_WHILE_RUNNING
    before = in_force(running)
    refused, accepted = 0, []
    for poison in islice(poisons(service), 0, None, one_of):
        answer = sent(running, {"latency_scale": 0.002} | poison)
        if answer.status_code == 400:
            refused += 1
            assert in_force(running) == before, poison
            continue
        assert answer.status_code == 200, poison
        accepted.append(poison)
        path, body = PROBES[key]
        assert running.post(path, body).status_code != 500, poison  # 503: nobody there to ask
        assert running.healthy()
        assert running.get("/metrics").status_code == 200
        sent(running, {name: value for name, value in before.items() if name not in fixed})
        assert in_force(running) == before
    tiny = [
        poison
        for poison in accepted
        if all(value in (5e-324, 1e-310, 1e-12) for value in poison.values())
    ]
    choices = [one for one in accepted if any(v is True or v is None for v in one.values())]
    assert len(accepted) - len(tiny) - len(choices) <= 1, accepted  # no tables
    assert refused > 10 * len(accepted)
