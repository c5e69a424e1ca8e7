"""``python -m locustfiles.look FILE``: what a file of users has, as JSON, before any load.

Of a locustfile ``users`` are its classes of users with their hosts, ``shapes`` its shapes. With
``--scenario`` of a scenario module ``outline`` is what it asks of whom, ``variables`` are those of
the environment that it takes. ``error`` is why there is nothing.
"""

import contextlib
import hashlib
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loadgate_scenario import Scenario, ScenarioError, Step, close_env
from locustfiles.isolated import load, load_scenario
from locustfiles.rows import rows_of
from recording.scenario import AskedStep, Outline
from recording.secrets import redact


def look(path: Path, has: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """What ``has`` finds in it, whatever it does then."""
    try:
        return has(path)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it does
        return {"error": redact(_said(path, error))}


def in_locustfile(path: Path) -> dict[str, Any]:
    """Raises whatever it raises."""
    from locust.util.load_locustfile import is_shape_class, is_user_class

    found = list(vars(load(path)).values())
    users = {kind.__name__: kind.host for kind in found if is_user_class(kind)}
    return {"users": users, "shapes": sorted({k.__name__ for k in found if is_shape_class(k)})}


def in_scenario(path: Path) -> dict[str, Any]:
    """Raises whatever it raises, and ScenarioError for what could not be played."""
    scenario = load_scenario(path)
    return {"outline": outline(scenario, path).model_dump(), "variables": sorted(close_env())}


def outline(scenario: Scenario, path: Path) -> Outline:
    """What plan and manifest have of it. Raises ScenarioError for data that cannot be read."""

    def asked(step: Step) -> AskedStep:
        return AskedStep(
            name=step.name,
            service=scenario.service_of(step),
            share=1.0 if step.share is None else step.share,
            optional=step.optional,
            order=bool(step.order),
        )

    log_in = scenario.users.log_in
    return Outline(
        services={service.key: service.name for service in scenario.services},
        steps=tuple(map(asked, scenario.steps)),
        log_in=asked(log_in) if log_in else None,
        rows=len(rows_of(scenario, path.parent)) or None,
        unique=scenario.users.unique,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _said(path: Path, error: BaseException) -> str:
    """What went wrong, and in which line of the file."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    own = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
    where = f"line {own}: " if own else ""
    kind = "" if isinstance(error, ScenarioError) else f"{type(error).__name__}: "
    return f"{where}{kind}{error}"


if __name__ == "__main__":
    *asked_for, file = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        seen = look(Path(file), in_scenario if asked_for else in_locustfile)
    sys.stdout.write(json.dumps(seen) + "\n")
