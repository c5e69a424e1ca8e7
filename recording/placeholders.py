"""What stands in braces in the texts of ``[arm]``, and is known only when a shop is started.

``{port}`` and ``{NAME.port}`` are free ports, one for each name; ``{arm}`` is base or head, and run
outside a gate; ``{run}`` is the run's id; ``{env.NAME}`` is a variable of loadgate's own
environment. ``${NAME}`` is left to the shell, where one was asked for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

PORT, ARM, RUN = "port", "arm", "run"
FORMS = "{port}, {NAME.port}, {arm}, {run}"
OURS = "env."
"""How those begin that are of our own environment."""
_FOUND = re.compile(r"(?<!\$)\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)\}", re.ASCII)


def names(*texts: str) -> Iterator[str]:
    """Those in the texts, as they come."""
    for text in texts:
        yield from _FOUND.findall(text)


def is_port(name: str) -> bool:
    """Whether a port is to stand there."""
    return name == PORT or name.endswith(f".{PORT}")


def check(text: str, *, ours: bool = False) -> str:
    """The text. Raises ValueError for a name that nothing can stand for.

    ``ours``: variables of our environment may stand there.
    """
    for name in names(text):
        if not (is_port(name) or name in (ARM, RUN) or (ours and name.startswith(OURS))):
            forms = f"{FORMS}, {{env.NAME}}" if ours else FORMS
            where = "" if ours or not name.startswith(OURS) else ", and in environment {env.NAME}"
            raise ValueError(f"{{{name}}} is nothing that is known here: write {forms}{where}")
    return text


def fill(text: str, values: Mapping[str, object]) -> str:
    """The text with what its names stand for. Raises KeyError."""
    return _FOUND.sub(lambda found: str(values[found[1]]), text)


def plausible(texts: Iterable[str]) -> dict[str, object]:
    """A value for each name, to see whether a text can be what it is to be."""
    return {name: 1 if is_port(name) else "x" for name in names(*texts)}
