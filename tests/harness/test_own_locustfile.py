"""Locustfiles of somebody's own under our recorder and judge, with real Locust and sockets."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from harness.cli import app
from recording.errors import ConfigError
from recording.hlog import LATENCY
from recording.rundir import RunDir
from tests.harness.conftest import FIXTURES, Run, StartRun, repeated_when_starved
from tests.harness.small_shop import small_shop
from tests.hlog_file import read_hlog

OWN = FIXTURES / "locustfiles"
LIMITS = OWN / "own_thresholds.toml"


def counted(run: Run) -> "Counter[tuple[str, str]]":
    """Requests by step and outcome."""
    found: Counter[tuple[str, str]] = Counter()
    for i in read_hlog(run.root / "latency.hlog").intervals:
        if i.tag.kind == LATENCY and i.tag.step != "generator":
            found[i.tag.step, i.tag.outcome] += i.histogram.n
    return found


def closing(run: Run) -> dict[str, Any]:
    return next(row for row in run.events() if row["event"] == "generator_ended")


@pytest.mark.live
@repeated_when_starved
def test_a_stock_locustfile_is_recorded_and_judged_by_name(start_run: StartRun) -> None:
    """Locust's quick start as it stands; a rule for one step fails it, a misspelt one is open."""
    with small_shop(takes_s=0.02) as url:
        run = start_run("--set", f"target.host={url}", profile=OWN / "own.toml", limits=LIMITS)
        code = run.finish()
    assert code == 0, run.verdict()["summary"]
    assert {step for step, _ in counted(run)} == {
        "GET /hello", "GET /world", "GET /item", "POST /login",
    }  # fmt: skip
    assert closing(run)["locust_requests"] == closing(run)["recorded"] > 50
    rows = {row["subject"] for row in run.verdict()["rules"]}
    assert rows == {"journey", "/item", "/*l*"}
    checks = {check["name"]: check for check in run.verdict()["checks"]}
    for unknown in ("distortion p99", "orders, retries"):
        assert (checks[unknown]["actual"], checks[unknown]["ok"]) == ("no data", True)
    slow = parse_thresholds('[steps."GET /item"]\nlatency = ["p50 < 10 ms", "p90 < 1 s"]\n')
    judged = judge(RunDir(run.root), slow)
    assert (judged.verdict, judged.breaches[0].subject) == ("FAIL", "GET /item")
    misspelt = parse_thresholds('[steps."/itme"]\nlatency = ["p50 < 1 s"]\n')
    judged = judge(RunDir(run.root), misspelt)
    assert judged.verdict == "INCONCLUSIVE"
    assert "no request was called so; there were: GET /hello" in judged.summary


@pytest.mark.live
@repeated_when_starved
def test_users_that_raise_on_good_answers_are_no_pass(start_run: StartRun) -> None:
    """A shop that answers with 200 and no order: nobody pays, and nothing that was asked failed."""
    with small_shop() as url:
        words = ("--set", f"target.host={url}", "--locustfile", str(OWN / "half_way.py"))
        run = start_run(*words, profile=OWN / "own.toml", limits=LIMITS)
        code = run.finish()
    assert {outcome for step, outcome in counted(run)} == {"ok"}
    assert closing(run)["raised"] > 50
    assert (code, run.verdict()["verdict"]) == (5, "INCONCLUSIVE")
    (why,) = [why for why in run.verdict()["inconclusive_reasons"] if "raised" in why]
    assert "that no failed requests explain, the last KeyError: 'order_id'" in why


@pytest.mark.live
@pytest.mark.long
@repeated_when_starved
def test_hostile_users_break_nothing_and_what_hangs_fails(start_run: StartRun) -> None:
    """Whatever names there are, Locust's counts are ours; packages beside the file are its own."""
    with small_shop() as url:
        words = ("--set", f"target.host={url}", "--locustfile", str(OWN / "hostile.py"))
        run = start_run(*words, profile=OWN / "own.toml", limits=LIMITS)
        code = run.finish()
    found, said = counted(run), closing(run)
    assert code == 3, run.verdict()["summary"]
    assert said["locust_requests"] == said["recorded"] - said["cut_off"]
    assert said["locust_failures"] == said["failed"]
    assert (said["errors"], said["cut_off"]) == (0, 0)
    assert {outcome for step, outcome in found if step == "GET /never"} == {"timeout"}
    assert {step: outcome for step, outcome in found if step.split()[-1] in (
        "caught", "forgiven", "/missing", "elsewhere", "good", "bad", "journey",
    )} == {
        "GET caught": "failed: too, slow?<b>", "GET forgiven": "ok", "GET /missing": "http_4xx",
        "GET elsewhere": "refused: not in target.allowed_hosts", "GRPC good": "ok",
        "GRPC bad": "failed: theirs", "GET journey": "ok",
    }  # fmt: skip
    steps = {step for step, _ in found}
    assert len([step for step in steps if step.startswith("GET xxx")]) == 2
    assert len(steps) == 12 + 4 + 1 + 2  # what nobody looked at Locust knows nothing of
    assert all(step.isprintable() and len(step) <= 60 for step in steps)
    assert "Own is left out" in (run.process.stdout.read() if run.process.stdout else "")


