"""tests/faults/hostile_shop.py: good answers unless told otherwise, and it tells the truth."""

import httpx
import pytest

from tests.faults.hostile_shop import HostileShop, Quirk

CHARGE = {"checkout_id": "chk-1", "payment_method": "card", "card_token": "tok_test_visa_4242"}


def test_it_deals_a_share_exactly_and_counts_what_it_did() -> None:
    """Of eight charges a quarter fails; browse is not touched."""
    with HostileShop(Quirk.parse("failed:charge:0.25")) as shop, httpx.Client() as client:
        said = [
            client.post(f"{shop.url}/api/v2/payments/charge", json=CHARGE).json()["status"]
            for _ in range(8)
        ]
        assert client.get(f"{shop.url}/api/v2/products").json()["products"]
    assert (said.count("failed"), said.count("succeeded")) == (2, 6)
    assert (shop.seen["charge"], shop.hit["failed", "charge"]) == (8, 2)


def test_a_quirk_has_its_time() -> None:
    """Over before it began: every answer is good."""
    with HostileShop(Quirk("status_500", to_s=0.0)) as shop:
        assert httpx.get(f"{shop.url}/api/v2/products").status_code == 200


def test_a_hanging_request_is_never_answered() -> None:
    """Until the client gives up."""
    with HostileShop(Quirk("hang")) as shop, pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{shop.url}/api/v2/products", timeout=0.1)


def test_an_unknown_quirk_is_refused() -> None:
    """With a list of those that there are."""
    with pytest.raises(ValueError, match="hang"):
        Quirk.parse("hnag:charge")
