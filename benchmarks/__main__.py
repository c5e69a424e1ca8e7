"""``python -m benchmarks``: prints a table of figures and writes them as JSON.

The parts that need the box for themselves (a, b, d) run one after the other; a busy machine
shows in the figures, so the load average before each part is kept with them.
"""

import argparse
import importlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks.against import against
from benchmarks.figures.child import PROJECT, ChildFailedError
from benchmarks.figures.figure import Figure, as_json, print_table
from harness.system import host

PARTS = {
    "a": "peak",
    "b": "mock_cost",
    "c": "recorder_cost",
    "d": "capacity",
    "e": "judging",
    "f": "importing",
    "g": "stalls",
}
"""Part of issue 3's list, and the module whose ``measure()`` gives its figures."""


def main(argv: list[str]) -> int:
    """Measure, print, write; 0 when every limit holds, 3 when one is missed, 1 on an error."""
    options = _parse(argv)
    console = Console() if sys.stdout.isatty() else Console(width=160)
    if options.against:
        return against(options.against, options.only, options.rounds, console)
    figures: list[Figure] = []
    broken: list[str] = []
    load_before: dict[str, list[float]] = {}
    for part in options.only:
        load_before[part] = list(os.getloadavg())
        console.print(f"[dim]({part}) {PARTS[part]} …[/]", highlight=False)
        try:
            figures += importlib.import_module(f"benchmarks.figures.{PARTS[part]}").measure()
        except ChildFailedError as error:
            broken.append(f"({part}) {error}")
    print_table(figures, console)
    for text in broken:
        console.print(f"[red]{text}[/]", highlight=False)
    facts = host.host_facts() | {"versions": host.versions(), "load_before": load_before}
    answer = as_json(figures, facts) | {"errors": broken}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(answer, indent=2) + "\n")
    console.print(f"written to {options.json}", highlight=False)
    if broken:
        return 1
    return 3 if any(figure.holds is False for figure in figures) else 0


def _parse(argv: list[str]) -> argparse.Namespace:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", type=_parts, default=list(PARTS), metavar="a,b,…",
        help="; ".join(f"{part}: {name}" for part, name in PARTS.items()),
    )  # fmt: skip
    parser.add_argument(
        "--json", type=Path, default=PROJECT / "runs" / f"bench-{stamp}.json", metavar="PATH",
        help="where to write the figures [runs/bench-<utc>.json]",
    )  # fmt: skip
    parser.add_argument(
        "--against", default="", metavar="REF",
        help="measure that revision and this tree in turn, and print ratios",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=int, default=3, help="of --against: how often each is measured [3]"
    )
    return parser.parse_args(argv)


def _parts(text: str) -> list[str]:
    chosen = [part.strip() for part in text.split(",")]
    if wrong := [part for part in chosen if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {wrong[0]!r}; there are {', '.join(PARTS)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