@pytest.mark.long
@pytest.mark.live
def test_a_gate_over_urls_names_the_step_that_is_slower(tmp_path: Path) -> None:
    """30 ms more for an item, of which no other step and no login knows."""
    limits = tmp_path / "limits.toml"
    limits.write_text((FIXTURES / "tiny_gate_thresholds.toml").read_text())
    with small_shop(takes_s=0.02) as base, small_shop(takes_s=0.05) as head:
        (tmp_path / "base.toml").write_text(f'host = "{base}"\n')
        (tmp_path / "head.toml").write_text(f'host = "{head}"\n')
        gate = (FIXTURES / "tiny_gate.toml").read_text().split("[journey]")[0]
        (tmp_path / "gate.toml").write_text(
            gate + (OWN / "own.toml").read_text().split("sured = true },\n]")[1]
        )
        words = ["gate", "--profile", str(tmp_path / "gate.toml"), "--runs", str(tmp_path / "runs")]
        words += ["--locustfile", str(OWN / "quickstart.py"), "--thresholds", str(limits), "--json"]
        arms = ["--base", f"url:{tmp_path}/base.toml", "--head", f"url:{tmp_path}/head.toml"]
        done = CliRunner().invoke(app, [*words, *arms])
    verdict = json.loads(done.stdout)
    rows = {row["endpoint"]: row["verdict"] for row in verdict["rows"]}
    assert (done.exit_code, rows["GET /item"], rows["GET /hello"]) == (3, "FAIL", "PASS"), rows


USER = "import locust\nclass A(locust.User):\n    abstract = False\n"
REFUSED = {
    "no such file": ("", {"locustfile": "absent.py"}),
    "line 2: ZeroDivisionError": ("import locust\n1 / 0\n", {}),
    "has no users": ("import locust\n", {}),
    "target.host is missing, the url that users of": (USER, {"host": ""}),
    "its users have http://a, http://b": (
        f"{USER}    host = 'http://a'\nclass B(A):\n    host = 'http://b'\n",
        {"host": ""},
    ),
    "host 'shop.example' is not in": (f"{USER}    host = 'http://shop.example'\n", {"host": ""}),
    'it needs load.model = "users"': ("", {"load": 'model = "arrivals"'}),
    "give host, or the urls": ("", {"more": 'checkout = "http://127.0.0.1:1"'}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_run_is_refused_before_anything_starts(why: str, tmp_path: Path) -> None:
    """By file, key or line, and what is wrong."""
    text, more = REFUSED[why]
    with small_shop() as url:
        (tmp_path / "own.py").write_text(text)
        profile = (OWN / "own.toml").read_text()
        profile = profile.replace("quickstart.py", more.get("locustfile", "own.py"))
        profile = profile.replace("processes = 1", more.get("load", "processes = 1"))
        profile = profile.replace("users = 6", "users = 6, arrivals_per_s = 1")
        host = more.get("host", url)
        profile += f'\n[target]\nhost = "{host}"\n' + more.get("more", "")
        (tmp_path / "own.toml").write_text(profile)
        words = ["run", str(tmp_path / "own.toml"), "--runs", str(tmp_path / "runs")]
        done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError)
    assert why in str(done.exception)
    assert not (tmp_path / "runs").exists()


def test_an_arm_of_mocks_is_refused() -> None:
    """The users of a locustfile do not ask the mocks."""
    words = ["gate", "--profile", str(FIXTURES / "tiny_gate.toml"), "--base", ".", "--mocks"]
    words += ["--locustfile", str(OWN / "quickstart.py")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError)
    assert "name what they ask with --base url:FILE" in str(done.exception)
