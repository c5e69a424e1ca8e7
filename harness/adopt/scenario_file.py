"""The file of the users who load a shop: a module with a step for each request that was found."""

import json
from collections.abc import Iterator
from keyword import iskeyword

from harness.adopt.openapi import Step

NAME, KEY = "scenario.py", "module"
"""What it is called, and the key of ``[scenario]`` that names it."""
SERVICE = "shop"
"""The key of the service that its users ask."""
JOURNEY = """
[journey]
think = { min = "100ms", max = "300ms" }     # a user's pause after each request
"""
"""What a profile says of their pauses."""
FILL_IN = "# FILL IN"
MOST_CHARS = 50
"""Of a step's name; reports have room for some more."""
_TAKEN = {"generator", "journey", "orders", "orders_db", SERVICE}
"""What reports call something else."""
_HEAD = '''"""What users of the shop do, one step after the other: loadgate's docs/scenarios.md.

Whoever logs in or buys is a few lines more: steps with a body, what a good answer has, what later
steps take from it, and the share of users who go on to them.
"""

from loadgate_scenario import Request, Scenario, Service, Step, Users
'''
_END = f"""

SCENARIO = Scenario(
    services=(Service("{SERVICE}"),),
    users=Users(cookies=True),
    steps=(
"""
_EMPTY = f"""\
        {FILL_IN}: nothing here says what the shop answers. A step for each request that matters:
        # Step("catalog", "GET", Request("/catalog")),
"""


def scenario_text(steps: tuple[Step, ...]) -> str:
    """The whole file; without steps a place to fill in, which `loadgate run` refuses by name."""
    named = tuple(zip(_names(steps), steps, strict=True))
    functions = "".join(_function(name, step) for name, step in named if step.values)
    rows = "".join(f"        {_row(name, step)}\n" for name, step in named)
    return f"{_HEAD}{functions}{_END}{rows or _EMPTY}    ),\n)\n"


def _names(steps: tuple[Step, ...]) -> Iterator[str]:
    """What reports call each of them: words of its path, which no other has."""
    taken = set(_TAKEN)
    for step in steps:
        words = "".join(c if c.isascii() and c.isalnum() else " " for c in step.name).split()
        name = "_".join(words)[:MOST_CHARS] or "home"
        while name in taken:
            name += "_"
        taken.add(name)
        yield name


def _row(name: str, step: Step) -> str:
    asked = f"get_{name}" if step.values else f"Request({json.dumps(step.path)})"
    return f'Step("{name}", "GET", {asked}),'


def _function(name: str, step: Step) -> str:
    """Of a step with values in its path: which, the visit draws, so that a seed repeats them."""
    path, lines = json.dumps(step.path), list[str]()
    for key, values in step.values.items():
        own = key if key.isidentifier() and not iskeyword(key) else f"value_{len(lines)}"
        path = path.replace(f"{{{key}}}", f"{{{own}}}")
        lines.append(f"{own} = visit.random.choice([{', '.join(map(json.dumps, values))}])")
    lines.append(f"return Request(f{path})")
    body = "".join(f"    {line}\n" for line in lines)
    return f"\n\ndef get_{name}(visit):\n{body}"
