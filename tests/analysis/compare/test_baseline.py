"""What is kept of a run, and the folder it is kept in."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from analysis.compare.baseline import Baseline, baseline_of, digest, load_of
from analysis.compare.baseline_store import read_baselines, store_baseline
from analysis.limits.thresholds import parse_thresholds
from recording.errors import ConfigError, RunFailedError, StorageError
from recording.histogram import Histogram
from recording.hlog import HistogramLogWriter, Interval, Tag
from recording.manifest import Searched, read_manifest, write_manifest
from recording.profile import Profile
from recording.rundir import RunDir
from tests.analysis.compare.baselines import made
from tests.analysis.recordings import LOAD, Recording

LIMITS = parse_thresholds('[journey]\nlatency = ["p99 < 1 s"]\n')
HOST = {"system": "Linux", "machine": "x86_64", "kernel": "6.1", "cpu": "Xeon", "cores": 2}


def recorded(root: Path, spoilt: Recording | None = None, **manifest: Any) -> RunDir:
    """A recording of a known host."""
    run = (spoilt or Recording()).write(root)
    facts = {"host": HOST | {"memory_bytes": 8e9}, "run_id": root.name} | manifest
    write_manifest(run.manifest, read_manifest(run.manifest).model_copy(update=facts))
    return run


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    """What is kept of a healthy run whose charge is slow."""
    run = Recording(latency_ms={"charge": 300})
    git = {"revision": "abc", "dirty": True}
    return baseline_of(recorded(tmp_path_factory.mktemp("kept") / "r", run, git=git), LIMITS, ())


def test_a_recording_is_kept_with_value_interval_and_n(kept: Baseline) -> None:
    """Per step and percentile: what the verdict of the run shows too."""
    p99 = kept.figure("charge", "p99")
    assert p99 is not None
    assert p99.value == pytest.approx(330, rel=0.005)
    assert p99.n == 429
    assert p99.ci_low is not None
    assert kept.subjects[-1] == "journey"


def test_high_water_marks_are_kept(kept: Baseline) -> None:
    """Pools' and memory's peaks stand beside the latencies."""
    pool = kept.figure("payment-gateway", "utilization")
    memory = kept.figure("cart-service", "peak_rss")
    assert pool is not None
    assert memory is not None
    assert (pool.value, memory.unit) == (20.0, "MB")


def test_host_load_and_revision_are_kept(kept: Baseline) -> None:
    """What decides later whether a run may be compared with this one."""
    assert kept.host_class == "xeon-2c-8gb-linux6"
    assert kept.digest == digest(kept.load)
    assert (kept.revision, kept.dirty) == ("abc", True)


def test_what_a_recording_lacks_goes_with_it_and_is_not_stored(tmp_path: Path) -> None:
    """A worker that never sent its last report had requests under way."""
    run = recorded(tmp_path / "r", Recording(closing={"unfinished": ["worker-01"]}))
    kept = baseline_of(run, LIMITS, ())
    assert "worker-01 never sent its last report" in kept.doubts[0]
    assert b"never sent" not in kept.to_json()


def test_an_invalid_run_is_refused(tmp_path: Path) -> None:
    """A run that is no evidence is none here either, and the message says why."""
    run = recorded(tmp_path / "r", Recording(users=20.0))
    with pytest.raises(RunFailedError, match="INVALID, no evidence to compare: users"):
        baseline_of(run, LIMITS, ())


def test_a_run_that_nothing_can_be_made_of_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a reader trips over is a spoilt recording, as before the judge."""

    def trips(_run: RunDir) -> NoReturn:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("analysis.compare.baseline.load_evidence", trips)
    with pytest.raises(RunFailedError, match="no evidence to compare: cannot be judged: ZeroDiv"):
        baseline_of(RunDir(tmp_path), LIMITS, ())


def test_a_paired_run_is_refused(tmp_path: Path) -> None:
    """Both arms of a gate's recording must not be added up."""
    run = recorded(tmp_path / "r")
    run.latency.unlink()
    with HistogramLogWriter(run.latency, 0.0) as log:
        slow = Histogram.from_values([1000.0])
        log.write(Interval(Tag("browse", "ok", arm), 20.0, 1.0, slow) for arm in ("base", "head"))
    with pytest.raises(ConfigError, match=r"a paired run \(arms base, head\)"):
        baseline_of(run, LIMITS, ())


