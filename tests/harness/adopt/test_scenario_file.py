"""The module that `loadgate init` writes plays what was found, whatever that is called."""

from random import Random
from typing import Any

import pytest

from harness.adopt.openapi import MOST_STEPS, Step
from harness.adopt.scenario_file import FILL_IN, scenario_text
from loadgate_scenario import Request, Scenario, ScenarioError, Visit

ODD = (
    Step("/", "/"),
    Step("/shop", "/shop"),
    Step("/a-b", '/a-b?q="x%27'),
    Step("/a/b", "/a/b"),
    Step("/a/{b}", "/a/{b}", {"b": ("1", "2")}),
    Step("/{class}/{x-y}", "/{class}/{x-y}", {"class": ("c",), "x-y": ("\\",)}),
    Step("/" + "long" * 40, "/" + "long" * 40),
    Step("/größe/日本", "/größe"),
)


def played(steps: tuple[Step, ...]) -> Scenario:
    """As the module has it."""
    told: dict[str, Any] = {}
    exec(scenario_text(steps), told)  # it is ours
    scenario = told["SCENARIO"]
    assert isinstance(scenario, Scenario)
    return scenario


def asked(scenario: Scenario) -> list[str]:
    """The paths of one visit."""
    visit = Visit(Random(1))
    found = (
        step.ask if isinstance(step.ask, Request) else step.ask(visit) for step in scenario.steps
    )
    return [request.path for request in found]


def test_every_step_asks_for_its_path() -> None:
    """Names of Python and of urls, quotes, and other alphabets stand in nobody's way."""
    assert asked(played(ODD)) == [
        "/", "/shop", '/a-b?q="x%27', "/a/b", "/a/1", "/c/\\", "/" + "long" * 40, "/größe",
    ]  # fmt: skip


def test_names_differ() -> None:
    """From each other, and from what reports call something else."""
    names = [step.name for step in played(ODD).steps]
    assert names[:4] == ["home", "shop_", "a_b", "a_b_"]
    assert len({*names}) == len(ODD) < MOST_STEPS


def test_without_steps_it_cannot_be_played() -> None:
    """And says where something is missing."""
    assert FILL_IN in scenario_text(())
    with pytest.raises(ScenarioError):
        played(())
