"""The page in a real browser: it draws, asks nobody for anything, fits, and can be read by all.

Every kind of verdict, at every width and in every scheme: ``make pages``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="no playwright to look at pages with")

from playwright.sync_api import Browser

from analysis.words.folding import unfiled
from tests.analysis.html.browser import (
    A4_PX,
    CHROMIUM,
    WIDTHS_PX,
    opened,
    overflow_px,
    resized,
    started,
    violations,
)
from tests.analysis.html.pages import made

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at pages with")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all pages."""
    with started() as found:
        yield found


@pytest.mark.parametrize(
    ("name", "scheme"), [("fail", "light"), ("gate-fail", "dark"), ("tune", "light")]
)
def test_a_page_stands_alone_fits_and_is_accessible(
    browser: Browser, tmp_path: Path, name: str, scheme: str
) -> None:
    """No error and no request; nothing overflows; axe-core finds nothing; every breach is read."""
    found, content = made(name, tmp_path)
    path = tmp_path / "report.html"
    path.write_bytes(content)
    with opened(browser, path) as (page, said):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == ""
        for width in WIDTHS_PX:
            resized(page, width)
            assert overflow_px(page, width) <= 0
        page.emulate_media(media="print")
        page.set_viewport_size({"width": A4_PX, "height": 975})
        assert overflow_px(page, A4_PX) <= 0
        text = " ".join(page.inner_text("body").split())
        lines = page.locator(".plot svg path").count()
    assert said == [path.as_uri()]
    assert found.verdict.verdict in text
    assert all(breach.shown in text for breach in found.verdict.breaches)
    for cause in found.verdict.causes:
        assert all(" ".join(said.split()) in text for said in (str(cause), *cause.symptoms))
    for breach, *_ in unfiled(found.verdict.breaches, found.verdict.causes):
        assert " ".join(breach.because.split()) in text
    assert lines > 20


RIGHTMOST = "(cells) => Math.max(...cells.map((cell) => cell.getBoundingClientRect().right))"


@pytest.mark.parametrize("name", ["fail", "gate-fail"])
def test_every_verdict_is_seen_at_any_width(browser: Browser, tmp_path: Path, name: str) -> None:
    """Without scrolling a table to its end."""
    path = tmp_path / "report.html"
    path.write_bytes(made(name, tmp_path)[1])
    with opened(browser, path) as (page, _):
        for width in WIDTHS_PX:
            resized(page, width)
            verdicts = page.locator(".judged td:last-child")
            assert verdicts.count() > 10
            assert verdicts.evaluate_all(RIGHTMOST) <= width


def test_a_breach_leads_to_its_window(browser: Browser, tmp_path: Path) -> None:
    """A moment in the text shows that stretch in every chart; the keyboard brings the run back."""
    path = tmp_path / "report.html"
    path.write_bytes(made("fail", tmp_path)[1])
    with opened(browser, path) as (page, _):
        whole = page.inner_text("#shown")
        page.locator("a.moment").first.click()
        near = page.inner_text("#shown")
        page.locator(".plot").first.focus()
        page.keyboard.press("Escape")
        assert page.inner_text("#shown") == whole != near