def test_a_search_is_refused(tmp_path: Path) -> None:
    """It is of many loads, or of many values of a setting, and none of them is a run."""
    run = recorded(tmp_path / "r", search=Searched(kind="capacity", asked={}))
    with pytest.raises(ConfigError, match="a search, of many loads"):
        baseline_of(run, LIMITS, ())


@pytest.mark.parametrize(
    "changed",
    [{"name": "other"}, {"seed": 7}, {"services": {"cart": {"ttl_s": 5}}}, {"description": "x"}],
)
def test_what_does_not_shape_the_load_keeps_the_digest(changed: dict[str, Any]) -> None:
    """A name, a seed, or the service under test may change between comparable runs."""
    profile = Profile(name="made", load=LOAD)
    assert digest(load_of(profile.model_copy(update=changed))) == digest(load_of(profile))


def test_more_users_are_another_load() -> None:
    """The digest tells loads apart."""
    profile = Profile(name="made", load=LOAD)
    phases = tuple(phase.model_copy(update={"users": 101}) for phase in LOAD.phases)
    other = profile.model_copy(update={"load": LOAD.model_copy(update={"phases": phases})})
    assert digest(load_of(other)) != digest(load_of(profile))


def test_no_key_of_the_payment_sandbox_is_kept() -> None:
    """Baselines may be committed."""
    assert "key" not in str(load_of(Profile(name="made", load=LOAD))["target"])


def test_a_stored_baseline_comes_back_as_it_was(tmp_path: Path) -> None:
    """The folder holds one file per run, named by it."""
    store_baseline(tmp_path / "b", made("r1"))
    assert (tmp_path / "b" / "r1.json").exists()
    assert read_baselines(tmp_path / "b") == [made("r1")]


def test_keys_of_a_profile_that_come_and_go_leave_a_load_what_it_is(
    kept: Baseline, tmp_path: Path
) -> None:
    """A baseline from before a key was added, or removed, is of the same load as today's."""
    assert kept.digest == digest(kept.load)
    load = {key: value for key, value in kept.load["load"].items() if key != "preconnect"}
    journey = {**kept.load["journey"], "wish": 0.5}
    before = {**kept.load, "load": load, "journey": journey, "mood": "calm"}
    del before["sampling"]
    older = kept.model_copy(update={"load": before, "digest": digest(before)})
    assert older.digest != kept.digest
    store_baseline(tmp_path, older)
    assert read_baselines(tmp_path) == [kept]


def test_storing_a_run_again_replaces_it(tmp_path: Path) -> None:
    """The same run never counts twice."""
    for factor in (1.0, 1.1):
        store_baseline(tmp_path, made("r1", factor))
    assert read_baselines(tmp_path) == [made("r1", 1.1)]


@pytest.mark.parametrize("run_id", ["../r1", "/tmp/r1", "a/b", "..", "", ".", "a\nb", "x" * 300])
def test_a_run_id_that_is_no_file_name_is_refused(tmp_path: Path, run_id: str) -> None:
    """A manifest that came from elsewhere names no file outside the folder."""
    with pytest.raises(StorageError, match="no file's name"):
        store_baseline(tmp_path / "b", made(run_id))
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "r1.json: not valid JSON"), ('{"run_id": "r1", "prfile": ""}', "unknown key 'prfile'")],
)
def test_a_spoilt_baseline_is_an_error_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    """It must not just be missing from the verdict."""
    (tmp_path / "r1.json").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_baselines(tmp_path)


def test_no_folder_holds_no_baselines(tmp_path: Path) -> None:
    """The first call of all is not an error."""
    found: list[Baseline] = read_baselines(tmp_path / "none")
    assert found == []


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """It is not one without baselines."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        read_baselines(tmp_path / "file")


def test_what_a_service_drew_is_not_how_it_was_told_to_behave() -> None:
    """Runs with seeds of their own have the same [services]; those kept before had them in."""
    told = {"cart": {"ttl_s": 5, "seed": 1}, "payment": {"seed": 2}}
    assert made("r", services=told).services == {"cart": {"ttl_s": 5}}


def test_the_seeds_of_a_run_are_kept(tmp_path: Path) -> None:
    """Two baselines that drew the same are one draw, and can be told."""
    run = recorded(tmp_path / "r")
    manifest = read_manifest(run.manifest)
    drew = {"seed": 7, "services": {"inventory-lock": {"seed": 8}}}
    profile = manifest.profile.model_copy(update=drew)
    write_manifest(run.manifest, manifest.model_copy(update={"profile": profile}))
    found = baseline_of(run, LIMITS, ())
    assert (found.seeds, found.services) == ({"load": 7, "inventory_lock": 8}, {})
