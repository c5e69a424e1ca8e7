"""How a shop is started, as ``[arm]`` says it: of a command line as people write it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from recording.shop import words

PORT = "{port}"
_OF_PYTHON = ("uvicorn", "gunicorn", "flask", "fastapi", "hypercorn", "daphne")
"""Programs that are modules too: so they are those of the environment that starts them."""
_OPTIONS = (
    (r"\$\{PORT\b[^}]*\}|\$PORT\b", PORT),
    (r"(--port[ =]|-p[ =]?)[0-9]+\b", rf"\g<1>{PORT}"),
    (r"((?:--bind|-b)[ =](?:[^\s:]+)?:)[0-9]+\b", rf"\g<1>{PORT}"),
)
"""How a port is written, and what stands there then."""
_TAKES = dict.fromkeys(("uvicorn", "fastapi", "flask"), f"--port {PORT}")
_TAKES |= dict.fromkeys(("gunicorn", "hypercorn"), f"--bind 127.0.0.1:{PORT}")


@dataclass(frozen=True, slots=True)
class Start:
    """``command`` and what belongs to it, found at ``origin``.

    ``url`` is where it answers if no port can be given to it; ``note`` is what to say of it.
    """

    command: str
    origin: str
    install: str = ""
    install_origin: str = ""
    stop: str = ""
    ready_within: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    note: str = ""


def of_line(line: str, origin: str, exposed: str = "") -> Start | None:
    """Of a command line, whose port may be the one that is ``exposed``; None for one that is none.

    Where it names no port, and its program is none that we know, the variable PORT has it.
    """
    text = line.strip().removeprefix("exec ")
    for pattern, instead in _OPTIONS:
        text = re.sub(pattern, instead, text)
    if exposed and PORT not in text:
        text = re.sub(rf"\b{re.escape(exposed)}\b", PORT, text)
    if not text:
        return None
    environment = {}
    if PORT not in text:
        takes = next((_TAKES[word] for word in text.split() if word in _TAKES), "")
        text = f"{text} {takes}".strip()
        environment = {} if takes else {"PORT": PORT}
    return Start(_one_program(text), origin, environment=environment)


def _one_program(text: str) -> str:
    """The line itself, or a shell's where only a shell understands it."""
    try:
        plain = not re.search(r"[$`]", text) and bool(words(text))
    except ValueError:
        plain = False
    return text if plain else f"sh -c {shlex.quote(text)}"


def in_environment(start: Start, origin: str, install: str, folder: str) -> Start:
    """With what has to be installed first, as the file ``origin`` says, and started by the Python
    that this leaves in ``folder``.
    """
    first, _, rest = start.command.partition(" ")
    python = f"{folder}python" if folder else "python3"
    if first in ("python", "python3"):
        command = f"{python} {rest}"
    elif first in _OF_PYTHON:
        command = f"{python} -m {start.command}"
    elif first == "sh" and folder:
        (inner,) = shlex.split(rest)[1:]
        command = f"sh -c {shlex.quote(f'. {folder}activate && {inner}')}"
    else:
        command = start.command
    return replace(start, command=command, install=install, install_origin=origin)
