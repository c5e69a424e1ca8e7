"""`loadgate init` in repositories of several kinds: what it finds, writes, leaves, and says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.limits.thresholds import load_thresholds
from harness.adopt.app import asked
from harness.adopt.modules import Module
from harness.scene.own_file import with_own_file
from harness.system.paths import find_profile, find_thresholds, profile_names
from recording.profile_file import load_profile
from tests.faults.in_process import Seen, loadgate
from tests.harness.adopt.shops import SHOP, example_in
from tests.harness.conftest import ROOT, git
from tests.harness.small_shop import small_shop

WRITTEN = ("loadgate/shop.toml", "loadgate/gate.toml", "loadgate/thresholds.toml",
           "loadgate/scenario.py", ".github/workflows/loadgate.yml",
           "loadgate/gitlab-ci.yml")  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example shop, which we are in."""
    shop = example_in(tmp_path)
    monkeypatch.chdir(shop)
    return shop


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it, which we are in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*words: str) -> dict[str, Any]:
    """What it found, wrote and noted."""
    seen = loadgate("init", *words, "--json")
    assert seen.exit_code == 0, seen.text
    found: dict[str, Any] = json.loads(seen.text)
    return found


def values(found: dict[str, Any]) -> dict[str, str]:
    return {row["what"]: row["value"] for row in found["found"]}


def texts(folder: Path) -> dict[str, str]:
    """Of every file that is no git's."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git/" not in str(path))
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_the_example_shops_own_tests_pass() -> None:
    """It is what newcomers read and copy."""
    words = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(SHOP)]
    words += ["-p", "no:cacheprovider", str(SHOP)]
    done = subprocess.run(words, cwd=SHOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_everything_about_the_example_shop_is_found(shop: Path) -> None:
    """Start, installation, health, steps and pool; what is written can be loaded."""
    found = told()
    assert values(found) == {
        "start": ".venv/bin/python -m uvicorn shop.app:app --port {port}",
        "install": found["found"][1]["value"],
        "ready": "/health",
        "steps": "/catalog, /catalog/{sku}, /basket",
        "metrics": "/metrics (hikaricp, process)",
    }
    assert tuple(each["path"] for each in found["files"]) == WRITTEN
    assert "no step: GET /orders: it wants authorization" in found["notes"]
    profile, gate = (load_profile(shop / path) for path in WRITTEN[:2])
    assert profile.judge.required == ("journey.latency", "journey.errors", "process", "pool")
    assert gate.gate is not None
    assert load_thresholds(shop / WRITTEN[2]).regression is not None
    played, notes = with_own_file(profile)
    assert (played.flow.order, notes) == (("catalog", "catalog_sku", "basket"), ())
    assert "shop.db" not in texts(shop)


def test_nothing_is_written_twice_and_nothing_by_a_dry_run(shop: Path) -> None:
    """But by --force; a dry run shows the texts of what it would write."""
    before = texts(shop)
    dry = loadgate("init", "--dry-run")
    assert texts(shop) == before
    assert loadgate("init").exit_code == 0
    made = texts(shop)
    assert set(made) - set(before) == set(WRITTEN)
    assert all(made[path] in dry.text for path in WRITTEN)
    (shop / WRITTEN[0]).write_text("# mine\n")
    assert "left as it is" in loadgate("init").text
    assert (shop / WRITTEN[0]).read_text() == "# mine\n"
    assert told("--force")["files"][0]["is"] == "overwritten"
    assert texts(shop) == made


def test_an_own_locustfile_is_taken(shop: Path) -> None:
    """Relative to the profile; no other one is written."""
    (shop / "load").mkdir()
    own = ROOT / "tests" / "fixtures" / "locustfiles" / "quickstart.py"
    shutil.copy(own, shop / "load" / "locustfile.py")
    found = told()
    assert values(found)["users"] == "load/locustfile.py"
    assert not (shop / "loadgate" / "scenario.py").exists()
    profile = load_profile(shop / "loadgate" / "shop.toml")
    assert with_own_file(profile) == (profile, ())


def test_nothing_found_leaves_places_that_a_run_refuses_by_name(empty: Path) -> None:
    """File and line; filled in, the next one."""
    found = told()
    assert found["found"] == []
    (first,) = (line for line in found["next"] if line.startswith("fill in"))
    place, users = re.findall(r"loadgate/\w+\.(?:toml|py):\d+", first)[0::2]
    seen = loadgate("run")
    assert (seen.exit_code, f"{place}: arm.start = ''" in seen.text) == (2, True), seen.text
    profile = empty / "loadgate" / "shop.toml"
    profile.write_text(profile.read_text().replace('start = ""', 'start = "sleep {port}"'))
    seen = loadgate("run")
    assert (seen.exit_code, "scenario.py: cannot be loaded" in seen.text) == (2, True), seen.text
    assert users.startswith("loadgate/scenario.py:")
    assert not (empty / "runs").exists()


def test_without_a_profile_run_points_here(empty: Path) -> None:
    """A newcomer's first word."""
    seen = loadgate("run")
    assert (seen.exit_code, "loadgate init" in seen.text) == (2, True)


