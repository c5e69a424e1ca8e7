"""The users of a locustfile of somebody's own, as they stand there, under our phases and recorder.

How many there are is the profile's; what they do and how long they wait is the file's. A shape of
its own is left out.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from locust import TaskSet, User, events
from locust.env import Environment
from locust.util.load_locustfile import is_user_class

from locustfiles import listeners
from locustfiles.allowed_hosts import allow_only
from locustfiles.arms import arm_of, enlist, rest
from locustfiles.isolated import load
from locustfiles.named import NamedRequests
from locustfiles.plan import PLAN
from locustfiles.recorder import Recorder
from locustfiles.sessions import watch
from locustfiles.shape import PhaseShape
from recording.target import HOST

_TIMEOUTS = ("network_timeout", "connection_timeout")
"""Of a FastHttpUser, s."""


class PhasesOfTheProfile(PhaseShape):
    """They drive the load."""

    plan = PLAN


def _hear(recorder: Recorder) -> Callable[..., None]:
    """Take the requests of this process into a recorder."""
    requests = NamedRequests(recorder, listeners.WORKER.name, lambda: arm_of(None))
    watch(requests, PLAN.profile.load.request_timeout)
    return requests.on_request


def _aim(kind: type[User]) -> None:
    """Let users of a class go where the profile says, and wait no longer for an answer."""
    for name in _TIMEOUTS:
        if hasattr(kind, name):
            setattr(kind, name, min(getattr(kind, name), PLAN.profile.load.request_timeout))
    made = kind.__init__

    def __init__(self: User, *arguments: Any, **more: Any) -> None:  # noqa: N807 - it is one
        self.host = PLAN.url_of(HOST, enlist(self))
        made(self, *arguments, **more)

    kind.__init__ = __init__  # type: ignore[method-assign]


def _users() -> dict[str, type[User]]:
    """The file's, by name."""
    path = Path(PLAN.profile.scenario.locustfile)
    os.chdir(PLAN.folder)
    allow_only(PLAN.profile.target.allowed_hosts)
    found = {name: kind for name, kind in vars(load(path)).items() if is_user_class(kind)}
    for kind in set(found.values()):
        _aim(kind)
    return found


def _end_well(environment: Environment, **_: Any) -> None:
    """Whatever the file says of its requests with an exit code: the verdict is ours."""
    environment.process_exit_code = 0


listeners.requests_into = _hear
events.quitting.add_listener(_end_well)  # the first to be added is asked last
TaskSet._sleep = lambda self, seconds: rest(self.user, seconds)  # type: ignore[method-assign]
globals().update(_users())
