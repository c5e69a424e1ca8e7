"""How often a search's interval covers the largest load, by simulation.

    python -m benchmarks.studies.capacity [--searches 200]

The chooser of `loadgate capacity` searches simulated shops (`capacity_shop.py`). The truth is where
half of many runs of a minute hold, in the same shop. Exit code 3 where fewer than 93 % of the
intervals cover it. With pairs of searches, of equal shops and of one with a tenth less, what
`loadgate gate --capacity` would have said.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import log

import numpy as np

from analysis.capacity.answer import Answer, answer
from analysis.capacity.asked import RUN_S, Asked
from analysis.capacity.compare import outcome_of
from analysis.levels.seen import Seen
from analysis.limits.thresholds import Thresholds, parse_thresholds
from analysis.words.values import Outcome
from benchmarks.studies.capacity_shop import RULE, SUBJECT, Play, Shop
from harness.run.capacity import CapacityChooser
from harness.run.search import Wanted
from harness.run.searches import NARROW, NARROW_OF_GATE, WITHIN_S
from recording.journey import Journey, Range

LIMITS = f'[{SUBJECT}]\npool = ["{RULE}"]'
JOURNEY = Journey(think=Range(min=0.3, max=0.3))
STEPS = 7
NEEDED, SMALLER = 0.93, 0.05
SHOPS = {
    "even arrivals": Shop(even=True),
    "Poisson arrivals": Shop(size=200, hold_s=2.0),
}
SLOTS = 60
"""At each load of the long sweep."""


def thresholds() -> Thresholds:
    """One rule, on the pool."""
    return parse_thresholds(LIMITS)


def searched(
    shop: Shop, seed: int, holds_s: float | None = None, narrow: float = NARROW
) -> tuple[list[Seen], Asked]:
    """A whole search."""
    told = {} if holds_s is None else {SUBJECT: holds_s}
    rng = np.random.default_rng(seed)
    asked = Asked("arrivals/s", 40.0, "own", WITHIN_S, narrow, RUN_S, seed, told)
    start = 20.0 * float(rng.uniform(0.7, 1.4))
    chooser = CapacityChooser(asked, thresholds(), JOURNEY, STEPS, start)
    play, seen = Play(shop, rng), list[Seen]()
    while (wanted := chooser.next(seen)) is not None:
        seen.append(play.slot(wanted, len(seen)))
    return seen, asked


def truth(shop: Shop, near: float) -> float:
    """The load at which half of runs of a minute hold, by a sweep."""
    loads = near * np.linspace(0.85, 1.15, 31)
    shares = np.array([_share(shop, float(load), i) for i, load in enumerate(loads)])
    smooth = np.convolve(np.pad(shares, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return float(np.interp(-0.5, -smooth, loads))


def _share(shop: Shop, load: float, seed: int) -> float:
    play = Play(shop, np.random.default_rng(1000 + seed))
    slot = Wanted(load, 4.0 + RUN_S, 4.0, {}, "sweep")
    return float(np.mean([play.slot(slot, i).holds for i in range(SLOTS)]))


def studied(name: str, searches: int) -> Iterator[tuple[float, Answer, int]]:
    """The truth, and what each search of a shop found in how many levels."""
    shop, real = SHOPS[name], 0.0
    for seed in range(searches):
        seen, asked = searched(shop, seed)
        found = answer(seen, asked, thresholds())
        assert found is not None
        real = real or truth(shop, found.load)
        yield real, found, len(seen)


def gates(name: str, size: float, pairs: int) -> Iterator[Outcome]:
    """What gates say of head whose pool has so much of base's."""
    base = SHOPS[name]
    head = replace(base, size=round(base.size * size))
    for seed in range(pairs):
        ours, theirs = (
            answer(*searched(shop, 2 * seed + arm, narrow=NARROW_OF_GATE), thresholds())
            for arm, shop in enumerate((base, head))
        )
        assert ours is not None
        assert theirs is not None
        yield outcome_of(ours, theirs, SMALLER)


def main() -> int:
    """Print a line per shop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--gates", type=int, default=100)
    told = parser.parse_args()
    enough = True
    for name in SHOPS:
        rows = list(studied(name, told.searches))
        covered = sum(found.low <= real <= found.high for real, found, _ in rows)
        width = np.median([log(found.high / max(found.low, 1e-9)) for _, found, _ in rows])
        error = np.median([abs(found.load / real - 1) for real, found, _ in rows])
        held = sum(found.held > 0 for _, found, _ in rows)
        levels = np.median([n for *_, n in rows])
        print(
            f"{name}: {covered} of {told.searches} intervals cover {rows[0][0]:.3g}; median width "
            f"{100 * width:.1f} %, error {100 * error:.1f} %, {levels:.0f} levels; "
            f"{held} confirmed"
        )
        enough &= covered >= NEEDED * told.searches
        for size in (1.0, 0.9):
            said = Counter(gates(name, size, told.gates))
            shares = ", ".join(f"{n} {outcome}" for outcome, n in sorted(said.items()))
            print(f"  gates of {told.gates} pairs, head's pool {100 * size:g} %: {shares}")
    return 0 if enough else 3


if __name__ == "__main__":
    sys.exit(main())
