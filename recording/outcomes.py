"""Outcome classes: what the plan asked for, what nobody knows, and that the rest is failure."""

OK = "ok"
TIMEOUT = "timeout"
"""No whole answer within the request's deadline. Its latency is a lower bound."""
UNANSWERED = "unanswered"
"""Cut off by the end of the run (or of its user) before its deadline: neither good nor bad. Its
latency is the age that it reached, a lower bound."""

UNTOLD = "untold"
"""Of an import: nobody says whether it failed. Its latency is what it says."""

REFUSED = "connection_refused"
RESET = "connection_reset"
CLOSED = "connection_closed"
"""Without a byte of an answer."""
TRUNCATED = "truncated"
"""Closed in the middle of an answer."""
CONNECTION_ERROR = "connection_error"
"""No answer, for any other reason."""
UNAVAILABLE = "unavailable"
"""503, but for that of an exhausted pool: come again later."""
BAD_BODY = "bad_body"
"""How labels begin of answers that say the wrong thing; what is wrong follows."""
SCENARIO = "scenario"
"""How labels begin of steps of which nothing was sent: the scenario's own function raised."""
NO_JSON = f"{BAD_BODY}: not a JSON object"

EXPECTED_OUTCOMES = frozenset({OK, "declined"})
WITHOUT_ANSWER = frozenset(
    {TIMEOUT, UNANSWERED, REFUSED, RESET, CLOSED, TRUNCATED, CONNECTION_ERROR}
)
UNDECIDED = frozenset({UNANSWERED, UNTOLD})
"""Outcomes of which nobody knows whether they are failures."""
LOWER_BOUNDS = frozenset({TIMEOUT, UNANSWERED})
"""Outcomes whose latency would have been longer, had anybody waited."""


def is_failure(outcome: str) -> bool:
    """Whether the plan did not ask for this; what is undecided, or not told, is no failure."""
    return outcome not in EXPECTED_OUTCOMES | UNDECIDED
