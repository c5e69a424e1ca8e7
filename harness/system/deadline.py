"""A deadline for the whole of something that bounds only parts of itself."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NoAnswerError(Exception):
    """No whole answer in time; says why."""


def answered(ask: Callable[[], T], within_s: float) -> T:
    """What was asked for. Raises NoAnswerError, after ``within_s`` at the latest.

    A thread asks, which ends with what it waits for or with the process, since nothing else bounds
    a resolver.
    """
    answers: queue.SimpleQueue[tuple[T] | Exception] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((ask(),))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            answers.put(error)

    threading.Thread(target=answer, daemon=True).start()
    try:
        found = answers.get(timeout=within_s)
    except queue.Empty:
        raise NoAnswerError(f"no whole answer within {within_s:g} s") from None
    if isinstance(found, Exception):
        raise NoAnswerError(str(found) or type(found).__name__) from found
    return found[0]
