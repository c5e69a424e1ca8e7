"""``loadgate metrics check``: what is found, what is not, and what that leaves undecided."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli import app
from recording.errors import ConfigError, RefusedError
from tests.harness.shop_exporter import Exporter, exporter, hikari

PROFILE = """
[load]
phases = [{{ name = "all", duration = "1s", users = 1, measured = true }}]
[target]
checkout = "{url}"
payment = "{url}"
cart = "{url}"
[judge]
required = ["pool"]
[[metrics.sources]]
service = "checkout"
use = ["hikaricp", "process"]
page = "/actuator/prometheus"
"""
LIMITS = """
[checkout-service]
pool = ["exhausted_windows == 0", "acquire_wait_p99 < 50 ms"]
memory = ["peak_rss < 500 MB", "oom_killed == 0"]
"""


@pytest.fixture
def shop() -> Iterator[Exporter]:
    """A service with HikariCP's names."""
    with exporter(hikari()) as made:
        yield made


def checked(folder: Path, shop: Exporter, *more: str, text: str = "") -> Result:
    """The command on a profile of this shop."""
    (folder / "staging.toml").write_text(PROFILE.format(url=shop.url) + text)
    (folder / "limits.toml").write_text(LIMITS)
    words = ["metrics", "check", str(folder / "staging.toml"), "--thresholds"]
    return CliRunner().invoke(app, [*words, str(folder / "limits.toml"), *more])


def test_each_of_our_names_is_shown_with_theirs(tmp_path: Path, shop: Exporter) -> None:
    """With values in units, what is not found, and the rules that stay open for it."""
    done = checked(tmp_path, shop)
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "connection_pool_waiting HikariPool-1 hikaricp_connections_pending 0" in lines
    assert "process_resident_memory_bytes process_resident_memory_bytes 381.5 MB" in lines
    assert "connection_pool_acquire_seconds hikaricp_connections_acquire_seconds not found" in lines
    assert "acquire_wait_p99 < 50 ms no connection_pool_acquire_seconds_bucket needed" in lines
    assert "oom_killed == 0 no container_oom_events_total" in lines
    assert not any("exhausted_windows" in line for line in lines)
    assert shop.asked[0]["path"] == "/actuator/prometheus"


def test_programs_get_all_of_it(tmp_path: Path, shop: Exporter) -> None:
    """As JSON: values as they are, and the selector of what was not found."""
    done = checked(tmp_path, shop, "--json")
    first = json.loads(done.stdout)[0]
    assert first["subject"] == "checkout-service"
    found = {each["ours"]: each["value"] for each in first["found"]}
    assert found["process_resident_memory_bytes"] == 4.0e8
    assert "connection_pool_hold_seconds_count" in first["missing"]
    assert {each["rule"]: each["required"] for each in first["undecided"]} == {
        "acquire_wait_p99 < 50 ms": True,
        "oom_killed == 0": False,
    }


def test_two_series_on_one_name_are_an_error(tmp_path: Path, shop: Exporter) -> None:
    """Exit 2, and the table all the same."""
    shop.text = hikari() + 'hikaricp_connections_max{pool="HikariPool-1",shard="b"} 5\n'
    done = checked(tmp_path, shop)
    assert isinstance(done.exception, ConfigError)
    assert "hikaricp_connections_max" in str(done.exception)
    assert "part them by where = 'shard=\"\"'" in str(done.exception)
    assert "process_resident_memory_bytes" in done.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "gave no good page: "), ("", "none of its 14 rows is found at ")],
)
def test_a_source_that_gives_nothing_is_an_error(
    tmp_path: Path, shop: Exporter, text: str | None, says: str
) -> None:
    """It was named on purpose."""
    shop.text = text
    done = checked(tmp_path, shop)
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)


def test_only_allowed_hosts_are_asked(tmp_path: Path, shop: Exporter) -> None:
    """Of a Prometheus, and of a page elsewhere."""
    done = checked(tmp_path, shop, "--set", "metrics.prometheus=http://prometheus.example:9090")
    assert isinstance(done.exception, RefusedError)
    assert "prometheus.example" in str(done.exception)
    page = '[[metrics.sources]]\nservice = "cart"\nuse = ["redis"]\npage = "http://redis.example/m"'
    assert "redis.example" in str(checked(tmp_path, shop, text=page).exception)
    assert shop.asked == []


def test_the_pages_token_is_sent_and_shown_nowhere(
    tmp_path: Path, shop: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By environment variable, to pages that [metrics] names."""
    monkeypatch.setenv("LOADGATE_METRICS_TOKEN", "a-secret-of-16-characters")
    done = checked(tmp_path, shop)
    told = {each["path"]: each.get("Authorization") for each in shop.asked}
    assert told == {"/actuator/prometheus": "Bearer a-secret-of-16-characters", "/metrics": None}
    assert "a-secret" not in done.output


def test_services_that_the_run_starts_need_no_look() -> None:
    """They export our own names; there is nothing to ask yet."""
    done = CliRunner().invoke(app, ["metrics", "check", "smoke"])
    assert isinstance(done.exception, ConfigError)
    assert "neither [target] nor [metrics]" in str(done.exception)


def test_a_gate_takes_no_sources(tmp_path: Path) -> None:
    """Which of two arms they would be of, nobody could say."""
    gate = tmp_path / "gate.toml"
    shipped = Path(__file__).parents[2] / "profiles" / "gate.toml"
    source = '[[metrics.sources]]\nservice = "cart"\npage = "/metrics"\nuse = ["process"]\n'
    gate.write_text(shipped.read_text() + source)
    words = ["gate", "--profile", str(gate), "--mocks", "--base", ".", "--dry-run"]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError)
    assert "a gate reads /metrics of each arm" in str(done.exception)


def test_ready_mappings_are_listed() -> None:
    """By the name that ``use`` takes."""
    done = CliRunner().invoke(app, ["metrics", "mappings"])
    assert "hikaricp" in done.stdout
    assert "kube-state-metrics" in done.stdout
