"""Answers that are wrong on purpose, as an independent client sees them: curl."""

import json
import subprocess

from mock_process import USER, Start

CURL = ["curl", "--silent", "--show-error", "--max-time", "10", "--include"]
CART = {"cart_id": "cart-1", "user_id": "lt-user-00001", "product_id": "p-00001", "quantity": 1}
LOCK = {"sku": "SKU-10001", "quantity": 1}


def curl(url: str, body: dict[str, object]) -> tuple[str, str]:
    """Headers and body of an answer."""
    headers = [f"Authorization: {USER['Authorization']}", "Content-Type: application/json"]
    words = [word for header in headers for word in ("--header", header)]
    done = subprocess.run(
        [*CURL, *words, "--data", json.dumps(body), url], capture_output=True, text=True, check=True
    )
    head, _, content = done.stdout.partition("\n\n")
    return head, content


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def test_malformed_bodies_are_no_json_and_dealt_exactly(start: Start) -> None:
    """Of their announced length, with a good status, for work that was done."""
    cart = start("cart", malformed_body_share=0.25)
    answers = [curl(f"{cart.url}/api/v2/cart/items", CART) for _ in range(8)]
    assert sum(not is_json(body) for _, body in answers) == 2
    assert all(head.startswith("HTTP/1.1 200") for head, _ in answers)
    assert all(f"content-length: {len(body)}" in head for head, body in answers)


def test_a_service_says_when_to_come_again(start: Start) -> None:
    """503 with Retry-After, for half of the requests; then none, as soon as it is told."""
    cart = start("cart", unavailable_share=0.5, retry_after_s=2.0)
    heads = [curl(f"{cart.url}/api/v2/cart/items", CART)[0] for _ in range(4)]
    refused = [head for head in heads if head.startswith("HTTP/1.1 503")]
    assert len(refused) == 2
    assert all("retry-after: 2" in head.lower() for head in refused)
    assert cart.metric("http_requests_total", endpoint="add_to_cart", status="503") == 2
    assert cart.configure(unavailable_share=0.0).status_code == 200
    head, _ = curl(f"{cart.url}/api/v2/cart/items", CART)
    assert head.startswith("HTTP/1.1 200")


def test_one_replica_down_fails_the_requests_that_are_routed_to_it(start: Start) -> None:
    """Every other one, at once; its pool gives no connection."""
    locks = start(
        "inventory_lock", replicas=2, replicas_down=1, routing="round_robin", wait_timeout_s=5.0
    )
    heads = [curl(f"{locks.url}/api/v1/locks/acquire", LOCK)[0] for _ in range(6)]
    assert [head[9:12] for head in heads] == ["200", "502"] * 3
    given = "connection_pool_acquire_seconds_count"
    assert [locks.metric(given, replica=replica) for replica in "01"] == [3, 0]
