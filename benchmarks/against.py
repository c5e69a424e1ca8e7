"""Figures of two revisions, measured in turn on one machine: each as a ratio with its interval.

A revision is measured by its own benchmarks, on the packages that are installed here.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, isnan, log, nan, sqrt
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy.special import stdtrit

from benchmarks.figures.child import PROJECT, ChildFailedError
from harness.system import git
from harness.system.paths import environment_of

EITHER_SIDE = 0.025
"""Beyond either end of a 95 % interval."""
_MISSED = 3
"""Exit code of benchmarks that were measured, and missed a limit."""

Key = tuple[str, str, str]
"""Part, name and unit of a figure."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of this tree by that of the other revision; ``low`` and ``high`` are nan of one
    round. Student's t over the logs of the rounds' ratios.
    """

    key: Key
    base: float
    here: float
    ratio: float
    low: float
    high: float

    @classmethod
    def of(cls, key: Key, base: Sequence[float], here: Sequence[float]) -> "Ratio":
        """Raises ValueError for figures that have no ratio: not above 0, or none at all."""
        logs = [log(b / a) for a, b in zip(base, here, strict=True)]
        n = len(logs)
        mean = sum(logs) / n
        error = sqrt(sum((x - mean) ** 2 for x in logs) / (n - 1) / n) if n > 1 else nan
        reach = float(stdtrit(n - 1, 1 - EITHER_SIDE)) * error if n > 1 else nan
        bounds = (exp(mean), exp(mean - reach), exp(mean + reach))
        return cls(key, sum(base) / n, sum(here) / n, *bounds)


def against(ref: str, parts: Sequence[str], rounds: int, console: Console) -> int:
    """Measure and print; 0, or 1 where a revision could not be measured.

    Raises ConfigError for a revision that there is not.
    """
    with tempfile.TemporaryDirectory(prefix="loadgate-against-") as folder:
        base = Path(folder) / "tree"
        base.mkdir()
        git.export(git.resolve(ref), base)
        found: Mapping[Path, dict[Key, list[float]]] = {
            tree: defaultdict(list) for tree in (base, PROJECT)
        }
        try:
            for tree in _in_turn(base, rounds):
                console.print(f"[dim]{ref if tree == base else 'this tree'} …[/]", highlight=False)
                for key, value in _measured(tree, parts, Path(folder) / "figures.json"):
                    found[tree][key].append(value)
        except ChildFailedError as error:
            console.print(f"[red]{error}[/]", highlight=False)
            return 1
    _print(ref, list(_ratios(found[base], found[PROJECT])), console)
    return 0


def _in_turn(base: Path, rounds: int) -> Iterator[Path]:
    """Each round both, and not always the same one first: what drifts counts for neither."""
    for number in range(rounds):
        yield from (PROJECT, base) if number % 2 else (base, PROJECT)


def _measured(tree: Path, parts: Sequence[str], into: Path) -> Iterator[tuple[Key, float]]:
    words = ["-m", "benchmarks", "--only", ",".join(parts), "--json", str(into)]
    done = subprocess.run(
        [sys.executable, *words], cwd=tree, env=environment_of(tree), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, _MISSED):
        said = (done.stdout + done.stderr).strip()[-500:]
        raise ChildFailedError(f"{tree}: exit code {done.returncode}: {said}")
    for figure in json.loads(into.read_text())["figures"]:
        yield (figure["part"], figure["name"], figure["unit"]), float(figure["value"])


def _ratios(
    base: Mapping[Key, Sequence[float]], here: Mapping[Key, Sequence[float]]
) -> Iterator[Ratio]:
    """Of what both have, in every round, above 0."""
    for key in here.keys() & base.keys():
        if len(base[key]) == len(here[key]) and min(*base[key], *here[key]) > 0:
            yield Ratio.of(key, base[key], here[key])


def _print(ref: str, ratios: Sequence[Ratio], console: Console) -> None:
    table = Table(title=f"this tree by {ref}", title_justify="left")
    for name in ("part", "figure"):
        table.add_column(name)
    for name in (ref, "this tree", "unit", "ratio", "95 % interval"):
        table.add_column(name, justify="right")
    for one in sorted(ratios, key=lambda each: each.key):
        part, figure, unit = one.key
        interval = "" if isnan(one.low) else f"{one.low:.2f} to {one.high:.2f}"
        shown = (f"{one.base:.4g}", f"{one.here:.4g}", unit, f"{one.ratio:.3f}", interval)
        table.add_row(part, figure, *shown)
    console.print(table)
