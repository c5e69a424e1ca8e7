"""``make pages``: every kind of page at every width, light, dark and on paper, as pictures.

Each is checked as in ``test_browser.py``, and axe-core looks at it in both schemes. Exit code 1
where something is wrong. ``ARGS=--docs`` renews the pictures of docs/pages/, a terminal among them.
``ARGS="--runs DIR"`` looks at the runs that lie in a folder.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from analysis.judge import judged
from analysis.report.single import run_document
from harness.screen.judged import derive
from harness.screen.plain import Screen
from harness.screen.terminal import show
from recording.rundir import list_runs
from tests.analysis.html.browser import (
    A4_PX,
    WIDTHS_PX,
    opened,
    overflow_px,
    resized,
    settled,
    started,
    violations,
)
from tests.analysis.html.pages import MADE, ROOT, SHIPPED, made

SHOTS = ROOT / "runs" / "pages"
DOCS = ROOT / "docs" / "pages"
IN_DOCS = (
    ("run-fail", "fail", "body", "light"),
    ("run-charts", "fail", "#charts", "light"),
    ("run-dark", "pass", "#charts", "dark"),
    ("gate-fail", "gate-fail", "#charts", "light"),
    ("tune", "tune", "header", "light"),
)
"""Name of the picture, page, where on it, scheme."""


def main(arguments: list[str]) -> int:
    """Look at all, or renew the pictures of docs."""
    found = list(_renewed() if "--docs" in arguments else _looked(arguments[1:]))
    print(*found, sep="\n")  # noqa: T201 - what it is for
    return 1 if any("WRONG" in line for line in found) else 0


def _pages(folders: list[str], scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Those made to order, or of the runs in these folders."""
    if not folders:
        yield from ((name, made(name, scratch)[1]) for name in MADE)
    for folder in folders:
        for run in list_runs(Path(folder)):
            derive(run, SHIPPED)
            yield run.root.name, run.page.read_bytes()


def _looked(folders: list[str]) -> Iterator[str]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, started() as browser:
        for name, content in _pages(folders, Path(scratch)):
            path = SHOTS / f"{name}.html"
            path.write_bytes(content)
            with opened(browser, path) as (page, said):
                yield from (f"{name}: {line}" for line in _of_page(page, name))
                page.pdf(path=SHOTS / f"{name}.pdf", format="A4", prefer_css_page_size=True)
            yield from (f"{name}: WRONG: {line}" for line in said if line != path.as_uri())


def _of_page(page: Page, name: str) -> Iterator[str]:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wrong = violations(page)
        yield f"{scheme}: WRONG: {wrong}" if wrong else f"{scheme}: accessible"
        for width in WIDTHS_PX:
            resized(page, width)
            if (over := overflow_px(page, width)) > 0:
                yield f"{scheme}, {width} px: WRONG: {over} px too wide"
            page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
    page.emulate_media(media="print")
    resized(page, A4_PX)
    if (over := overflow_px(page, A4_PX)) > 0:
        yield f"on paper: WRONG: {over} px too wide"
    page.emulate_media(media="screen")


def _renewed() -> Iterator[str]:
    DOCS.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, started() as browser:
        for picture, name, place, scheme in IN_DOCS:
            path = Path(folder) / f"{picture}.html"
            path.write_bytes(made(name, Path(folder) / picture)[1])
            with opened(browser, path) as (page, _):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.set_viewport_size({"width": 1000, "height": 760})
                page.locator(place).evaluate("(part) => part.scrollIntoView()")
                settled(page)
                page.screenshot(path=DOCS / f"{picture}.png")
            yield f"docs/pages/{picture}.png"
        _terminal(browser, DOCS / "terminal.png", Path(folder) / "terminal")
        yield "docs/pages/terminal.png"


def _terminal(browser: Browser, picture: Path, folder: Path) -> None:
    """What `loadgate analyze` shows of a run of a smoke test that was kept."""
    verdict = judged(MADE["pass"](folder), SHIPPED).verdict
    screen = Screen(record=True, force_terminal=True, width=90, file=io.StringIO())
    show(screen, run_document(verdict, "runs/20260301-101500-smoke-1f2e/report.html"))
    page = browser.new_page(device_scale_factor=1)
    page.route("**", lambda route: route.abort())  # the drawing names a font of some server's
    page.set_content(screen.export_svg(title="loadgate analyze"))
    page.locator("svg").screenshot(path=picture)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
