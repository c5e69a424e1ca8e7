"""A `Document` as one HTML file that asks nobody for anything: verdict, tables, then charts."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain, groupby

import orjson

from analysis.html.blocks import anchor, in_line, section, text, tone
from analysis.html.figures import tables
from analysis.html.words import words
from analysis.report.chart import Forest, Picture
from analysis.report.document import Document, Glance

_SCRIPTS = ("vendor/echarts.min.js", "assets/options.js", "assets/page.js")
_FOLLOWING = (*_SCRIPTS, "assets/live.js")
_STYLE = "assets/page.css"
_CHARTS = "charts"


def html(document: Document) -> bytes:
    """The whole file, UTF-8."""
    page = document.seen_by("page")
    scripts = _SCRIPTS if page.charts else ()
    return _written(_head(page, _policy(_SCRIPTS)), _body(page, scripts), ("</html>",))


def following(document: Document) -> bytes:
    """The same page, which asks whoever serves it for what comes after (``assets/live.js``)."""
    page = document.seen_by("page")
    policy = f"{_policy(_FOLLOWING)}; connect-src 'self'"
    return _written(_head(page, policy), _body(page, _FOLLOWING), ("</html>",))


def newer(document: Document) -> bytes:
    """What such a page asks for: what it shows by now."""
    page = document.seen_by("page")
    return _written(_body(page, ()), _data(page.charts))


def _written(*parts: Iterable[str]) -> bytes:
    return ("\n".join(chain(*parts)) + "\n").encode(errors="replace")


@cache
def _asset(name: str) -> str:
    return files("analysis.html").joinpath(name).read_text(encoding="utf-8")


@cache
def _policy(scripts: Sequence[str]) -> str:
    """Nothing is loaded; only these scripts run. ECharts sets styles on what it draws."""
    digests = (hashlib.sha256(_asset(name).encode()).digest() for name in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _head(page: Document, policy: str) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
    yield f"<title>{text(_headline(page))}</title>"
    yield f"<style>{_asset(_STYLE)}</style></head>"


def _headline(page: Document) -> str:
    return page.headline or (page.outcome.value if page.outcome else "loadgate")


def _body(page: Document, scripts: Sequence[str]) -> Iterator[str]:
    drawn = bool(page.charts)
    over_time = any(getattr(picture, "over_time", True) for picture in page.charts)
    yield f'<body><header{tone(page.outcome)}><p class="brand">loadgate</p>'
    yield f"<h1>{text(_headline(page))}</h1>"
    if page.summary:
        yield f'<p class="summary">{text(page.summary)}</p>'
    if page.about:
        yield f'<p class="about">{in_line(page.about)}</p>'
    if page.glance:
        yield from _glance(page.glance)
    yield from _contents(page)
    yield "</header><main>"
    for block in (*page.blocks, *page.facts):
        yield from section(block, moments=drawn and over_time)
    if drawn:
        yield from _charts(page.charts, over_time)
    for block in page.appendix:
        yield from section(block)
    yield "</main>"
    if scripts:
        yield from _data(page.charts)
        yield from (f"<script>{_asset(name)}</script>" for name in scripts)
    yield "</body>"


def _glance(glance: Glance) -> Iterator[str]:
    yield '<dl class="glance">'
    for figure in glance.figures:
        beside = f'<dd class="beside">{text(figure.beside)}</dd>' if figure.beside else ""
        yield f"<div><dt>{text(figure.title)}</dt><dd>{text(figure.value)}</dd>{beside}</div>"
    yield "</dl>"
    mark = glance.evidence
    said = f"<b{tone(mark.tone)}>{text(mark.text)}</b>"
    yield f'<p class="evidence">Can this run be trusted? {said}</p>'


def _contents(page: Document) -> Iterator[str]:
    titles = [block.title for block in page.blocks if block.title]
    titles += ["Charts"] if page.charts else []
    titles += [block.title for block in page.appendix if block.title]
    if len(titles) > 1:
        yield '<nav aria-label="Contents">'
        yield from (f'<a href="#{anchor(title)}">{text(title)}</a>' for title in titles)
        yield "</nav>"


def _charts(pictures: Sequence[Picture], over_time: bool) -> Iterator[str]:
    yield f'<section id="{_CHARTS}"><h2>Charts</h2>'
    if over_time:
        yield from _ZOOM
    yield "<noscript><p>Charts need JavaScript. The tables have the same numbers.</p></noscript>"
    numbered = groupby(enumerate(pictures), key=lambda one: one[1].group)
    for group, several in numbered:
        members = list(several)
        if group:
            yield f"<h3>{text(group)}</h3>"
        yield f'<div class="{_layout(members)}">'
        for number, picture in members:
            yield from _figure(number, picture)
        yield "</div>"
    yield "</section>"


def _layout(members: Sequence[tuple[int, Picture]]) -> str:
    """Side by side, but for what is alone or has names as long as its rows."""
    several = len(members) > 1 and not any(isinstance(picture, Forest) for _, picture in members)
    return "multiples" if several else "single"


_ZOOM = (
    '<div class="zoom" role="group" aria-label="Time shown">',
    '<button type="button" data-zoom="out">whole run</button>',
    '<span id="shown" aria-live="polite"></span>',
    '<span class="hint">drag across a chart to zoom; with the keyboard + − ← →</span>',
    '<span class="bands">bands: <i class="phase"></i> phases, <i class="trouble"></i> what went '
    'wrong, <i class="change"></i> what was changed</span></div>',
)


def _figure(number: int, picture: Picture) -> Iterator[str]:
    said = words(picture)
    yield f'<figure data-picture="{number}"><figcaption>{text(picture.title)}</figcaption>'
    label = text(f"{picture.title}. {'. '.join(said)}")
    yield f'<div class="plot" role="img" tabindex="0" aria-label="{label}"></div>'
    yield "<details><summary>in words</summary><ul>"
    yield from (f"<li>{text(one)}</li>" for one in said)
    yield "</ul></details></figure>"


def _data(pictures: Sequence[Picture]) -> Iterator[str]:
    """The numbers, as data that no browser runs."""
    data = orjson.dumps(tables(pictures), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    for char in "<>&\u2028\u2029":
        data = data.replace(char, f"\\u{ord(char):04x}")
    yield f'<script type="application/json" id="data">{data}</script>'
