"""From which round on a regression shows: from the first, or from a moment during the run."""

from __future__ import annotations

import numpy as np

from analysis.paired.shift import SURE
from analysis.statistics.tails import Tails, bulk, log_grid, survival
from recording.arrays import Floats, Ints

# Rounds on either side of a change point: fewer can look like a change by one accident.
_FEWEST_ASIDE = 4
# Shuffles of the rounds that the change point is tested against, and its error: a diagnosis that
# sends someone to look for an event which never was costs an hour.
_SHUFFLES = 4_000
_ERROR = 0.005


def round_scores(values_us: Floats, counts: Ints, tail: float) -> Floats:
    """How much more of head than of base is slow, by round, from counts [arm, round, value].

    The very scores that the gate tests (``tails.py``), beyond the percentile or around the median:
    whichever of the two tells the arms apart more clearly.
    """
    grid = log_grid(values_us)
    base, head = (survival(values_us, arm[:, np.newaxis], grid) for arm in counts)
    place = (bulk(base) + bulk(head)) / 2
    tails = Tails.of(base, head, place, np.array([0, 0]), np.array([tail, 0.5]))
    scores = tails.score(np.zeros(2))
    spread = np.maximum(scores.std(axis=1), np.finfo(float).tiny)
    return np.asarray(scores[np.argmax(np.abs(scores.mean(axis=1)) / spread)])


def change_point(scores: Floats, seed: int = 0) -> int | None:
    """The number of rounds before the scores changed their level; None when they did not.

    The largest standardised step of all possible ones, against the same rounds in random order
    (a permutation test: Antoch & Huskova 2001), so heavy tails need no model.
    """
    rounds = len(scores)
    if rounds < 2 * _FEWEST_ASIDE or np.ptp(scores) == 0.0:
        return None
    shuffled = np.random.default_rng(seed).permuted(np.tile(scores, (_SHUFFLES, 1)), axis=1)
    steps = np.abs(_steps(scores[np.newaxis])[0])
    as_large = np.abs(_steps(shuffled)).max(axis=1) >= steps.max()
    if (1 + as_large.sum()) / (1 + _SHUFFLES) > _ERROR:
        return None
    return _FEWEST_ASIDE + int(steps.argmax())


def sure_from(scores: Floats) -> int | None:
    """After how many rounds the mean of the scores was, and stayed, beyond its noise."""
    if len(scores) < 2:
        return None
    n = np.arange(1, len(scores) + 1)
    error = scores.std(ddof=1) / np.sqrt(n)
    unsure = np.cumsum(scores) / n <= SURE * error
    stays = int(np.flatnonzero(unsure)[-1]) + 1 if unsure.any() else 0
    return stays + 1 if stays < len(scores) else None


def onset(scores: Floats) -> str:
    """When it shows, in words; rounds count from 1."""
    rounds = len(scores)
    before = change_point(scores)
    if before is None:
        sure = sure_from(scores)
        if sure is None:
            return f"since when it shows cannot be told: {rounds} rounds hardly show it at all"
        return f"it shows from the first round on, beyond its noise after {sure} of {rounds}"
    early, late = scores[:before], scores[before:]
    if late.mean() < early.mean():
        return f"it shows up to round {before} of {rounds}, and less or not at all after it"
    still = abs(early.mean()) <= SURE * early.std(ddof=1) / np.sqrt(before)
    what = "not before it" if still else "and less before it"
    return (
        f"it shows from round {before + 1} of {rounds} on, {what}: something changed during the run"
    )


def _steps(scores: Floats) -> Floats:
    """Mean after minus mean before each possible change point, in units of its spread."""
    rounds = scores.shape[1]
    before = np.arange(_FEWEST_ASIDE, rounds - _FEWEST_ASIDE + 1)
    sums = np.cumsum(scores, axis=1)
    early = sums[:, before - 1]
    step = (sums[:, -1:] - early) / (rounds - before) - early / before
    return np.asarray(step / np.sqrt(1 / before + 1 / (rounds - before)))
