"""Foreign text: a hostile body, label or branch name acts in no medium."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree as ET

from recording.closing import close_run
from recording.manifest import read_manifest, write_manifest
from recording.series import Sample, SeriesWriter
from recording.series_reader import read_series
from recording.text import csv_field
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.analysis.recordings import Recording
from tests.faults.fault import FIXTURES, Fault, Seen
from tests.faults.in_process import loadgate
from tests.hostile_text import ATTACKS, acts, commands

NOTHING_ACTS = "nothing acts"
INSTANT = ("label", "file name")
"""The other places take a recording; tests/analysis/test_text_border.py tries the same texts."""
FAILING = {"charge": {"ok": 0.5, "http_5xx": 0.5}}


def _body(folder: Path, text: str) -> Seen:
    """A failed charge answered with the text; it stands in the breach's cause."""
    run = Recording(outcomes=FAILING).write(folder / "run")
    text = text.encode(errors="replace").decode()  # as the client decodes it
    row = {"why": "failure", "step": "charge", "request_id": "r-1", "status": 500, "body": text}
    run.exemplars.write_text(json.dumps(row) + "\n")
    close_run(run, read_manifest(run.manifest))  # exemplars changed after it are not quoted
    seen = loadgate("analyze", str(run.root))
    assert "r-1" in seen.text  # the body was shown, not left out
    return _checked(seen, run.report.read_text())


def _branch(folder: Path, text: str) -> Seen:
    """The head of a gate is a branch of that name."""
    run = PairedRecording(slower={"charge": 1.2}, looks=ONE_LOOK).write(folder / "run")
    manifest = read_manifest(run.manifest)
    assert manifest.paired is not None
    head = manifest.paired.head.model_copy(
        update={"what": f"ref:{text}".encode(errors="replace").decode()}
    )
    paired = manifest.paired.model_copy(update={"head": head})
    write_manifest(run.manifest, manifest.model_copy(update={"paired": paired}))
    summary = folder / "summary.md"
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    with patch.dict("os.environ", job):
        seen = loadgate(
            "analyze", str(run.root), "--thresholds", str(FIXTURES / "tiny_gate_thresholds.toml")
        )
    ET.fromstring(run.junit.read_bytes())
    ours = [line for line in seen.text.splitlines() if line.startswith(("::error ", "::warning "))]
    rest = "\n".join(line for line in seen.text.splitlines() if line not in ours)
    return _checked(
        Seen(seen.exit_code, rest, seen.verdict), run.report.read_text() + summary.read_text()
    )


def _label(folder: Path, text: str) -> Seen:
    """A metric's label; the series keeps its rows and the other service its values."""
    path = folder / "resources.csv"
    writer = SeriesWriter(path)
    writer.write([Sample(1.0, "cart-service", f"http_requests_total/{text}", 1.0)])
    writer.write([Sample(1.0, "payment-gateway", "up", 1.0)])
    writer.close()
    series = read_series(path)
    own = ("cart-service", csv_field(f"http_requests_total/{text}"))
    whole = series.damaged_lines == 0 and set(series.values) == {own, ("payment-gateway", "up")}
    return _checked(Seen(0, "" if whole else f"other rows: {sorted(series.values)}"), "")


def _option(_: Path, text: str) -> Seen:
    """The name of a profile that there is not."""
    return _checked(loadgate("run", text.replace("\0", "") + ".toml"), "")


def _checked(seen: Seen, report: str) -> Seen:
    wrong = [f"acts: {c!r}" for c in acts(seen.text + report)]
    wrong += [f"a command: {line}" for line in commands(seen.text + report)]
    if "<script" in report.replace("\\<script", ""):
        wrong.append("raw HTML in the report")
    if wrong or seen.text.startswith("other rows"):
        return Seen(seen.exit_code, "\n".join([*wrong, seen.text]), seen.verdict)
    return Seen(seen.exit_code, f"{NOTHING_ACTS}\n{seen.text}", seen.verdict)


PLACES: dict[str, tuple[Callable[[Path, str], Seen], int | None]] = {
    "body": (_body, None),
    "branch name": (_branch, None),
    "label": (_label, 0),
    "file name": (_option, 2),
}


def _rows() -> Iterator[Fault]:
    for place, (show, code) in PLACES.items():
        for name, text in ATTACKS.items():
            yield Fault(
                f"{name} in a {place}", 14, f"the {place} is that",
                do=partial(show, text=text), exit_code=code, says=f"^{NOTHING_ACTS}",
                fast=place in INSTANT, limit_s=30,
            )  # fmt: skip


ROWS = tuple(_rows())
