import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.limits.rules import Rule, parse_rule
from analysis.metrics.catalogue import METRICS
from recording.errors import ConfigError

OPERATORS = ("<", "<=", ">", ">=", "==")


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_rule(text)
    return str(caught.value)


def test_a_rule_names_metric_operator_and_limit() -> None:
    """The plainest rule is read as it looks."""
    assert parse_rule("p99 < 1000 ms") == Rule("p99 < 1000 ms", METRICS["p99"], "<", 1000.0)


@pytest.mark.parametrize(
    ("text", "limit", "unit"),
    [
        ("p99 < 1 s", 1000.0, "ms"),
        ("p50 < 500 us", 0.5, "ms"),
        ("p99.9 < 2e3 ms", 2000.0, "ms"),
        ("error_rate < 0.1 %", 0.1, "%"),
        ("time_to_limit > 3 d", 72.0, "h"),
        ("time_to_limit > 90 min", 1.5, "h"),
        ("peak_rss < 1.5 GB", 1536.0, "MB"),
        ("slope < 10 MB/h", 10.0, "MB/h"),
        ("lost == 0", 0.0, ""),
    ],
)
def test_a_limit_is_in_the_base_unit(text: str, limit: float, unit: str) -> None:
    """Whatever unit a rule is written in, its limit is in the metric's base unit."""
    rule = parse_rule(text)
    assert (rule.limit, rule.metric.unit) == (pytest.approx(limit), unit)


def test_spaces_do_not_matter() -> None:
    """A rule written without spaces is the same rule and is shown with them."""
    assert parse_rule("  p99<1000ms ") == parse_rule("p99 < 1000 ms")
    assert str(parse_rule("p99<1000ms")) == "p99 < 1000 ms"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("p98 < 1000 ms", ["'p98'", "did you mean 'p99'", "acquire_wait_p99"]),
        ("p99 < 1000", ["'1000' needs a unit", "us, ms, s"]),
        ("p99 < 1000 MB", ["unit 'MB'", "us, ms, s"]),
        ("error_rate < 0.1", ["needs a unit", "%"]),
        ("slope < 10 MB", ["unit 'MB'", "MB/h"]),
        ("lost == 0 %", ["unit '%'", "count"]),
        ("failures < 1.5", ["'1.5'", "whole number"]),
        ("p99 =< 1000 ms", ["'=<'", "<, <=, >, >=, =="]),
        ("p99 != 1000 ms", ["'!='", "<, <=, >, >=, =="]),
        ("p99 < 1,000 ms", ["'1,000'", "not a number"]),
        ("p99 < 1_000 ms", ["'1_000'", "not a number"]),
        ("p99 < nan ms", ["'nan'", "finite"]),
        ("p99 < inf ms", ["'inf'", "finite"]),
        ("p99 < 1e999 ms", ["'1e999'", "finite"]),
        ("p99 < -1 ms", ["'-1'", "negative"]),
        ("error_rate < 101 %", ["'101'", "between 0 and 100"]),
        ("p99 < 1000 ms over 30 s", ["cannot read rule", "metric op number"]),
        ("p99 under 1000 ms", ["cannot read rule", "metric op number"]),
        ("", ["cannot read rule", "metric op number"]),
    ],
)
def test_a_refusal_names_the_cause_and_what_is_allowed(text: str, parts: list[str]) -> None:
    """Every way to get a rule wrong is told in one line with the offending part."""
    message = refusal(text)
    assert "\n" not in message
    assert [part for part in [repr(text), *parts] if part not in message] == []


@pytest.mark.parametrize(
    "text", ["p99 >= 0 ms", "error_rate <= 100 %", "failures >= 0", "max < 3601 s"]
)
def test_a_rule_that_could_never_fail_is_refused(text: str) -> None:
    """A limit that every value keeps would be a gate that never bites."""
    assert "never fail" in refusal(text)


@pytest.mark.parametrize("text", ["p99 < 0 ms", "utilization > 100 %", "lost < 0", "max > 3601 s"])
def test_a_rule_that_could_never_pass_is_refused(text: str) -> None:
    """A limit that no value keeps is a mistake, not a strict gate."""
    assert "never pass" in refusal(text)


@pytest.mark.parametrize(
    ("text", "kept", "broken"),
    [
        ("p99 < 1000 ms", 999.9, 1000.0),
        ("p99 <= 1000 ms", 1000.0, 1000.1),
        ("time_to_limit > 72 h", math.inf, 72.0),
        ("time_to_limit >= 72 h", 72.0, 71.9),
        ("lost == 0", 0.0, 1.0),
    ],
)
def test_a_rule_holds_up_to_its_limit(text: str, kept: float, broken: float) -> None:
    """Each operator includes or excludes the limit itself as written."""
    rule = parse_rule(text)
    assert rule.holds(kept)
    assert not rule.holds(broken)


@pytest.mark.parametrize("op", OPERATORS)
def test_no_rule_holds_for_nan(op: str) -> None:
    """A value that does not exist never passes."""
    assert not parse_rule(f"p99 {op} 1000 ms").holds(math.nan)


def test_the_kind_is_the_metrics() -> None:
    """A rule knows which analysis can answer it."""
    assert parse_rule("acquire_wait_p99 < 10 ms").metric.kind == "pool"


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    metric = draw(st.sampled_from(list(METRICS.values())))
    top = 99 if metric.unit == "%" else 3_599 if metric.kind == "latency" else 10**9
    number = str(draw(st.integers(1, top)))
    if metric.unit:
        number += draw(st.sampled_from(["", ".5", ".0625"]))
    unit = draw(st.sampled_from(list(metric.scales)))
    gap = draw(st.sampled_from(["", " ", "  "]))
    op = draw(st.sampled_from(OPERATORS))
    return f"{metric.name}{gap}{op}{gap}{number}{gap}{unit}"


@settings(deadline=None, derandomize=True)
@given(rule_texts())
def test_a_rule_survives_being_printed(text: str) -> None:
    """Text to rule to text to rule gives the same rule, and the same text from then on."""
    rule = parse_rule(text)
    assert parse_rule(str(rule)) == rule


@settings(deadline=None, derandomize=True)
@given(st.one_of(st.text(), st.text(alphabet="p9. <>=ms%over31e-+naif/MBhd")))
def test_arbitrary_text_is_a_rule_or_a_config_error(text: str) -> None:
    """Nothing a user writes raises anything but ConfigError, in one line."""
    try:
        rule = parse_rule(text)
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017 - a refusal is one of the two good outcomes
    else:
        assert math.isfinite(rule.limit)
