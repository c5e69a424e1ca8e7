"""A calibration on the screen: a line per gate as it ends, and the table of all that are kept."""

from collections.abc import Iterator
from pathlib import Path

from analysis.calibration.record import Calibration, GateRecord
from analysis.words.values import Outcome
from harness.screen.compared import WIDE
from harness.screen.plain import Screen, print_json, table, widen

SIMULATED_PER_LINE = 50


def announce(console: Screen, gates: int, log: Path) -> None:
    """What is ahead, before the first line that `follow` prints minutes later."""
    if gates:
        text = f"{gates} gates of some minutes each; what they print: {log}"
        console.print(text, soft_wrap=True)


def follow(console: Screen, records: Iterator[GateRecord], total: int) -> None:
    """Run through real gates; one line for each as it ends."""
    for number, record in enumerate(records, start=1):
        what = f"{record.injection} on {record.endpoint}" if record.injection else "A/A"
        named = f" naming {', '.join(record.blamed)}" if record.blamed else ""
        line = f"gate {number} of {total}  {what}: {record.verdict}{named}, {record.wall_s:.1f} s"
        if record.verdict in (Outcome.INVALID, Outcome.INCONCLUSIVE) and record.summary:
            line += f": {record.summary}"
        console.print(line, soft_wrap=True)


def follow_simulated(console: Screen, records: Iterator[GateRecord], total: int) -> None:
    """Run through simulated gates, of which only the table is worth a look."""
    for number, _ in enumerate(records, start=1):
        if number % SIMULATED_PER_LINE == 0 or number == total:
            console.print(f"{number} of {total} gates simulated")


def print_calibration(
    console: Screen, found: Calibration | None, path: Path, *, as_json: bool
) -> None:
    """The table, or null and the figures as JSON."""
    if as_json:
        facts = found and {
            "host_class": found.host_class,
            "text": found.text(),
            "setup": found.setup,
            "draws": found.draws,
            "last_utc": found.last_utc,
            "rows": [row.table() for row in found.rows],
            "left_out": found.left_out,
            "unreadable": found.unreadable,
        }
        print_json(facts)
    elif found is None:
        console.print(f"no gates kept in {path} yet: try `loadgate calibrate --aa 5`")
    else:
        _table(console, found, path)


def _table(console: Screen, found: Calibration, path: Path) -> None:
    widen(console, WIDE)
    made = table(
        *("gates", "head is", "n", "FAIL", "PASS", "INCONCLUSIVE", "INVALID", "found"),
        *("blamed others", "s median", "s max"),
    )
    for row in found.rows:
        failed = f"{row.failed} (<= {100 * row.at_most(row.failed):.1f} %)"
        hits = f"{row.found} (>= {100 * row.at_least(row.found):.1f} %)" if row.injection else ""
        counts = (row.passed, row.inconclusive, row.invalid)
        shown = [str(row.gates), failed, *map(str, counts), hits, str(row.misblamed)]
        seconds = [f"{row.median_s:.1f}", f"{row.max_s:.1f}"]
        made.add_row(row.kind, row.injection or "equal", *shown, *seconds)
    console.print(made)
    console.print("bounds: one-sided 95 %, Clopper-Pearson, INVALID gates left out", style="dim")
    for count, what in (
        (
            found.left_out,
            "gates of another command, profile, [regression] or kind of draws are left out",
        ),
        (found.unreadable, "lines cannot be read"),
    ):
        if count:
            console.print(f"{count} {what} ({path})", soft_wrap=True)
    console.print(found.text(), soft_wrap=True)
