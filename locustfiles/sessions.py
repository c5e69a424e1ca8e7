"""Sees the requests of Locust's own HTTP clients begin, and gives each its deadline.

Locust tells of a request when it is over: of one that was cut off never, of one that hangs when its
client gives up, which `requests` by itself never does.
"""

import functools
from collections.abc import Callable
from typing import Any

from gevent import GreenletExit
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from locustfiles.arms import arm_of, await_turn
from locustfiles.named import TICKET, NamedRequests

Send = Callable[..., Any]


def watch(requests: NamedRequests, deadline_s: float) -> None:
    """From now on, those of every session of this process."""
    HttpSession.request = _watched(  # type: ignore[method-assign]
        _with_deadline(HttpSession.request, deadline_s), requests
    )
    FastHttpSession.request = _watched(FastHttpSession.request, requests)  # type: ignore[method-assign]


def _with_deadline(send: Send, deadline_s: float) -> Send:
    """Of each wait for the server, where the file names none."""

    @functools.wraps(send)
    def request(self: Any, *arguments: Any, **more: Any) -> Any:
        if more.get("timeout") is None:
            more["timeout"] = deadline_s
        return send(self, *arguments, **more)

    return request


def _watched(send: Send, requests: NamedRequests) -> Send:
    @functools.wraps(send)
    def request(self: Any, method: Any, url: Any, *arguments: Any, **more: Any) -> Any:
        await_turn(self.user)
        name = more.get("name") or next(iter(arguments), None) or self.request_name or url
        streams = bool(more.get("stream"))
        ticket = requests.begin(method, name, arm_of(self.user), streams=streams)
        context = {**(more.pop("context", None) or {}), TICKET: ticket}
        try:
            answer = send(self, method, url, *arguments, context=context, **more)
        except BaseException as error:
            requests.leave(ticket, cut_off=isinstance(error, GreenletExit))
            raise
        requests.answered(ticket)
        return answer

    return request
