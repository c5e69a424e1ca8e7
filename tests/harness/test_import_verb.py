"""``loadgate import``: results of another tool, judged as a run."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from typer.testing import CliRunner

from harness.cli import app
from recording.manifest import read_manifest
from tests.harness.foreign import files

RULES = """
[journey]
latency = ["p95 < 1000 ms"]
errors = ["error_rate < 20 %"]
[checkout-service]
latency = ["p50 < {limit} ms"]
memory = ["oom_killed == 0"]
[orders]
orders = ["lost == 0"]
"""
Import = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports a text with the rules above; exit code and verdict.json."""

    def run(text: str, *options: str, limit: int = 1000) -> tuple[int, dict[str, Any]]:
        (tmp_path / "results").write_text(text)
        (tmp_path / "rules.toml").write_text(RULES.format(limit=limit))
        where = ("--thresholds", str(tmp_path / "rules.toml"), "--runs", str(tmp_path / "runs"))
        words = ["import", str(tmp_path / "results"), *where, *options, "--json"]
        done = CliRunner().invoke(app, words)
        return done.exit_code, json.loads(done.stdout) if done.stdout else {}

    return run


def rule_of(verdict: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = [row for row in verdict["rules"] if row["rule"] == rule]
    return found


WRITERS: dict[str, Callable[[Sequence[files.Request]], str]] = {
    "k6": files.k6_csv,
    "jtl": lambda r: files.jtl(r, ("timeStamp", "elapsed", "label", "success")),
    "vegeta": files.vegeta_json,
}


@pytest.mark.parametrize("tool", WRITERS)
def test_what_holds_is_a_pass_and_what_does_not_is_a_fail(tool: str, imported: Import) -> None:
    """With the exit codes of a run; what the file cannot say is no data and spoils neither."""
    text = WRITERS[tool](files.traffic())
    names = ("--step", "GET /browse=browse") if tool == "vegeta" else ()
    code, verdict = imported(text, *names)
    assert (code, verdict["verdict"]) == (0, "PASS")
    for rule in ("oom_killed == 0", "lost == 0"):
        assert rule_of(verdict, rule)["outcome"] == "INCONCLUSIVE"
        assert rule_of(verdict, rule)["because"].startswith("no data")
    code, verdict = imported(text, *names, limit=10)
    assert (code, verdict["verdict"]) == (3, "FAIL")
    assert verdict["breaches"][0]["subject"] == "checkout-service/browse"


def test_the_recording_is_a_run_directory_that_says_where_it_comes_from(
    imported: Import, tmp_path: Path
) -> None:
    """And gives the same verdict again, and a report."""
    code, _ = imported(WRITERS["jtl"](files.traffic()), "--label", "shop=1.4.2")
    (run,) = (tmp_path / "runs").glob("*/")
    manifest = read_manifest(run / "manifest.json")
    assert manifest.source == "imported"
    assert manifest.labels == {"shop": "1.4.2"}
    assert manifest.origin is not None
    assert (manifest.origin.file, manifest.origin.format) == ("results", "JMeter JTL")
    assert "distortion" in manifest.origin.lacks
    before = (run / "verdict.json").read_bytes()
    again = ["--thresholds", str(tmp_path / "rules.toml")]
    assert CliRunner().invoke(app, ["analyze", str(run), *again]).exit_code == code
    assert (run / "verdict.json").read_bytes() == before
    assert manifest.origin.digest.sha256.encode() in (run / "report.html").read_bytes()
    assert b"elapsed, which has connecting" in (run / "report.html").read_bytes()
    told = CliRunner().invoke(app, ["report", str(run), "--post-mortem", *again]).stdout
    assert manifest.origin.digest.sha256 in told
    assert "think time" not in told
    (lacks,) = [c for c in json.loads(before)["checks"] if c["name"] == "what JMeter JTL lacks"]
    assert lacks["ok"]
    assert lacks["actual"] == "no data"


def test_from_and_to_measure_a_part(imported: Import) -> None:
    """To the second; the rest is excluded, and counted."""
    requests = files.traffic()
    _, verdict = imported(WRITERS["jtl"](requests), "--from", "5s", "--to", "15s")
    context = verdict["context"]
    began = requests[0].begin_us
    inside = [r for r in requests if 4 <= (r.begin_us - began) / 1e6 <= 16]
    assert context["measured_s"] == pytest.approx(10, abs=1)
    assert 0.7 * len(inside) < context["requests_measured"] <= len(inside)
    assert context["requests_measured"] + context["requests_excluded"] == len(requests)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "1h"), "nothing is measured, its requests last"),
        (("--from", "10s", "--to", "5s"), "--to must be later than --from"),
        (("--from", "soon"), "'soon' is not a duration"),
        (("--format", "k7"), "--format k7: no such format"),
        (("--unit", "h"), "--unit h: write one of ns, us, ms, s"),
        (("--step", "nobody=browse"), "has no request of this name"),
    ],
)
def test_an_option_that_cannot_be_is_an_error(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Exit code 2, a line, and no run directory."""
    from harness.cli import main

    (tmp_path / "results").write_text(WRITERS["jtl"](files.traffic(50)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["loadgate", "import", "results", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert not [*(tmp_path / "runs").glob("*/")]


@pytest.mark.parametrize("where", ["Tally.add", "Tally.intervals"])
def test_ctrl_c_leaves_nothing_half(
    where: str, imported: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is read as while it is written."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"harness.foreign.tally.{where}", stop)
    code, _ = imported(WRITERS["jtl"](files.traffic(50)))
    assert code == 130
    assert not [*(tmp_path / "runs").glob("*/")]


def test_a_log_that_knows_no_failures_decides_latency_only(tmp_path: Path) -> None:
    """Errors are no data, never zero; and a verdict on latency alone says that it is."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[journey]\nlatency = ["p50 < 10 ms"]\nerrors = ["error_rate < 1 %"]\n'
                     'availability = ["availability >= 99 %"]\n')  # fmt: skip
    log, values = tmp_path / "x.hlog", HdrHistogram(1, 3_600_000_000, 3)
    for value in range(1000, 3000):
        values.record_value(value)
    lines = (f"{s},1.0,3.0,{values.encode().decode()}\n" for s in range(1, 31))
    log.write_text(f"#[StartTime: {files.BEGAN_S}]\n{''.join(lines)}")
    words = ["import", str(log), "--thresholds", str(rules), "--runs", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, words)
    verdict = json.loads(done.stdout)
    assert (done.exit_code, verdict["verdict"]) == (0, "PASS")
    assert verdict["summary"].startswith("It works. This is no verdict on shipping")
    assert rule_of(verdict, "error_rate < 1 %")["actual"] is None
    assert rule_of(verdict, "availability >= 99 %")["outcome"] == "INCONCLUSIVE"
