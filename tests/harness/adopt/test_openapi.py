"""Which requests of an OpenAPI document anybody can make, and why not the others."""

from typing import Any

import pytest

from harness.adopt.openapi import MOST_STEPS, Step, steps_of


def document(get: dict[str, Any], path: str = "/x", **more: Any) -> dict[str, Any]:
    """Of one GET."""
    return {"openapi": "3.1.0", "paths": {path: {"get": get}}, **more}


def parameter(place: str, name: str = "sku", required: bool = True, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, **more}


EXAMPLES: dict[str, dict[str, Any]] = {
    "example": {"example": "a b"},
    "named": {"examples": {"one": {"value": "a b"}}},
    "schema": {"schema": {"example": "a b"}},
    "several": {"schema": {"examples": ["a b", 7]}},
    "default": {"schema": {"default": "a b"}},
    "enum": {"schema": {"enum": ["a b", "c"]}},
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_path_takes_the_examples_that_the_document_has(kind: str) -> None:
    """Quoted, as they stand in a url."""
    get = {"parameters": [parameter("path", **EXAMPLES[kind])]}
    (step,) = steps_of(document(get, "/tea/{sku}")).steps
    assert (step.name, step.path) == ("/tea/{sku}", "/tea/{sku}")
    assert step.values["sku"][0] == "a%20b"


def test_a_needed_query_is_part_of_the_path_and_not_of_the_name() -> None:
    """What is not needed is left out; what is shared is found where a reference leads."""
    shared = {"parameters": {"q": parameter("query", "q", schema={"default": "a&b"})}}
    listed = [{"$ref": "#/components/parameters/q"}, parameter("query", "page", required=False)]
    found = steps_of(document({"parameters": listed}, "/find", components=shared))
    assert found.steps == (Step("/find", "/find?q=a%26b"),)


def test_the_path_of_the_first_server_comes_first() -> None:
    """As clients of the document have it."""
    servers = [{"url": "https://shop.example/api/v2/"}, {"url": "/other"}]
    (step,) = steps_of(document({}, servers=servers)).steps
    assert step.path == "/api/v2/x"


LEFT: dict[str, tuple[dict[str, Any], str]] = {
    "it wants authorization": ({"security": [{"bearer": []}]}, "/x"),
    "it is deprecated": ({"deprecated": True}, "/x"),
    "no example of sku": ({"parameters": [parameter("path")]}, "/x/{sku}"),
    "no example of id": ({}, "/x/{id}"),
    "it wants a header X-Key": ({"parameters": [parameter("header", "X-Key", example="1")]}, "/x"),
    "its answer does not end": (
        {"responses": {"200": {"content": {"text/event-stream": {}}}}}, "/x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", LEFT)
def test_what_not_everybody_can_ask_is_left_out(why: str) -> None:
    """And said, with the reason."""
    get, path = LEFT[why]
    found = steps_of(document(get, path))
    assert (found.steps, found.left) == ((), (f"GET {path}: {why}",))


def test_security_of_the_document_holds_unless_an_operation_lifts_it() -> None:
    """An empty list, or an empty requirement, is for everybody."""
    closed = {"security": [{"bearer": []}]}
    assert not steps_of(document({}, **closed)).steps
    assert steps_of(document({"security": []}, **closed)).steps
    assert steps_of(document({"security": [{}, {"bearer": []}]})).steps


def test_health_and_metrics_are_no_steps_and_many_are_cut() -> None:
    """A gate tests each step."""
    paths = {f"/p{number}": {"get": {}} for number in range(MOST_STEPS + 2)}
    paths |= {"/healthz": {"get": {}}, "/metrics": {"get": {}}, "/buy": {"post": {}}}
    found = steps_of({"paths": paths})
    assert (len(found.steps), len(found.left)) == (MOST_STEPS, 2)


@pytest.mark.parametrize(
    "odd", [{}, {"paths": None}, {"paths": {"/x": None}}, {"paths": {"/x": 1}}]
)
def test_a_document_without_any_has_none(odd: dict[str, Any]) -> None:
    """It is foreign: whatever it holds, nothing breaks."""
    assert not steps_of(odd).steps
