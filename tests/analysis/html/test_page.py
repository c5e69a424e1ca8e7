"""A document as HTML: nothing in it acts, whatever it says, and it is small."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from analysis.html.figures import rounded
from analysis.html.page import html
from analysis.html.words import words
from analysis.report.chart import Chart, Curve, Effect, Forest, HeatMap, Limit
from analysis.report.document import Code, Document, Lines, Mark, Row, Table, numbers, texts
from analysis.words.values import Outcome
from tests.analysis.html.pages import made

EVIL = '</script><img src=x onerror="alert(1)">'

X = np.array([0.0, 60.0, 120.0])
CHART = Chart(
    EVIL,
    "time",
    EVIL,
    (Curve(EVIL, X, np.array([1.0, np.nan, 3.0])),),
    (Limit(2.0, EVIL),),
    over_time=True,
)
DOCUMENT = Document(
    (
        Table(
            (*texts(EVIL), *numbers("n"), *texts("")),
            (Row((EVIL, "1", Mark(EVIL, Outcome.FAIL))),),
            EVIL,
        ),
        Lines((("run ", Code(EVIL)), f"{EVIL} from T+6h14m to T+6h19m", "line\u2028break")),
    ),
    outcome=Outcome.FAIL,
    headline=EVIL,
    summary=EVIL,
    charts=(CHART,),
)


class Elements(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def test_foreign_text_stays_text() -> None:
    """It opens no element, anywhere, and ends no script."""
    page = html(DOCUMENT).decode()
    found = Elements(page)
    assert not [tag for tag, _ in found.tags if tag == "img"]
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]
    assert "\u2028" not in page
    data = json.loads(found.scripts[0])
    assert data["pictures"][0]["curves"][0] == {"name": EVIL, "x": [0, 60, 120], "y": [1, None, 3]}


def test_only_its_own_scripts_may_run() -> None:
    """The policy names each script by its digest, and allows no request."""
    found = Elements(html(DOCUMENT).decode())
    (policy,) = (
        attrs["content"] for tag, attrs in found.tags if tag == "meta" and "http-equiv" in attrs
    )
    assert policy is not None
    digests = re.findall(r"'sha256-([^']+)'", policy)
    run = found.scripts[1:]
    assert digests == [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in run]
    assert policy.startswith("default-src 'none';")
    assert "unsafe-eval" not in policy
    assert policy.count("unsafe-inline") == 1


def test_a_moment_of_the_run_leads_to_its_charts() -> None:
    """In seconds since the load began; a document without charts over time has no such links."""
    assert 'data-from="22440" data-to="22740">T+6h14m to T+6h19m</a>' in html(DOCUMENT).decode()
    assert "T+6h14m to T+6h19m</li>" in html(replace(DOCUMENT, charts=())).decode()


def test_a_name_in_a_line_stands_apart() -> None:
    """As it does in every other medium."""
    page = html(Document((Lines((("do it: ", Code("loadgate run p"), " now"),), "What now"),)))
    assert b"do it: <code>loadgate run p</code> now" in page


def test_a_page_without_charts_runs_nothing() -> None:
    """A list or a verdict on what cannot be read needs no script."""
    assert b"<script" not in html(replace(DOCUMENT, charts=()))


def test_every_picture_is_said_in_words() -> None:
    """With its highest value, and when; unknown is said."""
    assert f"{EVIL}: from 1 at T+0s to 3 at T+2m00s; 3 at the end" in words(CHART)
    nothing = replace(CHART, curves=(Curve("a", X, np.full(3, np.nan)),))
    assert words(nothing)[0] == "a: no data"
    effects = (
        Effect("charge p95", 16.7, 12.5, 21.4, Outcome.FAIL, 14.8),
        Effect("browse p95", np.nan, np.nan, np.nan),
    )
    assert words(Forest("t", "x", effects)) == (
        "charge p95: +16.7 % (+12.5 to +21.4 %) found from +14.8 % — FAIL",
        "browse p95: not measured",
    )
    heat = HeatMap("t", "ms", X, np.array([1.0, 10.0, 100.0]), np.array([[1, 3], [0, 0]]))
    assert words(heat) == ("4 requests from 1 to 100 ms; most (75 %) between 10 and 100 ms",)


def test_numbers_are_rounded_to_what_can_be_seen() -> None:
    """Five digits, whatever the size, and unknown stays unknown."""
    values = np.array([0.1, 123456.789, 1 / 3, 0.0, -2.00000001, np.nan])
    assert json.dumps(rounded(values).tolist()) == "[0.1, 123460.0, 0.33333, 0.0, -2.0, NaN]"


@pytest.mark.parametrize("name", ["fail", "gate-fail"])
def test_the_same_recording_gives_the_same_page(tmp_path: Path, name: str) -> None:
    """Byte for byte, and within what mail carries."""
    found, page = made(name, tmp_path / "a")
    assert made(name, tmp_path / "b")[1] == page
    assert len(page) <= 1_500_000
    assert found.verdict.summary.split(":")[0] in page.decode()
