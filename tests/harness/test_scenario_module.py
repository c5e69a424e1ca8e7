"""A scenario module of a shop's own: the one of docs/scenarios.md, with real Locust and sockets."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.generator.generator import free_port, plan_json
from harness.scene.own_file import as_elsewhere, with_own_file
from recording.errors import ConfigError
from recording.profile_file import load_profile
from tests.faults.party import party
from tests.harness.conftest import (
    FIXTURES,
    ROOT,
    StartRun,
    git,
    repeated_when_starved,
    wait_for,
)
from tests.harness.small_shop import small_shop

PAGE = (ROOT / "docs" / "scenarios.md").read_text().partition("## A locustfile")[0]
SHOP = ROOT / "tests" / "harness" / "scenario_shop.py"
KEY = "the-key-of-the-shop"
SHORT = (
    'load.phases.ramp-up.duration="500ms"',
    'load.phases.sustained.duration="5s"',
    'journey.session={min="300ms",max="500ms"}',
    'journey.think={min="10ms",max="30ms"}',
    "load.processes=2",
    'judge.required=["journey.errors"]',
    "validity.rate_tolerance=1.0",
)
USERS = ("load.phases.ramp-up.users=6", "load.phases.sustained.users=6")  # fmt: skip
LENIENT = (FIXTURES / "locustfiles" / "own.toml").read_text().partition("[validity]")[2]
ROWS = 12


def block(kind: str, name: str = "") -> str:
    """A block of the page, by its first line."""
    found: list[str] = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return next(text for text in found if text.startswith(name))


def adopted(folder: Path, url: str = "http://127.0.0.1:1") -> Path:
    """The profile of the page, with all that lies beside it."""
    (folder / "scenario.py").write_text(block("python", "# scenario.py"))
    (folder / "limits.toml").write_text(block("toml", "# limits.toml"))
    names = next(csv.reader([block("csv").splitlines()[0]]))
    users = [f"user{n}@shop.example" for n in range(ROWS)]
    rows = [",".join(names), *(f"{user},secret-of-{user}" for user in users)]
    (folder / "users.csv").write_text("\n".join(rows) + "\n")
    profile = block("toml", "# shop.toml").replace("http://127.0.0.1:8000", url)
    (folder / "shop.toml").write_text(f"{profile}\n[validity]{LENIENT}")
    return folder / "shop.toml"


@contextmanager
def shop(**environment: str) -> Iterator[str]:
    """Its base url."""
    port = free_port()
    words = [sys.executable, "-m", "uvicorn", "scenario_shop:app", "--port", str(port)]
    process = subprocess.Popen(
        [*words, "--log-level", "warning"], cwd=SHOP.parent, env={**os.environ, **environment}
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    try:
        wait_for(answers)
        yield url
    finally:
        process.terminate()
        process.wait()


def text_of(folder: Path) -> str:
    """Everything that is written below it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


