"""The shop, as a browser has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from shop import app as shop
from shop.database import Pool


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """With cookies, and a shop that nobody has bought from."""
    monkeypatch.setattr(shop, "pool", Pool(str(tmp_path / "shop.db")))
    with TestClient(shop.app) as client:
        yield client


def test_the_catalog_has_every_tea(browser: TestClient) -> None:
    skus = [tea["sku"] for tea in browser.get("/catalog").json()]
    assert skus == ["assam", "darjeeling", "oolong", "sencha"]
    assert browser.get("/catalog/assam").json()["cents"] == 690
    assert browser.get("/catalog/coffee").status_code == 404


def test_a_basket_is_kept_in_a_cookie(browser: TestClient) -> None:
    assert browser.get("/basket").json() == {"lines": [], "cents": 0}
    browser.post("/basket", json={"sku": "assam", "amount": 2})
    assert browser.post("/basket", json={"sku": "assam"}).json()["cents"] == 3 * 690
    assert browser.get("/basket").json()["lines"] == [{"sku": "assam", "amount": 3, "cents": 2070}]


def test_who_has_logged_in_can_buy(browser: TestClient) -> None:
    known = {"email": "ada@example.com", "password": "oolong"}
    token = browser.post("/log-in", json=known).json()["token"]
    browser.headers["Authorization"] = f"Bearer {token}"
    assert browser.post("/orders").status_code == 409
    browser.post("/basket", json={"sku": "sencha"})
    assert browser.post("/orders").json() == {"number": 1, "cents": 890}
    assert browser.get("/orders").json() == [{"number": 1, "cents": 890}]
    assert browser.get("/basket").json()["cents"] == 0


def test_nobody_else_can(browser: TestClient) -> None:
    wrong = {"email": "ada@example.com", "password": "x"}
    assert browser.post("/log-in", json=wrong).status_code == 401
    browser.post("/basket", json={"sku": "sencha"})
    assert browser.post("/orders", headers={"Authorization": "Bearer x"}).status_code == 401
    assert browser.get("/orders").status_code == 401


def test_the_pool_says_how_full_it_is(browser: TestClient) -> None:
    said = browser.get("/metrics").text
    assert 'hikaricp_connections_max{pool="shop"} 8.0\n' in said
    assert 'hikaricp_connections_active{pool="shop"} 0.0\n' in said
    assert "\nprocess_resident_memory_bytes " in said
