"""Somebody else's series under our names: which falls on which, and what several together are.

A page that was read once and a Prometheus server's answers over a run are the same here, series
with their times. Two that fall on one name at one time are a clash, unless their row says what they
are together. One that ends as another begins is the same thing under another label: a counter goes
on, or has fallen and so begun anew; a replica that comes or goes is neither.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from analysis.evidence.pool_series import counter_steps
from harness.sampling.mapping import Wanted
from harness.sampling.prometheus import part
from recording.arrays import Floats
from recording.metric_names import (
    BY_REPLICA,
    MEMORY_LIMIT,
    OF_A_LEDGER,
    OF_A_POOL,
    POOL_MAX,
    is_counter,
)
from recording.series import MOST

AGE_SAMPLES = 2.5
"""A value stands for so many of its series' intervals; then nothing is known of it any more."""
GAP_SAMPLES = 3.0
"""So soon after another has ended a replica that begins is in its place."""
_SAME_MOMENT_S = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What was found of a row: a series of theirs, s on any clock, in their unit."""

    wanted: Wanted
    labels: Mapping[str, str]
    t_s: Floats
    values: Floats

    @property
    def replica(self) -> str:
        """Which replica says so; "" where none is told."""
        found = (self.labels.get(name, "") for name in self.wanted.row.replica)
        return next(filter(None, found), "")

    def __str__(self) -> str:
        told = ",".join(f'{k}="{v}"' for k, v in sorted(self.labels.items()) if k != "__name__")
        return f"{self.wanted.row.theirs or self.wanted.row.promql}{{{told}}}"


@dataclass(frozen=True, slots=True)
class Clash:
    """Two series that fall on one name at one time, and what would part them."""

    name: str
    one: str
    other: str
    cure: str

    def __str__(self) -> str:
        return f"{self.name}: both {self.one} and {self.other} fall on it; {self.cure}"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One of our names at the times that were asked for; NaN where nothing was known.

    ``series`` of theirs are in it, all of one row.
    """

    values: Floats
    wanted: Wanted
    series: int


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """By our names; what clashes is left out."""

    told: Mapping[str, Told]
    clashes: tuple[Clash, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    values: Floats
    known: np.typing.NDArray[np.bool_]


Group = dict[str, list[Series]]
"""What falls on one name, by replica."""


def fold(found: Iterable[Series], at_s: Floats, every_s: float) -> Folded:
    """Their series at ``at_s``; ``every_s`` is how far these times lie apart."""
    sound = [each for each in map(_in_our_unit, found) if each.t_s.size]
    groups = _by_name(sound, every_s)
    told, clashes = {}, []
    for name, group in groups.items():
        if clash := _clash(name, group):
            clashes.append(clash)
        else:
            told[name] = _told(name, group, at_s, every_s)
    return Folded(told, tuple(clashes))


def _in_our_unit(series: Series) -> Series:
    """Without what says nothing: see ``says`` of prometheus.py."""
    row = series.wanted.row
    values = series.values * row.factor
    says = np.isfinite(values) & (np.abs(values) <= MOST)
    if row.ours != POOL_MAX:
        says &= values >= 0
    if row.ours == MEMORY_LIMIT:
        says &= values != 0
    return Series(series.wanted, series.labels, series.t_s[says], values[says])


def _by_name(found: Sequence[Series], every_s: float) -> dict[str, Group]:
    places = {key: at for n in {s.wanted.source for s in found} for key, at in
              _places([s for s in found if s.wanted.source == n], every_s).items()}  # fmt: skip
    told_apart = {
        (s.wanted.source, places[s.wanted.source, s.replica])
        for s in found
        if s.wanted.row.ours in BY_REPLICA and s.replica
    }
    several = {n for n, _ in told_apart if sum(m == n for m, _ in told_apart) > 1}
    groups: dict[str, Group] = {}
    for each in found:
        n, place = each.wanted.source, places[each.wanted.source, each.replica]
        name = _name(each, place if n in several else "")
        groups.setdefault(name, {}).setdefault(place, []).append(each)
    return groups


def _places(found: Sequence[Series], every_s: float) -> dict[tuple[int, str], str]:
    """By source and replica: who begins soon after another has ended is in that one's place."""
    lives: dict[str, tuple[float, float]] = {}
    spacing: dict[str, float] = {}
    for each in found:
        first, last = lives.get(each.replica, (np.inf, -np.inf))
        lives[each.replica] = min(first, each.t_s[0]), max(last, each.t_s[-1])
        spacing[each.replica] = max(spacing.get(each.replica, every_s), _spacing_s(each.t_s))
    ended: dict[str, float] = {}
    of: dict[str, str] = {}
    for replica, (first, last) in sorted(lives.items(), key=lambda item: item[1]):
        within_s = GAP_SAMPLES * spacing[replica]
        before = (place for place, end in ended.items() if end < first <= end + within_s)
        of[replica] = next(before, replica) if replica else ""
        ended[of[replica]] = last
    return {(found[0].wanted.source, replica): place for replica, place in of.items()}


def _spacing_s(t_s: Floats) -> float:
    return float(np.median(np.diff(t_s))) if t_s.size > 1 else 0.0


def _name(series: Series, place: str) -> str:
    """As ``resources.csv`` has it: labels that tell things apart follow after slashes."""
    row, labels = series.wanted.row, series.labels
    parts = [row.ours]
    if row.status and labels.get(row.status):
        parts.append(part(labels[row.status]))
    pool = ""
    if row.ours in OF_A_POOL or row.ours in OF_A_LEDGER:
        pool = ".".join(filter(None, map(labels.get, row.pool))) or row.pool_name
        parts += [part(pool)] if pool else []
    if place and row.ours in BY_REPLICA:
        parts.append(part(place) if pool else f"replica={part(place)}")
    if row.ours.endswith("_bucket"):
        parts.append(f"{float(labels.get('le', 'nan')) * row.bound_factor:g}")
    return "/".join(parts)


def _clash(name: str, group: Group) -> Clash | None:
    """What two series of it are together nobody said; None where all is said."""
    every = list(chain.from_iterable(group.values()))
    wanted = every[0].wanted
    for each in every[1:]:
        if each.wanted != wanted:
            one, other = (f"{s.wanted.origin}'s {s.wanted.row.theirs}" for s in (every[0], each))
            return Clash(name, one, other, f"give one source without = [{wanted.row.ours!r}]")
    for series in group.values():
        lines = _lines(series)
        if len(lines) > 1 and wanted.row.together == "one":
            return _apart(name, lines[0][0], lines[1][0], "together")
    firsts = [series[0] for series in group.values()]
    if len(firsts) > 1 and wanted.row.replicas == "one":
        return _apart(name, firsts[0], firsts[1], "replicas")
    return None


def _apart(name: str, one: Series, other: Series, key: str) -> Clash:
    labels = sorted(one.labels.keys() | other.labels.keys())
    differs = next((n for n in labels if one.labels.get(n) != other.labels.get(n)), "label")
    where = f"""where = '{differs}="{one.labels.get(differs, "")}"'"""
    return Clash(name, str(one), str(other), f'part them by {where}, or say {key} = "sum" or "max"')


def _lines(series: Sequence[Series]) -> list[list[Series]]:
    """Series of one replica, each line of them one after the other."""
    lines: list[list[Series]] = []
    for each in sorted(series, key=lambda s: float(s.t_s[0])):
        line = next((line for line in lines if line[-1].t_s[-1] < each.t_s[0]), None)
        if line is None:
            lines.append([each])
        else:
            line.append(each)
    return lines


def _told(name: str, group: Group, at_s: Floats, every_s: float) -> Told:
    places = [_lines(series) for series in group.values()]
    adds = is_counter(name) and sum(map(len, places)) > 1
    row = places[0][0][0].wanted.row
    parts = [
        _together([_at(line, at_s, every_s, adds=adds) for line in lines], row.together, adds=adds)
        for lines in places
    ]
    whole = _together(parts, row.replicas, adds=adds)
    n = sum(map(len, group.values()))
    values = np.where(whole.known, whole.values, np.nan)
    return Told(values, places[0][0][0].wanted, n)


def _at(line: Sequence[Series], at_s: Floats, every_s: float, *, adds: bool) -> _Part:
    """The newest values; of a counter that others are added to, all that it has counted so far."""
    t_s = np.concatenate([each.t_s for each in line])
    values = np.concatenate([each.values for each in line])
    if adds:
        values = values[0] + np.cumsum(counter_steps(values))
    place = np.searchsorted(t_s, at_s + _SAME_MOMENT_S, side="right") - 1
    age_s = AGE_SAMPLES * max(every_s, _spacing_s(t_s))
    known = (place >= 0) & (at_s - t_s[np.maximum(place, 0)] <= age_s)
    return _Part(np.where(place >= 0, values[np.maximum(place, 0)], 0.0), known)


def _together(parts: Sequence[_Part], how: str, *, adds: bool) -> _Part:
    """What has ended still counts in a sum of counters, and in nothing else."""
    if len(parts) == 1:
        return parts[0]
    known = np.any([p.known for p in parts], axis=0)
    if how == "max":
        return _Part(np.max([np.where(p.known, p.values, -np.inf) for p in parts], axis=0), known)
    counts = [p.values if adds else np.where(p.known, p.values, 0.0) for p in parts]
    return _Part(np.sum(counts, axis=0), known)
