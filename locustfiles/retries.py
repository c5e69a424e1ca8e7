"""Whether and when a shopper asks again after an answer that was none, or an error.

What is asked again is what Stripe's libraries ask again: what got no answer, a conflict (409), too
many requests (429), and every error of the server. Waits are drawn between nothing and a bound
that doubles ("full jitter": M. Brooker, "Exponential Backoff and Jitter", AWS, 2015), after what
the server asked for in Retry-After.
"""

import re
from random import Random

from loadgate_scenario import Request
from locustfiles.client import Answer

LONGEST_WAIT_S = 30.0
"""No bound grows beyond it, and whoever is told to wait longer gives up."""
_NO_ANSWER, _CONFLICT, _TOO_MANY, _SERVER_ERROR = 0, 409, 429, 500
_RETRY_AFTER = re.compile(rb"(?i)\r\nretry-after:[ \t]*(\d{1,9})[ \t]*\r\n")


def retry_wait_s(
    retries: int, backoff_s: float, answer: Answer, asked: int, draw: Random
) -> float | None:
    """How long to wait before asking once more, s; None for who gives up, having asked so often."""
    status = answer.status_code
    passes = status in (_NO_ANSWER, _CONFLICT, _TOO_MANY) or status >= _SERVER_ERROR
    if asked > retries or not passes:
        return None
    told = _RETRY_AFTER.search(answer.head)
    told_s = float(told[1]) if told else 0.0
    if told_s > LONGEST_WAIT_S:
        return None
    bound_s = min(backoff_s * 2 ** (asked - 1), LONGEST_WAIT_S)
    return told_s + draw.uniform(0, bound_s)


def asked_again(request: Request) -> Request:
    """The same request, or what its step asks in its place."""
    return request.again(request) if request.again else request
