"""The seed's own test, LT-2025-Q3-CHECKOUT, through the judge: what it found and what it missed."""

from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from analysis.words.values import Outcome, RuleRow, Verdict
from recording.manifest import read_manifest
from recording.rundir import RunDir
from tests.fixtures.seed_run import build

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "tests" / "fixtures" / "lt-2025-q3-checkout"


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """The verdict on the seed's tables, by the project's own thresholds."""
    run = build(tmp_path_factory.mktemp("seed") / "lt-2025-q3-checkout")
    return judge(run, load_thresholds(ROOT / "thresholds.toml"))


def rows(verdict: Verdict, subject: str, metric: str) -> list[RuleRow]:
    return [r for r in verdict.rows if r.subject == subject and r.measurement.metric == metric]


def test_p99_passes_as_the_post_mortem_says(verdict: Verdict) -> None:
    """Every p99 rule holds, and the worst endpoint is charge at 890 ms."""
    p99 = [row for row in verdict.rows if row.measurement.metric == "p99"]
    assert {row.outcome for row in p99} == {Outcome.PASS}
    worst = max(p99, key=lambda row: row.measurement.value).measurement
    assert worst.subject == "charge"
    assert worst.value == pytest.approx(890, rel=0.01)


def test_the_lock_pool_was_exhausted_at_6h14(verdict: Verdict) -> None:
    """T+6h14m to T+6h19m, 147 failures, and the seed's own 503 body."""
    (row,) = rows(verdict, "inventory-lock-service", "exhausted_windows")
    assert (row.outcome, row.measurement.value) == (Outcome.FAIL, 1)
    assert "T+6h14m to T+6h19m, 147 waits timed out" in row.because
    assert '"pool_max":2000,"pool_active":2000,"pool_waiting":147}' in row.because


def test_the_cart_leaked_until_its_collection_and_twice_as_fast_after_it(verdict: Verdict) -> None:
    """35–40 MB/h until T+36h; what the post-mortem missed: about twice that afterwards."""
    (row,) = rows(verdict, "cart-service", "slope")
    assert row.outcome is Outcome.FAIL
    (finding,) = [text for text in verdict.findings if "times as fast" in text]
    before, after = (
        next(m for m in verdict.measurements if m.metric == f"slope of segment {i}").value
        for i in (1, 2)
    )
    assert 35 <= before <= 40
    assert after / before == pytest.approx(2.0, abs=0.2)
    assert "T+36h00m" in finding


def test_its_causes_are_the_pool_and_then_the_leak(verdict: Verdict) -> None:
    """Each with its breaches, in the seed's order."""
    pool, leak = verdict.causes
    assert pool.name == "inventory-lock pool exhausted at T+6h14m, 147 callers timed out"
    assert {"scaled 2→3 at T+6h16m", "recovered at T+6h19m"} <= set(pool.evidence)
    assert leak.name.startswith("cart leaks ")
    assert leak.name.endswith(", collected at T+36h00m and resumed")
    filed = [
        verdict.breaches[place].subject for cause in verdict.causes for place in cause.breaches
    ]
    assert filed == ["inventory-lock-service"] * 2 + ["cart-service"] * 2
    assert len(verdict.breaches) == 4


def test_the_claimed_load_does_not_fit_the_claimed_requests(verdict: Verdict) -> None:
    """50,015,412 requests in 48 h are 289/s on average: not 42 hours at 1,043/s."""
    assert verdict.verdict is Outcome.INVALID
    (reason,) = verdict.invalid_reasons
    assert reason.startswith("request rate 30")


def test_the_committed_run_directory_is_what_the_builder_writes(tmp_path: Path) -> None:
    """`loadgate analyze tests/fixtures/lt-2025-q3-checkout` shows today's fixture."""
    built = build(tmp_path / COMMITTED.name)
    kept, made = (read_manifest(RunDir(root).manifest) for root in (COMMITTED, built.root))
    assert kept.model_dump() == made.model_dump()
    for name in ("latency.hlog", "resources.csv", "load.csv", "events.jsonl"):
        assert (COMMITTED / name).read_bytes() == (built.root / name).read_bytes()
