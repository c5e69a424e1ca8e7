"""Gates with a known answer: planned, run one after another, kept as each ends."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from analysis.calibration.injection import Slowdown
from analysis.calibration.record import Draws, GateRecord
from analysis.calibration.simulated import Injection, Where, blamed, host_models, simulated_gate
from analysis.limits.regression import RegressionSettings
from analysis.words.values import Outcome
from harness.system.parent import STARTED_BY
from recording.errors import RunFailedError
from recording.flow import STEPS

GATE_LIMIT_S = 3600.0
"""A gate that takes longer than this hangs."""
STOP_LIMIT_S = 90.0
"""How long a gate may take to stop in good order after Ctrl-C."""
_VERDICTS = {outcome.exit_code for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class Planned:
    """One gate to run: A/A when there is no slow-down, else one step of head is slower."""

    slowdown: Slowdown | None = None
    step: str = ""

    @property
    def injection(self) -> str:
        """As kept in its record."""
        return str(self.slowdown) if self.slowdown else ""


@dataclass(frozen=True, slots=True)
class Series:
    """What every gate of a call shares; `keep` stores a record, at once."""

    host_class: str
    setup: str
    revision: str
    seed: int
    draws: Draws
    keep: Callable[[GateRecord], None]

    def record(self, planned: Planned, wall_s: float, **found: Any) -> GateRecord:
        """Build and keep the record of a gate that has just ended."""
        record = GateRecord(
            at_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            host_class=self.host_class,
            setup=self.setup,
            revision=self.revision,
            draws=self.draws,
            injection=planned.injection,
            endpoint=planned.step,
            wall_s=round(wall_s, 3),
            **found,
        )
        self.keep(record)
        return record


def plan(
    aa: int, slowdowns: Sequence[Slowdown], each: int, done: Sequence[GateRecord], seed: int
) -> list[Planned]:
    """`aa` A/A gates and `each` per slow-down, in a random order.

    The slowed steps take turns, all seven before any comes twice, the gates already kept (`done`)
    included.
    """
    draw = random.Random(f"{seed} {len(done)}")
    gates = [Planned()] * aa
    for slowdown in slowdowns:
        turns = Counter(record.endpoint for record in done if record.injection == str(slowdown))
        for _ in range(each):
            fewest = min(turns[step] for step in STEPS)
            step = draw.choice([step for step in STEPS if turns[step] == fewest])
            turns[step] += 1
            gates.append(Planned(slowdown, step))
    draw.shuffle(gates)
    return gates


def run_gate(
    command: Sequence[str],
    log: Path,
    series: Series,
    planned: Planned,
    arguments: Sequence[str],
    seed: int,
) -> GateRecord:
    """Run one gate as a process of its own and keep what it said. `log` gets its stderr.

    Raises RunFailedError when it ended without a verdict; KeyboardInterrupt after Ctrl-C, once
    the gate has stopped, without a record: a gate that was cut short has no known answer.
    """
    started_s = time.monotonic()
    words = [*command, *(word for text in arguments for word in ("--head-set", text))]
    words += ["--seed", str(seed), *(["--same-draws"] if series.draws == "same" else []), "--json"]
    code, output = _run(words, log)
    verdict = _verdict(code, output, log)
    context = verdict.get("context") or {}
    return series.record(
        planned,
        time.monotonic() - started_s,
        seed=seed,
        verdict=Outcome(verdict["verdict"]),
        blamed=tuple(sorted(set(_blamed(verdict)))),
        rounds=context.get("rounds"),
        requests=context.get("requests_counted"),
        summary=str(verdict.get("summary", "")),
    )


def _run(words: Sequence[str], log: Path) -> tuple[int, bytes]:
    """Exit code and stdout. Ctrl-C reaches the gate through us alone, so that it does so once."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, STARTED_BY: str(os.getpid())},
            start_new_session=True,
        )
    try:
        output, _ = process.communicate(timeout=GATE_LIMIT_S)
    except subprocess.TimeoutExpired:
        _stop(process)
        raise RunFailedError(f"the gate took more than {GATE_LIMIT_S:.0f} s; see {log}") from None
    except BaseException:
        _stop(process)
        raise
    return process.returncode, output


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _verdict(code: int, output: bytes, log: Path) -> Mapping[str, Any]:
    """The gate's JSON. Raises RunFailedError with what it said instead."""
    try:
        verdict = orjson.loads(output)
        if code in _VERDICTS and verdict["verdict"] in {outcome.value for outcome in Outcome}:
            return dict(verdict)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass  # told below, with the gate's own words
    said = log.read_text(errors="replace").strip().splitlines()[-5:] or ["nothing on stderr"]
    raise RunFailedError(f"the gate ended with exit code {code} and no verdict: {' / '.join(said)}")


def _blamed(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Endpoints that a gate calls slower, and subjects of anything else that it breaks on."""
    for row in verdict.get("rows", ()):
        if row["verdict"] == Outcome.FAIL:
            yield str(row["endpoint"])
    for breach in verdict.get("breaches", ()):
        yield str(breach["subject"])


def simulate_gates(
    series: Series, planned: Planned, count: int, done: int, settings: RegressionSettings
) -> Iterator[GateRecord]:
    """`count` simulated gates of one kind, each host model in turn; `done` were kept before.

    The slow-down of the tail is one of the slowest 3 % of requests; the slowed step is the same
    in all, because the simulated steps do not differ.
    """
    injection = None
    if slowdown := planned.slowdown:
        where: Where = "tail" if slowdown.where == "p99" else "all"
        injection = Injection(1 + slowdown.by, where, (STEPS.index(planned.step),))
    for number, model in zip(range(done, done + count), host_models(done), strict=False):
        started_s = time.monotonic()
        result = simulated_gate(model, injection, settings, series.seed, number)
        yield series.record(
            planned,
            time.monotonic() - started_s,
            kind="simulated",
            host_model=model,
            verdict=result.verdict,
            blamed=blamed(result),
            rounds=result.rounds,
        )
