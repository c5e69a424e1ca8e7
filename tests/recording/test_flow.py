"""recording/flow.py: which steps a rule can mean."""

from recording.flow import FLOW, Service, Services

OWN = Services((Service(key="host", subject="shop"),), ())


def test_a_locustfile_s_steps_are_those_that_a_run_saw() -> None:
    """Of its one service; a flow that is known stays what it is."""
    seen = OWN.of_steps_seen({"GET /b", "GET /a"})
    assert (seen.steps, seen.service_of("GET /a")) == (("GET /a", "GET /b"), "shop")
    assert FLOW.of_steps_seen({"GET /a"}) is FLOW


def test_a_step_is_meant_by_its_name_with_or_without_its_method() -> None:
    """And by a shell's pattern; brackets of a name are also just themselves."""
    seen = OWN.of_steps_seen({"GET /cart", "POST /cart", "GET /item/[id]"})
    assert seen.named("/cart") == ("GET /cart", "POST /cart")
    assert seen.named("POST /cart") == ("POST /cart",)
    assert seen.named("/item/[id]") == seen.named("/item/*") == ("GET /item/[id]",)
    assert seen.named("/carts") == ()
    assert FLOW.named("browse") == ("browse",)
