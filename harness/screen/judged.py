"""Judges a run, stores what is derived, shows the verdict, ends with its exit code."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import typer
from rich.text import Text

from analysis.advice.again import again
from analysis.calibration.record import last_calibration
from analysis.capacity.compare import CapacityGate, compared
from analysis.capacity.judge import CapacityReport
from analysis.evidence.host import host_class
from analysis.html.page import html
from analysis.judge import judged
from analysis.limits.thresholds import Thresholds
from analysis.paired.judge import GateReport
from analysis.pictures.illustrated import illustrated
from analysis.report.capacity import capacity_document, capacity_gate_document
from analysis.report.cases import Judged, of_capacity_gate, of_verdict
from analysis.report.differences import differences, judged_by_of
from analysis.report.document import Block, Document
from analysis.report.github import annotations, comment
from analysis.report.gitlab import links, load_performance
from analysis.report.junit import junit
from analysis.report.markdown import markdown
from analysis.report.paired import gate_document
from analysis.report.single import run_document
from analysis.report.tuning import tune_document
from analysis.tuning.judge import TuneReport
from analysis.words.values import NextStep, Outcome, Verdict
from harness.options import CALIBRATIONS, OnInconclusive, exit_with
from harness.screen.plain import Screen
from harness.screen.saying import saying
from harness.screen.terminal import answer
from harness.system.earlier import earlier, stored_verdict
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
    with presenting():
        # Not on stdout under --json: what is printed there must stay one JSON document.
        page = markdown(document_of(run, verdict, calibration, brief=True))
        publish(Screen(stderr=as_json, soft_wrap=True), of_verdict(verdict), page, os.environ)
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
    answered = _advised(compared(ours, theirs, thresholds.gate.capacity), head)
    told = of_capacity_gate(answered)
    keep(head.root / "capacity_gate.json", answered.to_json)
    keep(head.compared_junit, partial(junit, told))
    with presenting():
        document = capacity_gate_document(answered, str(head.page))
        answer(document, answered.to_json(), as_json=as_json)
        publish(Screen(stderr=as_json, soft_wrap=True), told, markdown(document), os.environ)
    exit_with(answered.verdict.exit_code, inconclusive)


def _advised(found: CapacityGate, head: RunDir) -> CapacityGate:
    if found.verdict is Outcome.PASS:
        return found
    step = NextStep("search both once more", again(read_manifest(head.manifest)))
    return replace(found, next_steps=(step,))


def derive(run: RunDir, thresholds: Thresholds) -> tuple[Verdict, str | None]:
    """Judge, and store verdict.json, report.md, report.html and what CI reads.

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
    _keep_for_ci(run, verdict, partial(page, brief=True))
    return verdict, calibration


def _keep_for_ci(run: RunDir, verdict: Verdict, brief: Callable[[], Document]) -> None:
    judged = of_verdict(verdict)
    keep(run.junit, partial(junit, judged))
    keep(run.load_performance, partial(load_performance, verdict, judged))
    keep(run.comment, lambda: comment(verdict.VERB, verdict.profile, markdown(brief())).encode())
    if os.environ.get("GITLAB_CI") == "true":
        keep(run.gitlab_annotations, lambda: links(judged, _artifact(run.report, os.environ)))


def _artifact(path: Path, environment: Mapping[str, str]) -> str:
    """Where GitLab shows a file of the job that runs, if it is kept; else the job itself."""
    job, project = environment.get("CI_JOB_URL", ""), environment.get("CI_PROJECT_DIR", "")
    try:
        inside = path.resolve().relative_to(Path(project).resolve())
    except ValueError:
        return job
    return f"{job}/artifacts/file/{quote(inside.as_posix())}"


def document_of(
    run: RunDir, verdict: Verdict, calibration: str | None, *, brief: bool = False
) -> Document:
    """Of any verdict; in ``brief`` what a job's page or a comment has room for."""
    if isinstance(verdict, GateReport):
        return gate_document(verdict, calibration, str(run.page), brief=brief)
    if isinstance(verdict, TuneReport):
        return tune_document(verdict, str(run.page), brief=brief)
    if isinstance(verdict, CapacityReport):
        return capacity_document(verdict, str(run.page), brief=brief)
    document = run_document(verdict, str(run.page), brief=brief)
    if brief or not verdict.context:
        return document
    return replace(document, blocks=(*document.blocks, *_what_differs(run, verdict)))


def _what_differs(run: RunDir, verdict: Verdict) -> Iterator[Block]:
    """From the last run, of which the verdict knows nothing."""
    manifest = read_manifest(run.manifest)
    if found := earlier(run, manifest):
        other, last = found
        last_by = judged_by_of(stored_verdict(other))
        yield differences(manifest, last, verdict.judged_by, last_by)


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


def publish(console: Screen, judged: Judged, page: str, environment: Mapping[str, str]) -> None:
    """In a GitHub job: annotations, and ``page`` on the job's summary.

    Raises StorageError when the summary file that the job was given cannot be written.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        for line in annotations(judged):
            console.print(Text(line), soft_wrap=True)  # the one text that is to act
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(page)
        except OSError as error:
            raise StorageError(f"{path}: summary not written: {error.strerror}") from error
