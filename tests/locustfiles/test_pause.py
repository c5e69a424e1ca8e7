"""locustfiles/pause.py: a sleep lasts as long as it says, unless it is ended."""

import time

import gevent

from locustfiles.pause import Pause


def test_a_pause_lasts_its_time() -> None:
    """Nobody ended it."""
    began_s = time.monotonic()
    assert Pause().sleep(0.02) is False
    assert time.monotonic() - began_s >= 0.019


def test_ending_a_pause_wakes_the_sleeper_at_once() -> None:
    """A user that thinks for an hour stops now, and sleeps no more."""
    pause = Pause()
    sleeper = gevent.spawn(pause.sleep, 3600)
    gevent.sleep(0)
    pause.end()
    assert sleeper.get(timeout=5) is True
    assert pause.sleep(3600) is True


def test_a_killed_sleeper_leaves_nothing_to_wake() -> None:
    """Ending the pause of a user that Locust has killed does nothing."""
    pause = Pause()
    sleeper = gevent.spawn(pause.sleep, 3600)
    gevent.sleep(0)
    sleeper.kill()
    pause.end()
    gevent.sleep(0)
    assert pause.ended
