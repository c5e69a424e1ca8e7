"""How often this host's gate was wrong: gates with a known answer, kept and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from pydantic import ValidationError
from scipy.special import betaincinv

from analysis.words.units import counted
from analysis.words.values import Outcome
from recording.flow import FLOW
from recording.jsonl import read_json_lines
from recording.tables import Section

Draws = Literal["independent", "same"]

# The journey holds every step, so naming it beside the slow step accuses nobody else. Nor does
# naming what a slower step costs its own service, such as more connections in use.
SUMS = frozenset({"journey"})


class GateRecord(Section):
    """One gate with a known answer. `injection` is empty for A/A, else such as ``p99=+20%``.

    `setup` is a fingerprint of what the gate was told (its command, profile and limits): gates
    of different setups are not added up. `blamed` are the endpoints it called slower, `summary`
    is its own sentence. `draws` says whether both arms' services were told to draw the same
    latencies; so they all did before it was kept. `seed` repeats the gate.
    """

    format: Literal[1] = 1
    at_utc: str
    host_class: str
    setup: str
    revision: str = ""
    seed: int | None = None
    draws: Draws = "same"
    kind: Literal["real", "simulated"] = "real"
    host_model: str = ""
    injection: str = ""
    endpoint: str = ""
    verdict: Outcome
    blamed: tuple[str, ...] = ()
    wall_s: float
    rounds: int | None = None
    requests: int | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """Counts over the gates of one kind. `found`: FAIL naming the injected endpoint;
    `misblamed`: FAIL naming another, whether or not that one too."""

    kind: str
    injection: str
    gates: int
    passed: int
    failed: int
    inconclusive: int
    invalid: int
    found: int
    misblamed: int
    median_s: float
    max_s: float

    @property
    def decided(self) -> int:
        """Gates that are evidence: all but the INVALID ones."""
        return self.gates - self.invalid

    def at_most(self, count: int) -> float:
        """Upper 95 % bound (one-sided, Clopper & Pearson 1934) of a count's share of gates."""
        n = self.decided
        return 1.0 if count >= n else float(betaincinv(count + 1, n - count, 0.95))

    def at_least(self, count: int) -> float:
        """Lower 95 % bound (one-sided, Clopper & Pearson 1934) of a count's share of gates."""
        n = self.decided
        return 0.0 if count <= 0 else float(betaincinv(count, n - count + 1, 0.05))

    def table(self) -> dict[str, Any]:
        """For JSON: the counts and the bounds that matter."""
        counts = {name: getattr(self, name) for name in CalibrationRow.__slots__}
        return counts | {
            "fail_at_most": self.at_most(self.failed),
            "found_at_least": self.at_least(self.found),
            "misblamed_at_most": self.at_most(self.misblamed),
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of one host class: real gates first. `left_out` are gates that do not count
    (another setup), `unreadable` are spoilt lines of the file, `last_utc` is when the last real one
    ended (simulated, if there is none)."""

    host_class: str
    setup: str
    draws: Draws
    last_utc: str
    rows: tuple[CalibrationRow, ...]
    left_out: int = 0
    unreadable: int = 0

    def text(self) -> str:
        """One line, for the report of every gate on this host."""
        real = "; ".join(_words(row) for row in self.rows if row.kind == "real")
        when = f"{self.last_utc[:10]}, {self.draws} draws"
        return f"this host's calibration of {when}: {real or 'no real gates'}"


def calibration_file(folder: Path, host_class: str) -> Path:
    """Where the gates of a host class are kept, one JSON line each."""
    return folder / f"{host_class}.jsonl"


def last_calibration(folder: Path, host_class: str) -> Calibration | None:
    """What is kept of this host class, by the setup of its newest gate; None without any."""
    records, unreadable = read_records(calibration_file(folder, host_class))
    return summarise(records, unreadable)


def read_records(path: Path) -> tuple[list[GateRecord], int]:
    """The gates kept in a file and the number of lines that cannot be read."""
    lines, unreadable = read_json_lines(path)
    records = []
    for line in lines:
        try:
            records.append(GateRecord.model_validate(line))
        except ValidationError:
            unreadable += 1
    return records, unreadable


def summarise(records: Sequence[GateRecord], unreadable: int = 0) -> Calibration | None:
    """Count the gates that were set up like the newest one; None without any."""
    if not records:
        return None
    newest = records[-1]  # they are appended as they end
    counted = [record for record in records if record.setup == newest.setup]
    kinds: dict[tuple[str, str], list[GateRecord]] = {}
    for record in counted:
        kinds.setdefault((record.kind, record.injection), []).append(record)
    real = [record for record in counted if record.kind == "real"]
    return Calibration(
        newest.host_class,
        newest.setup,
        newest.draws,
        (real or counted)[-1].at_utc,
        tuple(_row(*kind, kinds[kind]) for kind in sorted(kinds)),
        left_out=len(records) - len(counted),
        unreadable=unreadable,
    )


def _row(kind: str, injection: str, records: Sequence[GateRecord]) -> CalibrationRow:
    counts = Counter(record.verdict for record in records)
    failed = [record for record in records if record.verdict is Outcome.FAIL]
    seconds = [record.wall_s for record in records]
    return CalibrationRow(
        kind=kind,
        injection=injection,
        gates=len(records),
        passed=counts[Outcome.PASS],
        failed=len(failed),
        inconclusive=counts[Outcome.INCONCLUSIVE],
        invalid=counts[Outcome.INVALID],
        found=sum(bool(record.endpoint) and record.endpoint in record.blamed for record in failed),
        misblamed=sum(bool(_others(record)) for record in failed),
        median_s=median(seconds),
        max_s=max(seconds),
    )


def _others(record: GateRecord) -> list[str]:
    """Whom a gate accused beside the step that was slowed."""
    own = FLOW.service_of(record.endpoint)
    accused = {*record.blamed} - {record.endpoint} - SUMS
    return sorted(name for name in accused if not (own and name.startswith(own)))


def _words(row: CalibrationRow) -> str:
    aside = f" ({row.invalid} INVALID left out)" if row.invalid else ""
    if row.injection:
        others = f", {row.misblamed} blamed another" if row.misblamed else ""
        return (
            f"{counted(row.decided, 'gate')} at {row.injection}: {row.found} found{others}{aside}"
        )
    bound = f"<= {100 * row.at_most(row.failed):.1f} %"
    return (
        f"{counted(row.decided, 'A/A gate')}, {row.failed} FAIL ({bound}), "
        f"{row.inconclusive} INCONCLUSIVE{aside}"
    )
