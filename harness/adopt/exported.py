"""Which ready mappings fit a page of metrics, and whether it tells of a pool."""

import re
from dataclasses import dataclass

from harness.sampling.mapping import mapping, mapping_names
from harness.sampling.prometheus import flatten
from recording.metric_names import POOL_ACTIVE, POOL_MAX

_POOL = {POOL_MAX, POOL_ACTIVE}
"""What it takes to say how full a pool is."""


@dataclass(frozen=True, slots=True)
class Exported:
    """``path`` of the page ("" where there is none), the mappings to ``use`` for it, and whether
    it has a pool."""

    path: str = ""
    use: tuple[str, ...] = ()
    pool: bool = False


def exported(path: str, page: str) -> Exported:
    """Mappings that say most come first, of such that say as much the shorter; one that says again
    what another says is left out.

    None are used where the page has our own names for all that they would give.
    """
    theirs = set(re.findall(r"^([A-Za-z_:][\w:]*)", page, re.MULTILINE))
    fits = {
        name: {row.ours for row in mapping(name).rows if row.theirs in theirs}
        for name in mapping_names()
    }
    direct, mapped, used = _direct(page), set[str](), []
    for name in sorted(fits, key=lambda name: (-len(fits[name]), len(mapping(name).rows))):
        if fits[name] and not fits[name] & mapped:
            mapped |= fits[name]
            used.append(name)
    if mapped <= direct:
        return Exported(path, (), direct >= _POOL) if direct else Exported()
    return Exported(path, tuple(used), mapped >= _POOL)


def _direct(page: str) -> set[str]:
    """What it says by our own names."""
    try:
        return {name.partition("/")[0] for name, _ in flatten(page)}
    except ValueError:
        return set()
