"""What differs between two runs of one profile: whatever they were set up with, but for draws."""

from collections.abc import Iterator, Mapping

from analysis.report.appendix import flat
from analysis.report.document import Block, Lines, Row, Table, texts
from analysis.words.values import JudgedBy
from recording.durations import FOR_PEOPLE
from recording.labels import as_text
from recording.manifest import Manifest
from recording.text import plain

TITLE = "What differs from the last run"
_SEED = "seed"
_OF_THE_MOMENT = ("load_average",)
"""Of the host."""
_MISSING = "—"


def differences(
    now: Manifest, last: Manifest, judged_by: JudgedBy, last_by: JudgedBy | None
) -> Block:
    """Key by key, for a page. ``last_by``: by what the last one was judged; None where unknown."""
    ours, theirs = dict(_facts(now)), dict(_facts(last))
    if last_by is not None:
        ours["thresholds"], theirs["thresholds"] = _limits(judged_by), _limits(last_by)
    keys = [key for key in dict.fromkeys((*ours, *theirs)) if ours.get(key) != theirs.get(key)]
    if not keys:
        same = f"nothing but what was drawn: {plain(last.run_id)} was set up alike"
        return Lines((same,), TITLE, only="page")
    rows = (Row((key, theirs.get(key, _MISSING), ours.get(key, _MISSING))) for key in keys)
    columns = tuple(texts("key", f"then: {plain(last.run_id)}", "now"))
    return Table(columns, tuple(rows), TITLE, only="page")


def _facts(of: Manifest) -> Iterator[tuple[str, str]]:
    yield "revision", plain(str(of.git.get("revision"))) + " (changed)" * bool(of.git.get("dirty"))
    yield "labels", plain(as_text(of.labels)) or _MISSING
    yield "workers", str(of.workers)
    for name, version in of.versions.items():
        yield f"version of {plain(name)}", plain(version)
    yield from flat({k: v for k, v in of.host.items() if k not in _OF_THE_MOMENT}, "host")
    for key, value in flat(of.profile.model_dump(mode="json", context=FOR_PEOPLE)):
        if key.rpartition(".")[2] != _SEED:
            yield key, value


def _limits(by: JudgedBy) -> str:
    return plain(f"{by.source} ({by.sha256[:12]})")


def judged_by_of(verdict: Mapping[str, object]) -> JudgedBy | None:
    """What a stored verdict.json says; None where it does not."""
    said = verdict.get("thresholds")
    if not isinstance(said, Mapping):
        return None
    return JudgedBy(str(said.get("source", "")), str(said.get("sha256", "")))
