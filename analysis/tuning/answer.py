"""What to set: the cheapest that holds at every load that was asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log, log10

from analysis.tuning.asked import Asked, Setting
from analysis.tuning.border import Border, border
from analysis.tuning.slot import Slot

STEP = 1.08
"""To the next safer level, after a confirmation that failed: wider than most intervals."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``levels`` by setting; () where no level that was tried holds at every load.

    ``borders`` are by load, of a search for one setting.
    """

    levels: tuple[float, ...] = ()
    borders: tuple[tuple[float, Border], ...] = ()


def answered(slots: Sequence[Slot], asked: Asked) -> Answer:
    """From the slots so far."""
    if len(asked.settings) > 1:
        return Answer(_cheapest_cell(slots, asked))
    by_load = {load: [s for s in slots if _is(s, asked, load)] for load in asked.loads}
    borders = tuple(
        (load, border(own, asked.setting, asked.confirm_s)) for load, own in by_load.items() if own
    )
    values = [found.value for _, found in borders]
    if len(borders) < len(asked.loads) or not all(map(isfinite, values)):
        return Answer((), borders)
    safest = max(values) if asked.setting.cheaper == "less" else min(values)
    return Answer((rounded(asked.setting, safest),), borders)


def _is(slot: Slot, asked: Asked, load: float) -> bool:
    return abs(slot.load - load * asked.load) < 1e-6 * asked.load


def rounded(setting: Setting, value: float) -> float:
    """To a value that can be set, on the side on which the rules hold: three digits, or whole."""
    digit = 1.0 if setting.whole else 10.0 ** (floor(log10(value)) - 2)
    to = ceil if setting.cheaper == "less" else floor
    return min(setting.high, max(setting.low, to(round(value / digit, 6)) * digit))


def safer(setting: Setting, value: float) -> float:
    """The next level to confirm; the same where the range ends."""
    up = setting.cheaper == "less"
    next_one = rounded(setting, value * STEP if up else value / STEP)
    if next_one == value and setting.whole:
        next_one += 1 if up else -1
    return min(setting.high, max(setting.low, next_one))


def worse(setting: Setting, value: float, than: float) -> bool:
    """Whether a value is on the side on which rules break."""
    return value < than if setting.cheaper == "less" else value > than


def _cheapest_cell(slots: Sequence[Slot], asked: Asked) -> tuple[float, ...]:
    """Of a grid: that with the least product of what costs, among those whose slots mostly hold."""
    cells = {slot.levels for slot in slots}
    good = [cell for cell in cells if _holds(slots, cell, asked)]
    return min(good, key=lambda cell: (_cost(asked, cell), cell), default=())


def _holds(slots: Sequence[Slot], cell: tuple[float, ...], asked: Asked) -> bool:
    for load in asked.loads:
        own = [bool(s.all_broken) for s in slots if s.levels == cell and _is(s, asked, load)]
        if not own or 2 * sum(own) >= len(own):
            return False
    return True


def _cost(asked: Asked, cell: tuple[float, ...]) -> float:
    pairs = zip(asked.settings, cell, strict=True)
    return round(sum(log(v) if s.cheaper == "less" else -log(v) for s, v in pairs), 9)
