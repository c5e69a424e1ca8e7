"""``make pages``: every kind of page at every width, light, dark and on paper, as pictures.

Each is checked as in ``test_browser.py``, and axe-core looks at it in both schemes. Exit code 1
where something is wrong. ``ARGS=--docs`` renews the pictures of docs/pages/.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from tests.analysis.html.browser import (
    WIDTHS_PX,
    opened,
    overflow_px,
    resized,
    settled,
    started,
    violations,
)
from tests.analysis.html.pages import MADE, ROOT, made

SHOTS = ROOT / "runs" / "pages"
DOCS = ROOT / "docs" / "pages"
IN_DOCS = (
    ("run-fail", "fail", "body", "light"),
    ("run-charts", "fail", "#charts", "light"),
    ("run-dark", "pass", "#charts", "dark"),
    ("gate-fail", "gate-fail", "#charts", "light"),
)
"""Name of the picture, page, where on it, scheme."""


def main(arguments: list[str]) -> int:
    """Look at all, or renew the pictures of docs."""
    found = list(_renewed() if "--docs" in arguments else _looked())
    print(*found, sep="\n")  # noqa: T201 - what it is for
    return 1 if any("WRONG" in line for line in found) else 0


def _looked() -> Iterator[str]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, started() as browser:
        for name in MADE:
            path = SHOTS / f"{name}.html"
            path.write_bytes(made(name, Path(folder))[1])
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
