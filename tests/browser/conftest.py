"""A real Chromium. Without one on the machine these tests are skipped, except in the gate."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.site import RunningSite

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="no chromium on this machine"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "the gate needs Debian's package chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


class Visitor:
    """A browser window that writes down every complaint of the console and every request to elsewhere."""

    def __init__(self, context: BrowserContext, site: RunningSite) -> None:
        self.site, self.complaints, self.elsewhere = site, list[str](), list[str]()
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.site.address, "data:")):
            self.elsewhere.append(request.url)

    def open(self, path: str) -> Page:
        self.page.goto(self.site.address + path)
        return self.page

    def fits_its_window(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture
def window(browser: Browser, demo: RunningSite) -> Iterator[Any]:
    """Opens windows of a size and scheme; at the end none may have complained or asked anyone else for anything."""
    visitors: list[Visitor] = []
    contexts: list[BrowserContext] = []

    def open_window(*, width: int = 1100, scheme: Any = "light", scripts: bool = True) -> Visitor:
        size: Any = {"width": width, "height": 800}
        context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=scripts)
        contexts.append(context)
        visitors.append(Visitor(context, demo))
        return visitors[-1]

    yield open_window
    for context in contexts:
        context.close()
    assert [(visitor.complaints, visitor.elsewhere) for visitor in visitors] == [([], [])] * len(visitors)
