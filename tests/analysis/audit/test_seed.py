"""The post-mortem's own tables, transcribed: what it says against itself."""

from pathlib import Path

import pytest

from analysis.audit.catalogue import Audit, audit
from analysis.published.reading import read_published

PUBLISHED = Path(__file__).parents[2] / "fixtures" / "published"
CONTRADICTIONS = (
    "3,100/s sustained, its endpoints peak at 81/s",
    "over requests, which should be about 1: browse 3.162",
    "are 157,701,600 requests, not 50,015,412: these are 289.4/s",
    "= 3,285/s, not 1,043/s",
    "passed 48.7M of 50,015,412",
    "max in total 2,104ms, yet inventory-lock-service took 5001ms",
    "mean in total 342ms: by 7 endpoints' means and requests it is 153.2 ms",
    "mean in total 187ms: by 7 endpoints' means and requests it is 153.2 ms",
    "mean in total: 342ms and 187ms",
    "p50 298ms: its endpoints' percentiles allow 71.5 to 187.5 ms",
    "payment-gateway p99 445ms",
    "checkout-service p99 890ms",
    "of those that do start_checkout took longest, 1,847ms",
    "2,309 failures are those of all 50,015,412 requests",
    "its endpoints failed 1,019 of 37,711,598 times, 0.0027 %, not 0.02 %",
    "487.2 errors, put to 147 failures",
    "98.9 % go on, not 97% (1.13 % lost, not 3 %)",
    "confirm at 80/s = 4,800/min",
    "are 7,056,000 orders, not 3,847,291",
    "3,847,291 - 103 = 3,847,188 that succeeded",
    "= 4; it scaled at 84% before",
    "not 2,000 + 147 or 4,000 + 147",
    "the test began twice, 2 h apart",
    "third replica ready at T+6h18m: 120 s apart, and 182 s on the wall",
    "41% of even 0.001 cores",
    "a counter falls from 1.31 s",
    "and at T+12h it is called accelerating",
    "667483750 bytes are 636.6 MB",
    "peak 14,200, yet 14,400 at T+36h",
    "847291:",
    "847292:",
    "P1/P2 incidents: 10 counted, 3 listed",
    "P1/P2 post-mortems: 10 counted, 3 listed",
    "leaves 42 %, not 72.4%",
    "25 min down of 31 d are 99.9440 % up, not 99.942%",
)
QUESTIONS = (
    "a session 3 min to 8 min",
    "p95 612ms",
    "p99 890ms",
    "38 orders in flight",
    "3,847,253 orders in the database",
    "1,800 held connections, with no users",
    "3,720 held connections after it was relieved",
    "3,528 pass the queue, 147 were affected",
    "2.3% of 80/s × 2 min = 222.4 failures",
    "84% / 80% = 1.05",
    "replication lag: average 0.1 s",
    "2.3 times the 37 MB/h of before",
    "ids 847292 and 847293 are 6.399 s apart",
    "incidents of 45 min + 20 min",
    "11.2 min down of 31 d are 99.9749 % up, not 99.974%",
)


@pytest.fixture(scope="module")
def seed() -> Audit:
    return audit(read_published(PUBLISHED / "lt-2025-q3.json"), "seed")


def test_its_contradictions_are_found_and_no_others(seed: Audit) -> None:
    """Each once."""
    for said in CONTRADICTIONS:
        assert len([it for it in seed.contradictions if said in it.says]) == 1, said
    assert len(seed.contradictions) == len(CONTRADICTIONS)


def test_what_a_reading_would_resolve_is_a_question(seed: Audit) -> None:
    """Each once, with that reading."""
    for said in QUESTIONS:
        assert len([it for it in seed.questions if said in it.says and it.unless]) == 1, said
    assert len(seed.questions) == len(QUESTIONS)


def test_every_finding_names_its_place(seed: Audit) -> None:
    """In the report, for whoever looks it up."""
    for it in (*seed.contradictions, *seed.questions):
        assert it.where.startswith(("Document", "Appendix")), it


def test_a_snapshot_says_which_limit_comes_first() -> None:
    """65 of 100 connections are full at 1.54 times the load; what nobody measured has no data."""
    found = audit(read_published(PUBLISHED / "production-2025-03-15.json"), "production")
    first, last = found.headroom[0], found.headroom[-1]
    assert (first.name, first.factor) == ("checkout-db-primary", pytest.approx(100 / 65))
    assert [first.at(load) for _, load in found.loads] == pytest.approx([0.7475, 2.145])
    assert (last.factor, last.at(1.0)) == (None, None)
    assert {it.says for it in found.contradictions} >= {
        "search-db-replica-01 connections: 25 of 50 is 50 %, not 51%"
    }