@pytest.mark.live
@repeated_when_starved
def test_the_module_of_the_page_passes(
    start_run: StartRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps by name and in order, a log-in a session, no row twice at once, no secret anywhere."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    with shop() as url:
        profile = adopted(tmp_path, url)
        sets = [
            word for each in (*SHORT, *USERS, "scenario.shares.add=1.0") for word in ("--set", each)
        ]
        run = start_run(*sets, profile=profile, limits=tmp_path / "limits.toml")
        code = run.finish()
        seen = httpx.get(f"{url}/healthz", trust_env=False).json()
    said = run.process.stdout.read() if run.process.stdout else ""
    assert code == 0, said
    manifest = json.loads((run.root / "manifest.json").read_bytes())
    assert manifest["steps"] == ["log_in", "item", "add", "pay"]
    assert [s["subject"] for s in manifest["services"]] == ["web-shop"]
    assert manifest["profile"]["scenario"]["shares"] == {"add": 1.0}
    counts = {name: sum(found.values()) for name, found in outcomes(run.verdict()).items()}
    assert counts["add"] == pytest.approx(counts["item"], abs=6)
    assert 36 <= counts["log_in"] < counts["item"]
    assert seen["twice"] == []
    assert len({*seen["users"]}) == ROWS
    shown = (said, text_of(run.root))
    assert not [where for where in shown if KEY in where or "secret-of-" in where]


def outcomes(verdict: dict[str, Any]) -> dict[str, dict[str, int]]:
    """By step."""
    found: dict[str, dict[str, int]] = verdict["context"]["outcomes"]
    return found


@pytest.mark.live
@repeated_when_starved
def test_what_a_function_raises_fails_its_step_and_is_said(
    start_run: StartRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the open model too; what it holds of a secret is not shown, nor what the shop echoes."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    with shop() as url:
        profile = adopted(tmp_path, url)
        module = tmp_path / "scenario.py"
        broken = module.read_text().replace('visit.known["sku"]', "visit.known[KEY]")
        module.write_text(broken)
        users = (tmp_path / "users.csv").read_text().splitlines()
        users[5:5] = [f"{name}@shop.example,wrong" for name in ("eve", "mallory")]  # one a worker
        (tmp_path / "users.csv").write_text("\n".join(users) + "\n")
        text = profile.read_text().replace("users = 3", "arrivals_per_s = 6")
        profile.write_text(text.replace("[load]", '[load]\nmodel = "arrivals"\nmax_concurrent = 9'))
        sets = [word for each in SHORT for word in ("--set", each)]
        run = start_run(*sets, profile=profile, limits=tmp_path / "limits.toml")
        code = run.finish()
    assert code == 3, run.verdict()["summary"]
    found = outcomes(run.verdict())
    assert [*found["add"]] == ["scenario: KeyError: '[redacted]'"]
    assert found["item"].keys() == {"ok"}
    assert found["log_in"].keys() == {"ok", "http_4xx"}
    assert found["log_in"]["ok"] == pytest.approx(sum(found["item"].values()), abs=3)
    assert "not by [redacted]" in (run.root / "exemplars.jsonl").read_text()
    raised = [text for text in run.verdict()["findings"] if "of the scenario raised" in text]
    assert len(raised) == 1
    assert raised[0].startswith("add: ")
    assert KEY not in text_of(run.root)


@pytest.mark.live
def test_workers_elsewhere_play_the_module_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has rows of its own; no secret is written by the master, who never sees theirs."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    with shop() as url, party(tmp_path) as found:
        adopted(tmp_path, url)
        sets = [word for each in (*SHORT[:-3], *SHORT[-2:], *USERS) for word in ("--set", each)]
        found.master("shop.toml", *sets)
        for name in ("one", "two"):
            found.worker(name)
        over = found.over()
        seen = httpx.get(f"{url}/healthz", trust_env=False).json()
    assert over.exit_code == 0, over.text
    assert over.text.count("done: the run is over") == 2
    assert seen["twice"] == []
    assert len({*seen["users"]}) == ROWS
    assert KEY not in text_of(found.runs)


def plan_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What workers elsewhere are told of a run that is started there."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    folder.mkdir()
    adopted(folder)
    monkeypatch.chdir(folder)
    profile, _ = with_own_file(load_profile(Path("shop.toml")), workers=2)
    told = plan_json(profile, "token", {"shop": "http://127.0.0.1:1"}, None, 2, theirs=True)
    return dict(json.loads(told(None)))


def test_a_worker_plays_the_file_that_lies_at_the_same_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the folder where it was called; the shipped flow lies nowhere."""
    plan = plan_of(tmp_path / "here", monkeypatch)
    (there := tmp_path / "there").mkdir()
    adopted(there)
    monkeypatch.chdir(there)
    told = as_elsewhere(plan)
    assert told["profile"]["scenario"]["module"] == str(there / "scenario.py")
    assert told["folder"] == str(there)
    assert as_elsewhere({"profile": {}}) == {"profile": {}}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("scenario.py", None, r"^scenario\.py: no such file in .*there; start this worker where"),
        ("scenario.py", "SCENARIO = 1\n", r"scenario\.py in .* is another file than the master's"),
        (
            "users.csv",
            "email,password\n1,2\n",
            r"what scenario\.py reads here is not what it reads",
        ),
    ],
)
def test_a_worker_with_other_files_takes_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None, says: str
) -> None:
    """It would be another load."""
    plan = plan_of(tmp_path / "here", monkeypatch)
    (there := tmp_path / "there").mkdir()
    adopted(there)
    (there / name).unlink() if text is None else (there / name).write_text(text)
    monkeypatch.chdir(there)
    with pytest.raises(ConfigError, match=says):
        as_elsewhere(plan)


TINY = 'from loadgate_scenario import *\nS = Service("shop")\n'
MODULE = f'{TINY}SCENARIO = Scenario((S,), (Step("a", "GET", Request("/")),))\n'
REFUSED = {
    "absent.py: no such file": ("", 'module = "absent.py"', ""),
    "line 2: ZeroDivisionError": ("import csv\n1 / 0\n", "", ""),
    "has no SCENARIO": ("SCENARIO = 1\n", "", ""),
    "line 3: ABSENT_VARIABLE is not set": (f'{TINY}env("ABSENT_VARIABLE")\n', "", ""),
    "step 'journey'": (f'{TINY}Step("journey", "GET", Request())\n', "", ""),
    "name 'shop' is there twice": (
        f'{TINY}Scenario((S,), (Step("shop", "GET", Request()),))\n', "", "",
    ),
    "all take the first one": (
        f'{TINY}Scenario((S,), (Step("a", "GET", Request(), share=0.5),))\n', "", "",
    ),
    "absent.csv: cannot be read": (
        MODULE.replace("),))", "),), Users(data='absent.csv'))"), "", "",
    ),
    "target.urls: nobody says where shop of": (MODULE, "", "urls = {}"),
    "has no service 'shpo'; did you mean 'shop'?": (MODULE, "", 'urls.shpo = "http://127.0.0.1:1"'),
    "host 'shop.example' is not in": (MODULE, "", 'urls.shop = "http://shop.example"'),
    "[target.urls]": (MODULE, "", 'host = "http://127.0.0.1:1"'),
    "scenario.shares.ad: no step": (MODULE, "shares = { ad = 0.5 }", ""),
    "journey.funnel is of the shipped flow": (MODULE, "[journey]\nfunnel = { detail = 1 }", ""),
    "journey.products is of the shipped flow": (MODULE, "[journey]\nproducts = 3", ""),
    "leave out locustfile": (MODULE, 'locustfile = "own.py"', ""),
    "this is read from the module": (MODULE, "outline = { services = {}, steps = [] }", ""),
    "holds a live key": (f"{MODULE}K = 'sk_live_0123456789'\n", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_played_is_refused_before_anything_starts(why: str, tmp_path: Path) -> None:
    """By file, key or line, and what is wrong."""
    module, scenario, target = REFUSED[why]
    (tmp_path / "own.py").write_text(module)
    own = scenario if scenario.startswith("module") else f'module = "own.py"\n{scenario}'
    load = 'phases = [{ name = "p", duration = "1s", users = 1, measured = true }]'
    urls = target or 'urls.shop = "http://127.0.0.1:1"'
    (tmp_path / "own.toml").write_text(f"[target]\n{urls}\n[load]\n{load}\n[scenario]\n{own}\n")
    words = ["run", str(tmp_path / "own.toml"), "--runs", str(tmp_path / "runs")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError), done.output
    assert why in str(done.exception)
    assert not (tmp_path / "runs").exists()


def test_fewer_rows_than_users_are_said_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the module wants it."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    profile = adopted(tmp_path, "http://127.0.0.1:1")
    module = tmp_path / "scenario.py"
    module.write_text(module.read_text().replace('"users.csv",', '"users.csv", unique=True,'))
    words = ["run", str(profile), "--dry-run", "--set", f"load.phases.sustained.users={ROWS + 1}"]
    refused = str(CliRunner().invoke(app, words).exception)
    assert f"{ROWS} rows for {ROWS + 1} users, and are unique" in refused


def test_what_lies_beside_a_module_is_its_own(tmp_path: Path) -> None:
    """Packages that are called as ours are, too."""
    for name in ("recording", "locustfiles", "harness"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("WHOSE = 'theirs'\n")
    own = "import harness, locustfiles, recording\n"
    own += "assert recording.WHOSE == locustfiles.WHOSE == harness.WHOSE == 'theirs'\n"
    (tmp_path / "own.py").write_text(own + MODULE)
    done = subprocess.run(
        [sys.executable, "-m", "locustfiles.look", "--scenario", str(tmp_path / "own.py")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["outline"]["steps"][0]["name"] == "a"


def repository(folder: Path) -> Path:
    """The shop with its module in a repository of its own, as a gate finds it."""
    (folder / "loadgate").mkdir(parents=True)
    adopted(folder / "loadgate")
    gate = (FIXTURES / "tiny_gate.toml").read_text().split("[journey]")[0]
    gate = re.sub(r"\[services.*?(?=\n\[|\Z)", "", gate, flags=re.DOTALL)
    start = f"{sys.executable} -m uvicorn scenario_shop:app --log-level warning --port {{port}}"
    own = f'[scenario]\nmodule = "scenario.py"\n\n[arm]\nstart = "{start}"\n\n'
    journey = '[journey]\nthink = { min = "10ms", max = "40ms" }\n\n'
    (folder / "loadgate" / "gate.toml").write_text(
        f'{gate}\n{own}{journey}[judge]\nrequired = ["journey.errors"]\n[validity]{LENIENT}'
    )
    (folder / "scenario_shop.py").write_text(SHOP.read_text())
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a shop")
    return folder


def test_arms_at_urls_have_one_for_each_service(tmp_path: Path) -> None:
    """In a table of its own; one that the module has not is refused by name."""
    (tmp_path / "own.py").write_text(MODULE)
    gate = (FIXTURES / "tiny_gate.toml").read_text().split("[journey]")[0]
    (tmp_path / "gate.toml").write_text(f'{gate}\n[scenario]\nmodule = "own.py"\n')
    words = ["gate", "--profile", str(tmp_path / "gate.toml"), "--dry-run"]
    words += ["--base", f"url:{tmp_path}/base.toml", "--head", f"url:{tmp_path}/head.toml"]
    with small_shop() as base, small_shop() as head:
        (tmp_path / "base.toml").write_text(f'[urls]\nshop = "{base}"\n')
        (tmp_path / "head.toml").write_text(f'[urls]\nshop = "{head}"\n')
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.exception
        (tmp_path / "head.toml").write_text(f'[urls]\nshpo = "{head}"\n')
        refused = str(CliRunner().invoke(app, words).exception)
        assert "has no service 'shpo'; did you mean 'shop'?" in refused
        (tmp_path / "head.toml").write_text(f'host = "{head}"\n')
        refused = str(CliRunner().invoke(app, words).exception)
        assert "needs table [urls] with shop" in refused


def called(shop: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command, in the shop's repository."""
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words, "--thresholds", "loadgate/limits.toml"],
        cwd=shop, env={**os.environ, "PYTHONPATH": str(ROOT), "SHOP_KEY": KEY},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.live
@pytest.mark.long
def test_a_gate_of_two_revisions_names_the_step_that_is_slower(tmp_path: Path) -> None:
    """30 ms more for an item, of which no other step knows."""
    shop = repository(tmp_path / "shop")
    git(shop, "checkout", "--quiet", "-b", "slow")
    slow = SHOP.read_text().replace("sleep(SLOW_S)", "sleep(SLOW_S + 0.03)")
    (shop / "scenario_shop.py").write_text(slow)
    git(shop, "commit", "--quiet", "--all", "--message", "slow")
    done = called(shop, "gate", "--profile", "loadgate/gate.toml", "--json", "--seed", "1")
    verdict = json.loads(done.stdout)
    rows = {row["endpoint"]: row["verdict"] for row in verdict["rows"]}
    assert [*rows][:4] == ["log_in", "item", "add", "pay"], done.stderr
    failed = {step for step, said in rows.items() if said == "FAIL"}
    assert (done.returncode, failed - {"journey"}) == (3, {"item"}), rows


@pytest.mark.live
@pytest.mark.long
@pytest.mark.timeout(500)
def test_the_largest_load_of_a_module_is_found(tmp_path: Path) -> None:
    """In journeys/s: two items at once of 50 ms each are 40 a second at most."""
    shop = repository(tmp_path / "shop")
    text = SHOP.read_text().replace("    await asyncio.sleep(SLOW_S)", SCARCE)
    (shop / "scenario_shop.py").write_text(text.replace("numbers =", f"{LANES}\nnumbers ="))
    sets = ("--set", "scenario.shares.add=0.0", "--set", "load.max_concurrent=200")
    asked = ("--json", "--require", "25", "--within", "220")
    done = called(shop, "capacity", "loadgate/gate.toml", *asked, *sets)
    verdict = json.loads(done.stdout)
    assert done.returncode == 0, verdict["summary"]
    assert 25 < verdict["capacity"]["load"] < 45, verdict["summary"]


LANES = "lanes = asyncio.Semaphore(2)"
SCARCE = "    async with lanes:\n        await asyncio.sleep(0.05)"
"""What a shop has that serves two items at once."""
