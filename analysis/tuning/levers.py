"""What else moves how many connections are needed: time to live and timeouts."""

from collections.abc import Iterator
from math import isfinite

from analysis.levels.seen import Seen
from analysis.tuning.asked import Asked
from analysis.tuning.curve import Point

LOCKS = "inventory_lock"


def levers(asked: Asked, seen: Seen, at: Point | None) -> Iterator[str]:
    """Of the service whose setting is tuned, at the answer."""
    service = asked.setting.key.partition(".")[0]
    if service == LOCKS:
        yield _of_ttl(asked, seen)
    told = asked.services.get(service, {})
    timeout_s = told.get("wait_timeout_s", told.get("pool_wait_timeout_s"))
    if at is not None and timeout_s is not None and isfinite(at.wait_p99.value):
        yield (
            f"timeout: callers wait {at.wait_p99.value:.3g} ms (p99) for a connection, and may "
            f"{1000 * timeout_s:g} ms: a shorter one turns nobody away and fails sooner in need"
        )


def _of_ttl(asked: Asked, seen: Seen) -> str:
    """By Little's law: what nobody confirms keeps its connection until it has expired."""
    if asked.services.get(LOCKS, {}).get("hold") == "transaction":
        return "time to live: no lever, as a lock keeps its connection only while a request works"
    done = {name: seen.samples[name].n * (1 - seen.samples[name].failure_share)
            for name in ("start_checkout", "confirm") if name in seen.samples}  # fmt: skip
    if len(done) < 2:
        return "time to live: who starts and who confirms is not recorded"
    left_per_s = max(0.0, done["start_checkout"] - done["confirm"]) / seen.level.counted_s
    return (
        f"time to live: {left_per_s:.3g} locks/s are abandoned, so each second less of it frees "
        f"{left_per_s:.3g} connections"
    )
