"""Judges a run, stores what is derived, shows the verdict, ends with its exit code."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

import typer
from rich.text import Text

from analysis.calibration.record import last_calibration
from analysis.capacity.compare import compared
from analysis.capacity.judge import CapacityReport
from analysis.evidence.host import host_class
from analysis.html.page import html
from analysis.judge import judged
from analysis.limits.thresholds import Thresholds
from analysis.paired.judge import GateReport
from analysis.pictures.illustrated import illustrated
from analysis.report.capacity import capacity_document, capacity_gate_document
from analysis.report.ci import annotations, junit
from analysis.report.document import Document
from analysis.report.markdown import markdown
from analysis.report.paired import gate_document
from analysis.report.single import run_document
from analysis.report.tuning import tune_document
from analysis.tuning.judge import TuneReport
from analysis.words.values import Verdict
from harness.options import CALIBRATIONS, OnInconclusive, exit_with
from harness.screen.plain import Screen
from harness.screen.saying import saying
from harness.screen.terminal import answer
from harness.system.streams import presenting, warn
from recording.errors import StorageError
from recording.exitcodes import ExitCode
from recording.files import replace_file, why
from recording.manifest import read_manifest
from recording.rundir import RunDir


def finish(
    run: RunDir,
    thresholds: Thresholds,
    *,
    as_json: bool,
    everything: bool,
    inconclusive: OnInconclusive | None,
) -> NoReturn:
    """Judge, store, print. Raises typer.Exit with the verdict's exit code."""
    try:
        with saying("judging …"):
            verdict, calibration = derive(run, thresholds)
    except KeyboardInterrupt:
        warn(f"stopped while judging; the recording stands: loadgate analyze {run.root}")
        raise typer.Exit(int(ExitCode.INCONCLUSIVE)) from None
    with presenting():
        document = document_of(run, verdict, calibration)
        answer(document, verdict.to_json(), as_json=as_json, everything=everything)
    if isinstance(verdict, GateReport):
        with presenting():
            # Not on stdout under --json: what is printed there must stay one JSON document.
            publish(Screen(stderr=as_json, soft_wrap=True), verdict, os.environ, calibration)
    exit_with(verdict.exit_code, inconclusive)


def finish_both(
    base: RunDir,
    head: RunDir,
    thresholds: Thresholds,
    *,
    as_json: bool,
    inconclusive: OnInconclusive | None,
) -> NoReturn:
    """The same of two searches, compared; the answer is kept beside head's verdict."""
    found = [derive(run, thresholds)[0] for run in (base, head)]
    ours, theirs = found
    if not (isinstance(ours, CapacityReport) and isinstance(theirs, CapacityReport)):
        warn(f"{base.root} or {head.root} cannot be judged")
        exit_with(ExitCode.INVALID, inconclusive)
    answered = compared(ours, theirs, thresholds.gate.capacity)
    keep(head.root / "capacity_gate.json", answered.to_json)
    with presenting():
        document = capacity_gate_document(answered, str(head.report))
        answer(document, answered.to_json(), as_json=as_json)
    exit_with(answered.verdict.exit_code, inconclusive)


def derive(run: RunDir, thresholds: Thresholds) -> tuple[Verdict, str | None]:
    """Judge, and store verdict.json, report.md, report.html and, of a gate, junit.xml.

    What cannot be stored is a warning. The second value is what the last calibration of the host
    said of its gate.
    """
    found = judged(run, thresholds)
    verdict = found.verdict
    calibration = _calibration_of(run, verdict)
    keep(run.verdict, verdict.to_json)
    page = partial(document_of, run, verdict, calibration)
    keep(run.report, lambda: markdown(page()).encode(errors="replace"))
    keep(run.page, lambda: html(illustrated(page(), verdict, found.evidence, thresholds)))
    if isinstance(verdict, GateReport):
        keep(run.junit, partial(junit, verdict))
    return verdict, calibration


def document_of(run: RunDir, verdict: Verdict, calibration: str | None) -> Document:
    """Of any verdict."""
    if isinstance(verdict, GateReport):
        return gate_document(verdict, calibration, str(run.page))
    if isinstance(verdict, TuneReport):
        return tune_document(verdict, str(run.page))
    if isinstance(verdict, CapacityReport):
        return capacity_document(verdict, str(run.page))
    return run_document(verdict, str(run.page))


def _calibration_of(run: RunDir, verdict: Verdict) -> str | None:
    """None without one, and for what is no paired run."""
    if not isinstance(verdict, GateReport) or not verdict.context:
        return None
    try:
        host = read_manifest(run.manifest).host
        known = last_calibration(CALIBRATIONS, host_class(host).name)
    except Exception as error:  # noqa: BLE001 - a remark beside the verdict, which stands
        warn(f"this host's calibration cannot be read: {error}")
        return None
    return known.text() if known else None


def keep(path: Path, make: Callable[[], bytes]) -> None:
    """Store what is derived; where that fails, or it cannot be made, with a warning."""
    try:
        replace_file(path, make())
    except OSError as error:
        warn(f"{path} could not be stored: {why(error)}")
    except Exception as error:  # noqa: BLE001 - a report that cannot be made ends no gate
        warn(f"{path} could not be made: {type(error).__name__}: {error}")


def publish(
    console: Screen,
    report: GateReport,
    environment: Mapping[str, str],
    calibration: str | None = None,
) -> None:
    """In a GitHub job: annotations, and the report on the job's summary page.

    Raises StorageError when the summary file that the job was given cannot be written.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        for line in annotations(report):
            console.print(Text(line), soft_wrap=True)  # the one text that is to act
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(markdown(gate_document(report, calibration, brief=True)))
        except OSError as error:
            raise StorageError(f"{path}: summary not written: {error.strerror}") from error
