"""Foreign text in every place of a verdict: it reaches every medium, and acts in none."""

import io
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analysis.paired.cost_rows import CostRow
from analysis.paired.judge import GateReport
from analysis.regression.latency import LatencyRow
from analysis.regression.rows import Stakes
from analysis.report.cases import of_verdict
from analysis.report.github import annotations
from analysis.report.junit import junit
from analysis.report.markdown import code, markdown, md
from analysis.report.paired import gate_document
from analysis.report.single import run_document
from analysis.words.values import Breach, Check, Measurement, Outcome, RuleRow, Verdict
from harness.screen.judged import publish
from harness.screen.plain import Screen
from harness.screen.terminal import show
from recording.series import SERIES_HEADER, Sample, SeriesWriter
from recording.series_reader import read_series
from recording.text import MAX_CHARS, csv_field, plain, plain_lines, plainly
from tests.hostile_text import ATTACKS, acts, any_text, commands

MENTION = re.compile(r"(?<!\w)@\w")
READ = ("text", "text_special", "code_inline")

hostile = pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)


def verdict(text: str) -> Verdict:
    """One where the text stands in every place that takes text."""
    measured = Measurement(text, "p99", 1.0, "ms", 10, note=text)
    latency = [
        Measurement("browse", m, 1.0, "ms", 10) for m in ("mean", "p50", "p95", "p99", "max")
    ]
    return Verdict(
        text, text, Outcome.FAIL, text,
        breaches=(Breach(text, text, text, 1.0, text, "ms", text, text),),
        rows=(RuleRow(text, text, measured, Outcome.INCONCLUSIVE, text),),
        measurements=(*latency, Measurement("browse", "error_rate", 0.0, "%", 10), measured),
        checks=(Check(text, text, text, ok=False, hint=text),),
        invalid_reasons=(text,), inconclusive_reasons=(text,), findings=(text, text),
        context=facts(text) | {"requests_measured": 1, "measured_s": 1.0, "rate_per_s": 1.0,
                               "requests_excluded": 0, "overrides": [text],
                               "git": {"revision": text}},
    )  # fmt: skip


def facts(text: str) -> dict[str, object]:
    """What a gate's context has to say, in text."""
    arm = {"what": text, "revision": text, "dirty": True, "overrides": [text]}
    return {
        "base": arm, "head": arm, "started_utc": text, "seed": 1, "control": [text],
        "rounds": 1, "rounds_recorded": 1, "look": 1, "judged_s": 1.0, "duration_s": 1.0,
        "counted": {text: 1}, "excluded": {text: 1},
    }  # fmt: skip


def gate(text: str, outcome: Outcome = Outcome.FAIL) -> GateReport:
    """A gate's report of that kind."""
    stakes = Stakes(0.005, 0.05, 0.95, 1)
    what, lacks = (text, text, text, stakes), f"x{text}"
    return GateReport(
        text, text, outcome, text,
        breaches=(Breach(text, text, text, 1.0, text, "ms", text, text),),
        checks=(Check(text, text, text, ok=False, hint=text),),
        invalid_reasons=(text,), inconclusive_reasons=(text,), findings=(text,),
        context=facts(text),
        gate_rows=(LatencyRow(*what, lacks=lacks),), costs=(CostRow(*what, lacks=lacks),),
    )  # fmt: skip


