"""What a step's function makes, ready to be sent: a target, lines of a head, bytes.

The functions are somebody's own: what one raises, or makes that cannot be sent, is the step's
failure, and is said in its words.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from loadgate_scenario import Request, ScenarioError, Step, UnaskableError, Visit
from locustfiles.outcomes import label
from locustfiles.retries import asked_again
from recording.outcomes import SCENARIO
from recording.secrets import redact

_AS_JSON = "Content-Type: application/json\r\n"
_AS_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
_KEPT = "!#$%&'()*+,/:;=?@[]~"
"""Of a path with characters that have to be quoted: what may stand in it unquoted."""


class SpoiltError(Exception):
    """A function of the scenario raised, in words that can be recorded."""


class Asked(NamedTuple):
    """A request as it is sent; ``sent`` is what its answer may have to echo, by key."""

    request: Request
    target: str
    lines: str
    content: bytes
    sent: Mapping[str, Any]


def asked(step: Step, visit: Visit, *, typed: bool) -> Asked:
    """What a step asks; ``typed``: its user's headers say already that bodies are JSON.

    Raises SpoiltError for a function that raises anything but UnaskableError.
    """
    try:
        ask = step.ask
        return composed(ask(visit) if callable(ask) else ask, typed)
    except UnaskableError:
        raise
    except Exception as error:
        raise spoilt(error) from error


def once_more(what: Asked, *, typed: bool) -> Asked:
    """What is asked in its place when it is asked again. Raises SpoiltError."""
    try:
        request = asked_again(what.request)
        return what if request is what.request else composed(request, typed)
    except Exception as error:
        raise spoilt(error) from error


def composed(request: Request, typed: bool) -> Asked:
    """The same of a request that is made. Raises what cannot be sent."""
    if type(request) is not Request:
        raise ScenarioError(f"made a {type(request).__name__} and no Request")
    path, body, form, headers, sent, _, _ = request
    if not (path.isascii() and path.isprintable() and " " not in path):
        path = quote(path, safe=_KEPT)
    if path[:1] != "/":
        raise ScenarioError(f"path {path!r}: begin it with a slash")
    lines, content, kind = header_lines(headers) if headers else "", b"", ""
    if type(body) is dict:
        content, kind, sent = orjson.dumps(body), _AS_JSON, sent or body
    elif isinstance(body, str):
        content = body.encode()
    elif isinstance(body, bytes):
        content = body
    elif body is not None:
        content, kind = orjson.dumps(body), _AS_JSON
    elif form is not None:
        content, kind, sent = urlencode(form).encode(), _AS_FORM, sent or form
    if kind and not (typed or "content-type:" in lines.lower()):
        lines += kind
    return Asked(request, path, lines, content, sent)


def header_lines(headers: Mapping[str, str]) -> str:
    """Complete lines. Raises ScenarioError for what would be more than that."""
    for name, value in headers.items():
        if not (name.isascii() and name.isprintable() and " " not in name and ":" not in name):
            raise ScenarioError(f"header {name!r} is no name")
        if not value.isprintable():
            raise ScenarioError(f"header {name} is no printable text")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    lines.encode("latin-1")
    return lines


def spoilt(error: Exception, where: str = "") -> SpoiltError:
    """What a function raised, without secrets."""
    kind = "" if isinstance(error, ScenarioError) else f"{type(error).__name__}: "
    return SpoiltError(redact(f"{where}{kind}{error}"))


def spoilt_outcome(error: SpoiltError) -> str:
    """The outcome class of a step whose function raised."""
    return label(SCENARIO, str(error))
