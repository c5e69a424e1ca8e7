"""The judge's vocabulary: measurement, rule outcome, breach, verdict."""

from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from math import isfinite, isnan
from typing import Any, ClassVar

import orjson

from analysis.words.causes import Cause
from recording.exitcodes import ExitCode
from recording.text import plainly
from recording.version import version

NO_DATA = "no data"


class Outcome(StrEnum):
    """What a verdict, or one rule's row, says."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"
    NOT_MEASURED = "not measured"
    """Of a gate: nothing changed that it is to look at, so nothing was loaded."""

    @property
    def exit_code(self) -> ExitCode:
        """The process exit code of a verdict."""
        return ExitCode.PASS if self is Outcome.NOT_MEASURED else ExitCode[self.name]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value with its unit and how sure it is. ``n`` is the number of samples behind it.

    A confidence bound is None where the samples cannot give one. ``at_least``: not everything
    could be seen, so the true value may be higher; ``note`` says why.
    """

    subject: str
    metric: str
    value: float
    unit: str
    n: int
    ci_low: float | None = None
    ci_high: float | None = None
    phase: str = "measured"
    note: str = ""
    at_least: bool = False
    highest: float | None = None
    """Of a value that is a lower bound: what it can be at most, where that is known."""

    @property
    def shown(self) -> str:
        """The value with its unit, for people."""
        return show(self.value, self.unit, at_least=self.at_least)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule applied to one subject. ``required`` False: cannot spoil a PASS by not telling.

    ``applies`` False: it is about what this recording was made without, and counts for nothing.
    """

    rule: str
    subject: str
    measurement: Measurement
    outcome: Outcome
    because: str = ""
    required: bool = True
    kind: str = ""
    applies: bool = True


def is_about_shipping(rows: tuple[RuleRow, ...]) -> bool:
    """Whether every rule on what customers feel, latency and errors, was decided."""
    felt = (row for row in rows if row.applies and row.kind in ("latency", "errors"))
    return all(row.outcome is not Outcome.INCONCLUSIVE for row in felt)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold."""

    rule: str
    subject: str
    metric: str
    actual: float
    required: str
    unit: str
    because: str
    at_least: bool = False

    @property
    def shown(self) -> str:
        """The actual value with its unit, for people."""
        return show(self.actual, self.unit, at_least=self.at_least)

    def __str__(self) -> str:
        said = f"{self.subject}: {self.metric} is {self.shown}, required {self.required}"
        return f"{said}: {self.because}" if self.because else said


@dataclass(frozen=True, slots=True)
class Check:
    """One test of the run itself; a check that is not ok makes the run INVALID."""

    name: str
    actual: str
    allowed: str
    ok: bool
    hint: str = ""

    def __str__(self) -> str:
        hint = f": {self.hint}" if self.hint else ""
        return f"{self.name} {self.actual}, allowed {self.allowed}{hint}"


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do about a verdict; ``command`` does it, "" where none can."""

    text: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.command}" if self.command else self.text


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """The limits of a verdict: name of their file, and the SHA-256 of what stands in it."""

    source: str = ""
    sha256: str = ""


FORMAT = 1
"""Of verdict.json, by its schema (``analysis/report/verdict.schema.json``). A key that is added
leaves it as it is; one that goes, or means something else, does not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run says, and everything it says it on."""

    VERB: ClassVar[str] = "run"
    """What records such a run."""

    run_id: str
    profile: str
    verdict: Outcome
    summary: str
    causes: tuple[Cause, ...] = ()
    breaches: tuple[Breach, ...] = ()
    rows: tuple[RuleRow, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    checks: tuple[Check, ...] = ()
    invalid_reasons: tuple[str, ...] = ()
    inconclusive_reasons: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)
    next_steps: tuple[NextStep, ...] = ()
    judged_by: JudgedBy = JudgedBy()

    def __post_init__(self) -> None:
        """Foreign text ends here: whatever is shown of a verdict, in any medium, is plain."""
        for each in fields(self):
            object.__setattr__(self, each.name, plainly(getattr(self, each.name)))

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that goes with the verdict."""
        return self.verdict.exit_code

    def to_json(self) -> bytes:
        """``verdict.json``: the same bytes for the same recording."""
        return orjson.dumps(_rounded(self.table()), option=orjson.OPT_INDENT_2) + b"\n"

    def table(self) -> dict[str, Any]:
        """What ``verdict.json`` holds, unrounded."""
        return {
            "format": FORMAT,
            "loadgate": version(),
            "thresholds": asdict(self.judged_by),
            "run_id": self.run_id,
            "profile": self.profile,
            "verdict": self.verdict.value,
            "exit_code": int(self.exit_code),
            "summary": self.summary,
            "next_steps": [asdict(step) for step in self.next_steps],
            "causes": [asdict(cause) for cause in self.causes],
            "breaches": [_breach(breach) for breach in self.breaches],
            "rules": [_row(row) for row in self.rows],
            "measurements": [asdict(m) for m in self.measurements],
            "invalid_reasons": self.invalid_reasons,
            "inconclusive_reasons": self.inconclusive_reasons,
            "findings": self.findings,
            "checks": [asdict(check) for check in self.checks],
            "context": self.context,
        }


def _breach(breach: Breach) -> dict[str, Any]:
    table = asdict(breach)
    del table["at_least"]  # its measurement says so
    return table


def _row(row: RuleRow) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "subject": row.subject,
        "actual": row.measurement.value,
        "unit": row.measurement.unit,
        "outcome": row.outcome.value,
        "required": row.required,
        "because": row.because,
    }


def _rounded(value: Any) -> Any:
    """Six significant digits: more than any measurement here carries. nan and inf become null."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(below) for below in value]
    return value


ROUNDED_OFF = 1e-9
"""Of any unit: what is left when a line is fitted to what does not change."""


PLURALS = ("connections", "users")
"""Units that are things: of one there is no s."""


def show(value: float, unit: str = "", *, at_least: bool = False) -> str:
    """A number for people, with its unit: ``312 ms``, ``at least 0.042 %``, ``no data``."""
    if isnan(value):
        return NO_DATA
    if at_least:
        return f"at least {show(value, unit)}"
    if not isfinite(value):
        return "never" if unit == "h" else "unlimited"
    if abs(value) < ROUNDED_OFF:
        value = 0.0
    whole = abs(value) >= (1000 if unit else 100) or (not unit and value == int(value))
    if unit == "%" and 99.0 < value < 100.0:  # what matters is what is missing
        return f"{100.0 - float(f'{100.0 - value:.3g}'):.8g} %"
    text = f"{value:.0f}" if whole else f"{Decimal(f'{value:.3g}'):f}"  # nobody reads 9.02e-05
    one = text == "1" and unit in PLURALS
    return f"{text} {unit.removesuffix('s') if one else unit}".strip()
