"""Another revision's mocks: fewer, more, renamed, or told in another way than this tree's."""

import re
from pathlib import Path

import pytest

from harness.scene import arms, revision
from harness.scene.revision import Revision, asked
from harness.system.paths import PROJECT
from mock_services.table import SERVICES
from recording.errors import ConfigError
from recording.flow import FLOW, FOUR, Service, Services
from recording.manifest import ArmFacts
from tests.harness.conftest import copy_code

FIVE = Services(
    (*FOUR.all, Service(key="wishlist", subject="wishlist-service", steps=("wish",))),
    (*FOUR.order, "wish"),
)
ROW = '    Service("cart", "cart-service", 8004, CartSettings),\n'
WISHES = """
class Wishes(ServiceSettings):
    DEFAULT_LATENCY = {"wish": CartSettings.DEFAULT_LATENCY["add_to_cart"]}


_ROWS ="""
MODULE_OF_BEFORE = """
from mock_services.cart.settings import CartSettings
from mock_services.checkout.settings import CheckoutSettings
from mock_services.inventory_lock.settings import InventoryLockSettings
from mock_services.payment.settings import PaymentSettings
MODELS = {"checkout": CheckoutSettings, "payment": PaymentSettings,
          "inventory_lock": InventoryLockSettings, "cart": CartSettings}
SUBJECTS = {"checkout": "checkout-service", "payment": "payment-gateway",
            "inventory_lock": "inventory-lock-service", "cart": "cart-service"}
"""


def of(folder: Path, *changes: tuple[str, str]) -> Revision:
    """A revision with this tree's code, but for its table of mocks."""
    copy_code(folder)
    table = folder / "mock_services" / "table.py"
    text = table.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    table.write_text(text)
    return asked(folder, "base", "a" * 40)


def facts(of: Revision) -> ArmFacts:
    return ArmFacts(what="ref:x", services=None if of.services is FLOW else of.services.all)


def test_the_flow_names_the_mocks_of_this_tree() -> None:
    """What starts, and what is recorded of it; the steps of each are among its endpoints."""
    assert {s.key: s.subject for s in FLOW.all} == {k: m.subject for k, m in SERVICES.items()}
    for service in FLOW.all:
        assert {*service.steps} <= {*SERVICES[service.key].settings.DEFAULT_LATENCY}
        for called in {subject for names in service.calls.values() for subject in names}:
            key = next(s.key for s in FLOW.all if s.subject == called)
            assert f"{key}_url" in SERVICES[service.key].settings.model_fields


def test_a_revision_like_this_tree_has_its_services(tmp_path: Path) -> None:
    """Nothing is written down of them, and nothing has to be said."""
    found = of(tmp_path)
    assert found.services is FLOW
    assert found.as_known({"cart": {"ttl_s": 9.0}}, ()) == (
        {"checkout": {}, "payment": {}, "inventory_lock": {}, "cart": {"ttl_s": 9.0}},
        ("its requirements.lock is another one, and it ran on the packages installed here",),
    )


def test_digests_are_no_other_packages(tmp_path: Path) -> None:
    """A lock file of the same versions, from before their digests stood in it, is the same."""
    lock = (PROJECT / revision.LOCK).read_text()
    (tmp_path / revision.LOCK).write_text(re.sub(r" \\\n +--hash=\S+", "", lock))
    assert of(tmp_path).as_known({}, ())[1] == ()


def test_a_revision_with_a_service_more_starts_it(tmp_path: Path) -> None:
    """And is not asked for what this tree does not know of it: a step."""
    row = '    Service("wishlist", "wishlist-service", 8005, Wishes),\n'
    found = of(tmp_path, ("\n_ROWS =", WISHES), (ROW, ROW + row))
    assert found.origin("base").subjects["wishlist"] == "wishlist-service"
    assert found.services.subjects == (*FLOW.subjects, "wishlist-service")
    assert found.services.steps == FLOW.steps
    settings, notes = found.as_known({"cart": {}}, ())
    assert settings["wishlist"] == {}
    assert len(notes) == 1


def test_a_revision_with_a_service_less_is_not_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Head has a fifth: base runs without, its users leave the step out, and that is said."""
    monkeypatch.setattr(revision, "FLOW", FIVE)
    found = of(tmp_path)
    assert "wishlist" not in found.origin("base").subjects
    assert found.services.steps == FOUR.steps
    assert found.services.all == FOUR.all
    settings, notes = found.as_known({"cart": {}, "wishlist": {"ttl_s": 3.0}}, ())
    assert {*settings} == {service.key for service in FOUR.all}
    assert "it has no wishlist-service, so it ran without" in notes
    assert "its mocks have no wish, so its users leave it out" in notes
    with pytest.raises(ConfigError, match=r"does not know services\.wishlist\.ttl_s"):
        found.as_known({"wishlist": {"ttl_s": 3.0}}, ["services.wishlist.ttl_s=3.0"])


def test_a_revision_with_an_endpoint_less_lacks_only_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its service is there, and its users leave out what it does not answer."""
    cart = FOUR.all[3].model_copy(update={"steps": ("add_to_cart", "empty_cart")})
    more = Services((*FOUR.all[:3], cart), (*FOUR.order, "empty_cart"))
    monkeypatch.setattr(revision, "FLOW", more)
    found = of(tmp_path)
    assert found.services.subjects == FOUR.subjects
    assert found.services.steps == FOUR.steps


def test_a_renamed_service_still_answers_its_steps(tmp_path: Path) -> None:
    """Under its own name in reports, and where this tree's load looks for it."""
    found = of(tmp_path, (ROW, ROW.replace('"cart", "cart', '"basket", "basket')))
    assert found.services.service_of("add_to_cart") == "basket-service"
    assert found.services.steps == FLOW.steps
    urls = {key: f"http://{key}" for key in found.mocks}
    assert arms._renamed(urls, facts(found))["cart"] == "http://basket"


def test_a_revision_from_before_the_table_is_asked_in_its_way(tmp_path: Path) -> None:
    """It had its models in one module."""
    copy_code(tmp_path)
    (tmp_path / "mock_services" / "table.py").unlink()
    (tmp_path / "mock_services" / "settings.py").write_text(MODULE_OF_BEFORE)
    found = asked(tmp_path, "base", "a" * 40)
    assert found.services is FLOW
    assert "ttl_s" in found.mocks["cart"].settings


def test_a_revision_that_cannot_be_asked_is_taken_for_this_tree(tmp_path: Path) -> None:
    """Its services will have to say."""
    copy_code(tmp_path)
    (tmp_path / "mock_services" / "table.py").write_text("raise SystemExit('broken')")
    found = asked(tmp_path, "base", "a" * 40)
    assert found.services is FLOW
    assert {*found.mocks} == {*SERVICES}
    (tmp_path / "mock_services" / "serve.py").unlink()
    with pytest.raises(ConfigError, match=r"has no mock_services/serve\.py to start"):
        asked(tmp_path, "base", "a" * 40)
