"""The file of the users who load a shop: one task for each step that was found."""

import json
from collections.abc import Iterator
from keyword import iskeyword

from harness.adopt.openapi import Step
from recording.target import HOST

NAME, KEY = "locustfile.py", "locustfile"
"""What it is called, and the key of ``[scenario]`` that names it."""
SERVICE = HOST
"""The key of the service that its users ask."""
JOURNEY = ""
"""What a profile says of their pauses: nothing, for a locustfile has them."""
FILL_IN = "# FILL IN"
_HEAD = '''"""What users of the shop do: one task for each request. It is Locust's (https://docs.locust.io).

`loadgate run` says how many users there are and for how long; reports call a request by its name.
"""
'''
_EMPTY = f"""
{FILL_IN}: nothing here says what the shop answers. A task for each request that matters, such as

# from locust import FastHttpUser, between, task
#
#
# class Visitor(FastHttpUser):
#     wait_time = between(0.1, 0.3)
#
#     @task
#     def catalog(self):
#         self.client.get("/catalog")
"""
_USER = '''

class Visitor(FastHttpUser):
    """Anybody, without a log-in. `@task(3)` is done three times as often as `@task`."""

    wait_time = between(0.1, 0.3)  # seconds between two requests
'''


def scenario_text(steps: tuple[Step, ...]) -> str:
    """The whole file; without steps a place to fill in, which `loadgate run` refuses by name."""
    if not steps:
        return _HEAD + _EMPTY
    imports = "\nimport random\n" if any(_draws(step) for step in steps) else ""
    imports += "\nfrom locust import FastHttpUser, between, task\n"
    return _HEAD + imports + _USER + "".join(_tasks(steps))


def _draws(step: Step) -> bool:
    return any(len(values) > 1 for values in step.values.values())


def _tasks(steps: tuple[Step, ...]) -> Iterator[str]:
    taken: set[str] = set()
    for step in steps:
        name = _function(step, taken)
        yield f"\n    @task\n    def {name}(self):\n{_body(step)}"


def _function(step: Step, taken: set[str]) -> str:
    """A name for it that no other has."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in step.name).split()
    name = "_".join(["get", *words]).lower()
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _body(step: Step) -> str:
    path, lines = json.dumps(step.path), list[str]()
    for key, values in step.values.items():
        name = key if key.isidentifier() and not iskeyword(key) else f"value_{len(lines)}"
        path = path.replace(f"{{{key}}}", f"{{{name}}}")
        lines.append(f"{name} = {_value(values)}")
    named = f", name={json.dumps(step.name)}" if lines or "?" in step.path else ""
    lines.append(f"self.client.get({'f' if step.values else ''}{path}{named})")
    return "".join(f"        {line}\n" for line in lines)


def _value(values: tuple[str, ...]) -> str:
    listed = ", ".join(map(json.dumps, values))
    return f"random.choice([{listed}])" if len(values) > 1 else listed
