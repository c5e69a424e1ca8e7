"""analysis/limits/guard.py: what [guard] may say, and what each mistake is told."""

import pytest

from analysis.limits.guard import Guards, parse_guard
from analysis.limits.thresholds import parse_thresholds
from analysis.metrics.catalogue import METRICS
from recording.errors import ConfigError
from recording.flow import FLOW

ONE_RULE = '[journey]\nlatency = ["p99 < 1000 ms"]\n[guard]\n'


def read(more: str) -> Guards:
    """[guard] of a file."""
    return parse_thresholds(ONE_RULE + more).guards


def test_a_file_without_it_guards_nothing_and_has_the_defaults() -> None:
    """So does an empty section."""
    without = parse_thresholds(ONE_RULE.replace("[guard]\n", "")).guards
    assert without == read("") == Guards()
    assert not without.every


def test_every_part_of_it_is_read() -> None:
    """Of every service, and of one; settings with their units."""
    guards = read(
        'warn = ["p99 < 2 s over 1m"]\npause = ["oom_killed == 0"]\ngrace = "5s"\n'
        'min_samples = 7\npause_limit = "2m"\nstop_when_invalid = true\n'
        '[guard.cart-service]\nabort = ["peak_rss < 1 GB over 10 s"]\n'
    )
    said = [(g.action, g.subject, str(g), g.over_s, g.waits) for g in guards.every]
    assert said == [
        ("warn", "", "p99 < 2 s over 1m", 60.0, False),
        ("pause", "", "oom_killed == 0", 30.0, True),
        ("abort", "cart-service", "peak_rss < 1 GB over 10s", 10.0, False),
    ]
    settings = guards.grace_s, guards.min_samples, guards.pause_limit_s, guards.stop_when_invalid
    assert settings == (5.0, 7, 120.0, True)


OWN = '[steps."GET /health"]\n[services.shop]\nerrors = ["error_rate < 1 %"]\n'


def test_what_only_a_shop_knows_is_watched_once_it_has_a_section() -> None:
    """A step as our steps, a service as our services."""
    guards = read(
        '[guard."GET /health"]\nwarn = ["p99 < 50 ms"]\n'
        '[guard.shop]\nabort = ["peak_rss < 1 GB over 10 s"]\n' + OWN
    )
    assert [guard.subject for guard in guards.every] == ["GET /health", "shop"]
    turned = parse_thresholds(
        OWN
        + '[guard."GET /health"]\nwarn = ["p99 < 50 ms"]\n[guard.shop]\nabort = ["restarts == 0"]'
    )
    assert [guard.subject for guard in turned.guards.every] == ["GET /health", "shop"]
    with pytest.raises(ConfigError, match=r"health\.warn: GET /health has no peak_rss"):
        read('[guard."GET /health"]\nwarn = ["peak_rss < 1 GB"]\n' + OWN)
    with pytest.raises(ConfigError, match=r"unknown key 'shop'.*needs a section"):
        read('[guard.shop]\nwarn = ["p99 < 1 s"]\n')


def test_it_watches_whoever_has_the_metric() -> None:
    """Users never call the lock service: it has no latency, and counts its own errors."""
    assert "inventory-lock-service" not in parse_guard("p99 < 1 s", "warn").subjects(FLOW)
    assert parse_guard("error_rate < 1 %", "warn").subjects(FLOW) == FLOW.subjects
    assert parse_guard("p99 < 1 s", "warn", "charge").subjects(FLOW) == ("charge",)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if not metric.live])
def test_what_takes_a_whole_run_cannot_be_watched(name: str) -> None:
    """And the message says what can."""
    unit = {"MB/h": " MB/h", "h": " h"}.get(METRICS[name].unit, "")
    with pytest.raises(ConfigError, match=f"{name} takes a whole run.*allowed: p50"):
        parse_guard(f"{name} <= 1{unit} over 30s", "warn")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('warn = ["p99 < 2000 ms over soon"]', ":4: guard.warn: 'soon' is not a duration"),
        ('warn = ["p99 < 2000 ms over 2h"]', "over 2h: allowed is 1s to 10m"),
        ('warn = ["p98 < 2000 ms over 5s"]', "unknown metric 'p98'; did you mean"),
        ("warn = [7]", "7 is not text"),
        ('warn = "p99 < 2 s"', "must be a list of rules"),
        ('[guard.inventory-lock-service]\nwarn = ["p99 < 1 s"]', "has no p99"),
        ('[guard.orders]\nwarn = ["lost == 0"]', ":4: guard.orders: unknown key 'orders'"),
        ("cart-service = 3", "must be a section [guard.cart-service]"),
        ('[guard.cart-service]\ngrace = "5s"', "guard.cart-service.grace: unknown key 'grace'"),
        ('graze = "5s"', "did you mean 'grace'?"),
        ("grace = 5", "must be a duration in quotes"),
        ('pause_limit = "5 parsecs"', "guard.pause_limit: '5 parsecs' is not a duration"),
        ("min_samples = 0", "must be a whole number above 0"),
        ('stop_when_invalid = "yes"', "must be true or false"),
    ],
)
def test_every_mistake_is_named_with_what_is_allowed(text: str, said: str) -> None:
    """File, line and key stand before it."""
    with pytest.raises(ConfigError) as error:
        read(text)
    assert said in str(error.value)
    assert "thresholds.toml:" in str(error.value)
