"""A real browser, and what any page must be in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
WIDTHS_PX = (390, 800, 1440)
A4_PX = 690
"""Width of A4 within its margins."""


@contextmanager
def started() -> Iterator[Browser]:
    """The system's Chromium, without a screen."""
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def opened(browser: Browser, path: Path) -> Iterator[tuple[Page, list[str]]]:
    """A page that has drawn all it has to, and what it asked for or complained of meanwhile."""
    said: list[str] = []
    with browser.new_context(color_scheme="light") as context:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.goto(path.as_uri())
        settled(page)
        yield page, said


def settled(page: Page) -> None:
    """Wait until nothing is left to draw."""
    if page.locator("#charts").count():
        page.wait_for_selector("html[data-complete]", state="attached")


def resized(page: Page, width: int) -> None:
    """Shown at this width, and drawn again."""
    page.set_viewport_size({"width": width, "height": 900})
    settled(page)


def overflow_px(page: Page, width: int) -> int:
    """By how much it is wider than what it is shown on."""
    return int(page.evaluate("document.documentElement.scrollWidth")) - width


def violations(page: Page) -> str:
    """What axe-core finds; of a chart its label counts, for its lines are hidden from readers."""
    found = Axe().run(page, context={"exclude": [[".plot svg"]]})
    return str(found.generate_report()) if found.violations_count else ""
