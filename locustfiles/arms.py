"""Which arm of a paired run the users of somebody's own locustfile are of, and when it is due."""

from itertools import count

import gevent
from locust import User
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from locustfiles.timetable import TIMETABLE
from recording.slots import ARMS, Arm

_ARM = "loadgate_arm"
_LOOK_S = 0.5
"""Who waits for its turn looks so often whether it is to leave."""
_numbers = count()


def enlist(user: User) -> Arm | None:
    """The arm of a new user, every other one base; None outside a paired run."""
    if TIMETABLE is None:
        return None
    if not hasattr(user, _ARM):
        setattr(user, _ARM, ARMS[next(_numbers) % 2])
    return arm_of(user)


def arm_of(user: User | None) -> Arm | None:
    """That of a user, or of the one whose greenlet this is.

    Raises ValueError in a paired run for a request that is nobody's.
    """
    if TIMETABLE is None:
        return None
    asking = (user, *getattr(gevent.getcurrent(), "args", ()))
    arm: Arm | None = next((getattr(one, _ARM) for one in asking if hasattr(one, _ARM)), None)
    if arm is None:
        raise ValueError("a request of no user: nobody knows which arm it went to")
    return arm


def await_turn(user: User | None) -> None:
    """Wait until the arm of a user is loaded. Raises StopUser when it is to leave meanwhile."""
    arm = arm_of(user)
    if TIMETABLE is None or arm is None:
        return
    while (left_s := TIMETABLE.seconds_to(arm, 0.0)) > 0:
        gevent.sleep(min(left_s, _LOOK_S))
        if user is not None and user._state == LOCUST_STATE_STOPPING:
            raise StopUser


def rest(user: User, seconds: float) -> None:
    """Let a user's pause pass; in a paired run the time of the other arm's slots does not count."""
    arm = arm_of(user)
    if TIMETABLE is not None and arm is not None:
        seconds = TIMETABLE.seconds_to(arm, seconds)
    gevent.sleep(seconds)
