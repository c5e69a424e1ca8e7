"""W3C Trace Context, level 1: the header by which a tracing system finds a request again.

A trace is a request and everything that it causes (https://www.w3.org/TR/trace-context-1/#trace-id),
so each request begins one of its own, as X-Request-ID names each: a journey is many of them, with
pauses between that no tracing system waits for.
"""

import os

_VERSION = "00"
_SAMPLED = "01"
"""Whoever asked may have recorded it: exemplars name the trace, so services should keep it."""


def new_traceparent() -> str:
    """The value of a ``traceparent`` that begins a trace, drawn from the system.

    Of ids nothing is seeded. All zeros would be no id, and come once in 2**64 requests.
    """
    drawn = os.urandom(24).hex()
    return f"{_VERSION}-{drawn[:32]}-{drawn[32:]}-{_SAMPLED}"


def trace_id_of(traceparent: str) -> str:
    """Its trace, 32 hexadecimal digits."""
    return traceparent.split("-")[1]