def on_screen(show: Callable[[Screen], None], width: int = 60) -> str:
    """What a narrow screen shows, where every table wraps."""
    console = Screen(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def tokens(text: str) -> list[Token]:
    """The parsed report, with everything on that could act."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return [*parsed, *(child for token in parsed for child in token.children or [])]


def shape(text: str) -> list[str]:
    """The blocks of a report: its headings, rows, cells and items."""
    blocks = ("heading_open", "tr_open", "td_open", "th_open", "list_item_open", "fence", "hr")
    return [token.type for token in tokens(text) if token.type in blocks]


def acting(text: str) -> set[str]:
    """What a report must not have."""
    kinds = {"html_block", "html_inline", "link_open", "image", "fence", "s_open", "hr",
             "em_open", "strong_open", "code_block", "blockquote_open"}  # fmt: skip
    texts = [token.content for token in tokens(text) if token.type == "text"]
    mentions = {"mention"} if any(MENTION.search(each) for each in texts) else set()
    return mentions | kinds & {token.type for token in tokens(text)}


@given(any_text)
def test_plain_text_is_one_line_without_anything_that_acts(text: str) -> None:
    """Of any text; doing it twice changes nothing."""
    line = plain(text)
    assert not acts(line)
    assert "\n" not in line
    assert len(line) <= MAX_CHARS
    assert not commands(line)
    assert plain(line) == line


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Other scripts and symbols are no danger, and what is not a command is kept."""
    if "::" not in text and "##" not in text:
        assert plain(text) == text


def test_addresses_with_colons_stay_as_they_are() -> None:
    """An IPv6 url is no command."""
    for text in ("http://[::1]:8001 and http://[fe80::a]:1", "a::b", "std::vector", "## head"):
        assert plain(text) == text


@hostile
def test_a_report_keeps_its_shape(text: str) -> None:
    """No row, item, heading, link, tag or code block comes from text."""
    for made in (lambda t: run_document(verdict(t)), lambda t: gate_document(gate(t), t),
                 lambda t: gate_document(gate(t), t, brief=True)):  # fmt: skip
        report = markdown(made(text))
        assert shape(report) == shape(markdown(made("harmless")))
        assert not acting(report)
        assert not acts(report)
        assert not commands(report)


@settings(max_examples=60)
@given(any_text)
def test_any_text_in_a_report_keeps_its_shape(text: str) -> None:
    """The same for whatever else a shop may say."""
    report = markdown(gate_document(gate(f"x{text}"), text or None))
    assert shape(report) == shape(markdown(gate_document(gate("x"), "y" if text else None)))
    assert not acting(report)
    assert not acts(report)


@given(any_text)
def test_text_in_markdown_reads_as_it_was(text: str) -> None:
    """Escaping takes nothing away."""
    line = plain(text)
    shown = "".join(t.content for t in tokens(md(line)) if t.type in READ)
    assert shown == line
    coded = [t.content for t in tokens(f"x {code(line)}") if t.type == "code_inline"]
    assert coded == ([line] if line else [])


@hostile
def test_a_screen_shows_text_as_text(text: str) -> None:
    """No control character, no command at a wrapped line's start, no markup, no emoji."""
    run, paired = run_document(verdict(text)), gate_document(gate(text), text)
    for shown in (
        on_screen(lambda console: show(console, run)),
        on_screen(lambda console: show(console, paired)),
    ):
        assert not acts(shown)
        assert not commands(shown)
    if "[bold red]" in text:
        assert "[bold red]loud[/] [/]" in shown
        assert ":100: :smile:" in shown


@hostile
def test_annotations_are_one_command_each(text: str) -> None:
    """One for the breach, whatever stands in it."""
    for outcome in (Outcome.FAIL, Outcome.INVALID, Outcome.INCONCLUSIVE):
        (line,) = annotations(of_verdict(gate(text, outcome)))
        assert line.startswith(("::error title=", "::warning title="))
        assert line.splitlines() == [line]
        assert not acts(line)
    printed = on_screen(
        lambda console: publish(console, of_verdict(gate(text)), "", {"GITHUB_ACTIONS": "true"}),
        9999,
    )
    assert len(printed.splitlines()) == 1
    assert printed.startswith("::error title=")


@settings(max_examples=60)
@given(any_text)
def test_junit_is_valid_xml_with_a_case_per_row(text: str) -> None:
    """For any text."""
    undecided = (Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED)
    for outcome in Outcome:
        root = ET.fromstring(junit(of_verdict(gate(text, outcome))))
        assert len(root.findall(".//testcase")) == (5 if outcome in undecided else 4)
        assert not [c for node in root.iter() for c in acts("".join(node.attrib.values()))]


@given(any_text, any_text)
def test_a_label_writes_no_row_of_another_service(subject: str, metric: str) -> None:
    """A series has one row per sample, and different names stay different."""
    rows = f"1.0,{csv_field(subject)},{csv_field(metric)},2.0\n"
    assert rows.count("\n") == 1
    assert rows.count(",") == 3
    assert '"' not in rows
    assert not acts(rows)
    assert not csv_field(metric).startswith(("=", "+", "-", "@"))
    assert (csv_field(subject) == csv_field(metric)) == (_utf8(subject) == _utf8(metric))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@hostile
def test_a_series_with_such_names_is_read_back(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Undamaged, under one name."""
    path = tmp_path_factory.mktemp("series") / "resources.csv"
    writer = SeriesWriter(path)
    writer.write([Sample(1.0, text, text, 2.0), Sample(2.0, "cart-service", "up", 1.0)])
    writer.close()
    assert path.read_bytes().startswith(SERIES_HEADER.encode())
    series = read_series(path)
    assert series.damaged_lines == 0
    assert series.values.keys() == {(csv_field(text),) * 2, ("cart-service", "up")}


def test_names_of_ours_are_written_as_they_are() -> None:
    """Recordings before and after are alike."""
    for name in ("cart-service@head", "http_requests_total/browse/GET/200", "up"):
        assert csv_field(name) == name


@given(any_text)
def test_a_screen_keeps_its_lines(text: str) -> None:
    """Several problems of a file are several lines."""
    shown = plain_lines(text)
    assert shown.count("\n") == text.count("\n")
    assert not acts(shown)


def test_values_are_made_plain_all_the_way_down() -> None:
    """Lists, tables, frozen values; what is plain already stays the same value."""
    made = plainly(({"\x1b": ["a\nb"]}, Check("\x07", "1", "2", ok=True)))
    assert made == ({"�": ["a b"]}, Check("�", "1", "2", ok=True))
    same = ("a", {"b": 1.5})
    assert plainly(same) is same
