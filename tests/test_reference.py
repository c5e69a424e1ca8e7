"""docs/reference/ and the schemas are what the code says, and the shipped files keep to them."""

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from analysis.metrics.catalogue import METRICS
from analysis.metrics.meanings import MEANING
from harness.cli import app
from harness.manual.schemas import SCHEMAS
from harness.write_reference import FOLDER, reference
from recording.profile import Profile
from tests.faults.in_process import loadgate

ROOT = Path(__file__).parents[1]
PROFILES = sorted((ROOT / "profiles").glob("*.toml"))
SHIPPED = [*((path, "profile") for path in PROFILES), (ROOT / "thresholds.toml", "thresholds")]
MADE = reference()


def test_the_reference_is_what_the_code_says() -> None:
    """`make reference` would change nothing, and nothing else lies there."""
    there = {path.name: path.read_text() for path in FOLDER.iterdir()}
    others = {name: there[name] for name in there.keys() - MADE.keys()}
    assert {**MADE, **others} == there
    assert all("make reference" not in text for text in others.values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_verb_prints_the_kept_schema(name: str) -> None:
    """What editors read is what `loadgate schema` says, and it is a schema."""
    done = CliRunner().invoke(app, ["schema", name])
    assert done.stdout == MADE[f"{name}.schema.json"]
    Draft202012Validator.check_schema(json.loads(done.stdout))


@pytest.mark.parametrize(("path", "name"), SHIPPED, ids=lambda it: getattr(it, "stem", it))
def test_shipped_files_keep_to_the_schema_they_name(path: Path, name: str) -> None:
    """Editors find it from where the file lies."""
    text = path.read_text()
    named = text.splitlines()[0].removeprefix("#:schema ")
    assert (path.parent / named).resolve() == FOLDER / f"{name}.schema.json"
    Draft202012Validator(SCHEMAS[name]()).validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "lod = 1",
        'load = { phases = [{ name = "a", duration = "2", users = 1 }] }',
        'load = { phases = [{ name = "a", duration = "2s", usrs = 1 }] }',
        "load = { phases = [] }",
        "journey.decline_share = 2",
        "services.cart.tls_s = 5",
        "services.cart.latency.browse.p99_ms = 5",
        "validity.distortion_p99 = 0.04",
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(text: str) -> None:
    """An editor marks it before anything runs."""
    assert not Draft202012Validator(SCHEMAS["profile"]()).is_valid(tomllib.loads(text))


@pytest.mark.parametrize(
    ("rules", "valid"),
    [('latency = ["p99 < 1 s"]', True), ('latency = ["p99<1000ms"]', True),
     ('latency = ["p98 < 1 s"]', False), ('latency = ["p99 < 1"]', False),
     ('memory = ["slope < 1 MB/h"]', False), ('latncy = ["p99 < 1 s"]', False)],
)  # fmt: skip
def test_the_schema_of_thresholds_knows_the_rules(rules: str, valid: bool) -> None:
    """Metric, operator, number and unit, by kind and subject."""
    table = tomllib.loads(f"[journey]\n{rules}")
    assert Draft202012Validator(SCHEMAS["thresholds"]()).is_valid(table) is valid


def test_every_key_has_a_text() -> None:
    """No field of a profile, and no setting of a mock, goes without."""
    for schema in (SCHEMAS["profile"](), *SCHEMAS["behaviour"]()["$defs"].values()):
        tables = [schema, *schema.get("$defs", {}).values()]
        keys = [(key, each) for table in tables for key, each in table["properties"].items()]
        assert [
            key for key, each in keys if not each.get("description") and "$ref" not in each
        ] == []
    assert len(Profile.model_fields) == len(SCHEMAS["profile"]()["properties"])


def test_every_metric_has_a_meaning() -> None:
    """And none is explained that there is not."""
    assert MEANING.keys() == METRICS.keys()


def test_a_dry_run_starts_nothing_and_says_all(tmp_path: Path) -> None:
    """Services, load, rate, time, processes, memory, descriptors, and which rules."""
    runs = tmp_path / "runs"
    seen = loadgate("run", "smoke", "--dry-run", "--json", "--runs", str(runs))
    found = json.loads(seen.text)
    assert seen.exit_code == 0
    assert not runs.exists()
    assert {"services", "load", "requests", "time", "processes", "memory", "descriptors"} <= (
        found["facts"].keys()
    )
    assert "about 432/s" in found["facts"]["requests"]
    assert "p99 < 1000 ms" in found["rules"]["journey"]
    assert any("it takes 3,000" in each["because"] for each in found["not_judged"])


def test_a_target_that_does_not_answer_is_refused() -> None:
    """As the run itself would refuse it."""
    urls = (f"--set=target.{name}=http://127.0.0.1:9" for name in ("checkout", "payment", "cart"))
    seen = loadgate("run", "smoke", "--dry-run", *urls)
    assert seen.exit_code == 2
    assert "does not answer" in seen.text


def test_a_dry_run_of_a_gate_resolves_its_arms(tmp_path: Path) -> None:
    """And says what is compared."""
    words = ("--base", ".", "--head", ".", "--allow-equal", "--runs", str(tmp_path / "runs"))
    seen = loadgate("gate", "--dry-run", "--json", *words)
    found = json.loads(seen.text)
    assert seen.exit_code == 0
    assert found["facts"]["rounds"].startswith("24 or 40")
    assert found["rules"]["charge"] == "p95, p99"
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_of_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """With what it lacks, exit code 2."""
    seen = loadgate(
        "run", "smoke", "--dry-run", "--set", "load.phases.sustained.users=9000000",
        "--runs", str(tmp_path / "runs"),
    )  # fmt: skip
    assert seen.exit_code == 2
    assert "short of memory" in seen.text.splitlines()[-1]
