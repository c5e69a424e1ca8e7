"""A document reaches page and screen from one description, and each shows what is for it."""

import io

from analysis.report.document import (
    Code,
    Document,
    Lines,
    Mark,
    Row,
    Table,
    numbers,
    texts,
    verdicts,
)
from analysis.report.markdown import markdown
from analysis.words.values import Measurement, Outcome
from harness.screen.plain import Screen
from harness.screen.terminal import show

NAN = float("nan")
TABLE = Table(
    (
        *texts("step", short="step (measured)"),
        *texts("note", only="page"),
        *numbers("p95", unit="ms"),
        *texts(""),
    ),
    (
        Row(("charge", "slow", Measurement("charge", "p95", 298.4, "ms", 9, at_least=True),
             Mark("open", Outcome.INCONCLUSIVE, "open (too few)"))),
        Row(("browse", "_", Measurement("browse", "p95", NAN, "ms", 0), "") , only="page"),
        Row(("1 other", "", "", Mark("PASS", Outcome.PASS)), only="screen"),
    ),
    "Latency",
)  # fmt: skip
DOCUMENT = Document(
    headline="FAIL: no",
    outcome=Outcome.FAIL,
    summary="too slow",
    facts=(
        Lines((("run ", Code("a*b")),), only="page"),
        Lines(("report: here",), tone="quiet", only="screen"),
    ),
    blocks=(
        Lines(("it is *late*",), "Findings", "finding", "note"),
        TABLE,
        Lines((), "Breaches", "breach", Outcome.FAIL),
    ),
    closing="the end",
)
PAGE = r"""# FAIL: no

too slow

- run `a*b`

## Findings

- it is \*late\*

## Latency

| step | note | p95 | |
|---|---|--:|---|
| charge | slow | at least 298 ms | open (too few) |
| browse | \_ | no data |  |

"""
SCREEN = """\
step (measured)        p95 ms
charge           at least 298  open
1 other                        PASS
finding  it is *late*

report: here
FAIL  too slow
the end
"""


def shown(document: Document, width: int = 80) -> str:
    """What stands on a terminal, without the blanks that end its lines."""
    file = io.StringIO()
    show(Screen(file=file, width=width, force_terminal=True, color_system=None), document)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def test_a_page_has_everything_from_the_verdict_down() -> None:
    """Units stand in the cells; what is empty has no heading."""
    assert markdown(DOCUMENT) == PAGE


def test_a_screen_is_short_and_ends_with_the_verdict() -> None:
    """Tables come first, units stand in the headings."""
    assert shown(DOCUMENT) == SCREEN


def test_a_list_judges_nothing() -> None:
    """Without an outcome there is no verdict on the screen, and no heading on the page."""
    listed = Document((Lines(("nothing yet",)),))
    assert (shown(listed), markdown(listed)) == ("nothing yet\n", "- nothing yet\n\n")


def test_on_a_narrow_screen_every_column_wraps_and_none_is_lost() -> None:
    """Least of all what became of a row."""
    narrow = shown(DOCUMENT, 36)
    assert max(map(len, narrow.splitlines())) <= 36
    assert "…" not in narrow
    assert {"charge", "at", "least", "298", "open", "other", "PASS"} <= set(narrow.split())


RULES = Table(
    (*texts("subject", "rule"), *numbers("actual"), *verdicts(), *texts("where")),
    (
        Row(("cart", "p99 < 1 s", "12 ms", Mark("PASS", Outcome.PASS), "add")),
        Row(("cart", "slope < 10 MB/h", "0.875 connections", Mark("not decided", "quiet"), "a b")),
        Row(("lock", "p99 < 1 s", "12 ms", Mark("PASS", Outcome.PASS), "x"), only="page"),
    ),
    passing="rule",
    grouped=True,
)


def test_what_passes_is_counted_and_a_group_is_named_once() -> None:
    """Verdicts come first; what stands on the page only is counted too."""
    assert shown(Document((RULES,))) == (
        "verdict      rule                        actual  where\n"
        "cart\n"
        "not decided  slope < 10 MB/h  0.875 connections  a b\n"
        "2 rules hold\n"
    )


def test_where_there_is_no_room_a_verdict_is_the_last_to_be_folded() -> None:
    """Units go below their numbers before words are broken."""
    narrow = shown(Document((RULES,)), 44)
    assert "not decided" in narrow
    assert "0.875\n" not in narrow.replace("not decided", "")
    assert max(map(len, narrow.splitlines())) <= 44


def test_a_command_stays_in_one_piece() -> None:
    """Whoever copies it from a screen gets what was meant."""
    line = "to judge it again on another machine, call `loadgate analyze runs/one` there"
    document = Document((Lines((line, ("of ", Code("a b c d e"))), label="next"),))
    assert "`loadgate analyze runs/one`" in shown(document, 50)
    assert max(map(len, shown(document, 50).splitlines())) <= 50
    assert line in shown(document, 20).replace("\n", "")