def test_a_shop_that_runs_is_loaded_where_it_is(empty: Path) -> None:
    """At its url, without a gate: nothing here says how two revisions would be started."""
    (empty / "openapi.yaml").write_text("paths: { /hello: { get: {} }, /buy: { post: {} } }\n")
    with small_shop() as url:
        found = told("--url", url)
        assert load_profile(empty / "loadgate" / "shop.toml").target.urls == {"shop": url}
    assert values(found) == {"shop": url, "steps": "/hello"}
    assert [each["path"] for each in found["files"]] == [*WRITTEN[:1], *WRITTEN[2:4]]
    assert any(note.startswith("no gate") for note in found["notes"])


REFUSED = {
    "--url ftp://x": "--url ftp://x: not an http:// or https:// url",
    "--url http://127.0.0.1:9": "is the shop up?",
    "--openapi none.yaml": "none.yaml: no such file",
    "--openapi wrong.yaml": "--openapi wrong.yaml: no OpenAPI document",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_was_named_and_cannot_be_read_is_refused(words: str, empty: Path) -> None:
    """Exit 2, and nothing is written."""
    (empty / "wrong.yaml").write_text("- 1\n")
    seen: Seen = loadgate("init", *words.split())
    assert (seen.exit_code, REFUSED[words] in seen.text) == (2, True), seen.text
    assert [*texts(empty)] == ["wrong.yaml"]


def test_a_folder_of_a_repository_is_started_there_and_has_no_ci(shop: Path) -> None:
    """Commands of `[arm]` run at the repository's top, and CI looks for its files there."""
    above = shop.parent / "above"
    (above / "services").mkdir(parents=True)
    git(above, "init", "--quiet")
    shutil.rmtree(shop / ".git")
    moved = shutil.move(shop, above / "services" / "shop")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(moved)
        found = told()
    assert [each["path"] for each in found["files"]] == [*WRITTEN[:4]]
    arm = load_profile(Path(moved) / WRITTEN[0]).arm
    assert arm is not None
    assert arm.folder == "services/shop"


@pytest.mark.parametrize(
    ("remote", "only"), [("git@github.com:a/b", "github"), ("https://gitlab.com/a/b", "gitlab")]
)
def test_the_remote_says_whose_ci_there_is(remote: str, only: str, shop: Path) -> None:
    """Of any other one both are written."""
    git(shop, "remote", "add", "origin", remote)
    files = [each["path"] for each in told("--dry-run")["files"]]
    assert [path for path in files if path.endswith(".yml")] == [p for p in WRITTEN if only in p]


def test_workflows_are_pinned_and_may_only_read(shop: Path) -> None:
    """By the same commits as our own; GitLab's is one job; both are YAML."""
    told()
    text = (shop / ".github" / "workflows" / "loadgate.yml").read_text()
    ours = (ROOT / ".github" / "workflows" / "gate.yml").read_text()
    used = set(re.findall(r"uses: *(\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$", text, re.MULTILINE))
    assert len(used) == text.count("uses:") == 3
    assert all(use in ours for use in used)
    job = yaml.safe_load(text)
    assert job["permissions"] == {}
    assert job["jobs"]["gate"]["permissions"] == {"contents": "read"}
    lab = yaml.safe_load((shop / "loadgate" / "gitlab-ci.yml").read_text())
    assert all(isinstance(line, str) for line in lab["loadgate"]["script"])


def test_what_git_would_take_for_changes_is_said(shop: Path) -> None:
    """Else the first run would make a gate of words one of code."""
    assert not any(".gitignore" in note for note in told("--dry-run")["notes"])
    (shop / ".gitignore").unlink()
    assert ".gitignore: add .venv/" in " ".join(told("--dry-run")["notes"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import no_such_module\napp = FastAPI()\n", "No module named 'no_such_module'"),
        ("import sys\nsys.exit(3)\n", "shop:app cannot be imported"),
        ("app = None\n", "has no attribute 'routes'"),
    ],
)
def test_an_application_that_cannot_be_asked_is_said(
    text: str, problem: str, tmp_path: Path
) -> None:
    """By whatever ended it."""
    (tmp_path / "shop.py").write_text(text)
    answers = asked(Module("shop", "app", "", "shop.py"), tmp_path, ("/metrics",))
    assert problem in answers.problem
    assert not answers.openapi


def test_a_published_port_that_two_arms_would_share_is_said(empty: Path) -> None:
    """And which line makes a gate possible."""
    (empty / "compose.yaml").write_text('services: { web: { build: ., ports: ["8000:80"] } }\n')
    found = told()
    assert any('"${SHOP_PORT:-8000}:…"' in note for note in found["notes"])
    arm = load_profile(empty / "loadgate" / "shop.toml").arm
    assert arm is not None
    assert arm.urls["shop"] == "http://127.0.0.1:8000"
    assert arm.stop == "docker compose down --volumes"


def test_what_a_shop_keeps_for_us_comes_first(empty: Path) -> None:
    """Its limits before some others of that name; they are no profile."""
    (empty / "loadgate").mkdir()
    (empty / "thresholds.toml").write_text("[not_ours]\n")
    assert find_thresholds(None) == Path("thresholds.toml")
    told()
    assert find_thresholds(None) == Path("loadgate/thresholds.toml")
    assert find_profile("gate") == Path("loadgate/gate.toml")
    assert "shop" in profile_names()
    assert "thresholds" not in profile_names()
