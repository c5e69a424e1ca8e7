"""How moments and sizes are written for people, the same in every report."""

from collections.abc import Mapping
from types import MappingProxyType

from recording.durations import format_duration
from recording.story import Story

# As in the seed, where "512MB" is 536,870,912 bytes.
BYTES_PER_MB = 2**20

Scales = Mapping[str, float]
"""Every unit that people may write, and its factor into the base unit, whose own is 1."""
LATENCY: Scales = MappingProxyType({"us": 1e-3, "ms": 1.0, "s": 1e3})
PERCENT: Scales = MappingProxyType({"%": 1.0})
COUNT: Scales = MappingProxyType({"": 1.0})
HOURS: Scales = MappingProxyType({"min": 1 / 60, "h": 1.0, "d": 24.0})
MEGABYTES: Scales = MappingProxyType({"MB": 1.0, "GB": 1024.0})
MEGABYTES_PER_HOUR: Scales = MappingProxyType({"MB/h": 1.0})


def format_elapsed(elapsed_s: float) -> str:
    """Time since the start of the test, as the seed's post-mortem writes it.

    ``T+42s``, ``T+3m20s``, ``T+6h14m``; seconds past the first hour are shown only when there
    are any (``T+6h14m22s``). Rounded to whole seconds.
    """
    total = round(abs(elapsed_s))
    sign = "-" if elapsed_s < 0 and total else "+"
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"T{sign}{hours}h{minutes:02d}m" + (f"{seconds:02d}s" if seconds else "")
    if minutes:
        return f"T{sign}{minutes}m{seconds:02d}s"
    return f"T{sign}{seconds}s"


def format_moment(run_s: float, story: Story | None) -> str:
    """A moment of the run, s since its load began; of a story the story's before it.

    ``T+12m30s``, or ``T+6h14m (12m28s)``, where the story's is rounded to whole minutes;
    what comes after its end, as a cool-down, is at its end.
    """
    if story is None:
        return format_elapsed(run_s)
    told_s = 60 * round(min(story.told_at_s(run_s), story.length_s) / 60)
    return f"{format_elapsed(told_s)} ({format_duration(max(0, round(run_s)))})"


def as_change(ratio: float) -> str:
    """A ratio as the change it is: 1.209 → ``+20.9 %``."""
    return f"{100 * (ratio - 1):+.1f} %"


def dollars(cents: int) -> str:
    """An amount as the shop writes it: ``$1,179.97``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02d}"


def counted(n: int, what: str) -> str:
    """``1 order``, ``1,300 orders``."""
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def and_more(count: int, what: str, shown: int = 1) -> str:
    """What follows the first of so many: `` (and 2 more reasons)``, or nothing."""
    return f" (and {counted(count - shown, f'more {what}')})" if count > shown else ""
