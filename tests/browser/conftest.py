"""A real Chromium. Without one on the machine these tests are skipped, except in the gate."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.scenes import SitePage
from tests.site import TIMEOUT, RunningSite, copied

expect.set_options(timeout=TIMEOUT * 1000)
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
    # Playwright leaves an event loop running in this process, in which Django would refuse the queries of other tests.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


def start_stage(site: RunningSite) -> None:
    """Let a site that is set up serve the pages of the table."""
    site.env |= {
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "BASE_URL": site.address,
        "LEGAL_CONTACT": "contact@example.org",
        "STAFF_OTP": "off",  # else each page of the admin would be the one that asks for a phone
    }
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()


class Visitor:
    """A browser window that writes down every complaint of the console and every request to elsewhere."""

    def __init__(self, context: BrowserContext, site: RunningSite) -> None:
        self.site, self.complaints, self.elsewhere = site, list[str](), list[str]()
        self.answer: Any = None
        context.set_default_timeout(TIMEOUT * 1000)
        self.page: Page = context.new_page()
        self.page.on("console", self._note_complaint)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note_request)
        self.page.on("response", self._note_answer)

    def _note_complaint(self, message: Any) -> None:
        """The browser also reports the status of an error page: that one is meant."""
        if message.location["url"] != self.page.url or "the server responded with a status of" not in message.text:
            self.complaints.append(message.text)

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((self.site.address, "data:")):
            self.elsewhere.append(request.url)

    def _note_answer(self, response: Any) -> None:
        if response.request.is_navigation_request() and not 300 <= response.status < 400:
            self.answer = response

    def open(self, path: str) -> Page:
        self.page.goto(self.site.address + path)
        return self.page

    def visit(self, page: SitePage, language: str) -> Page:
        """Go to a page of the table as somebody who has never been here."""
        self.page.context.clear_cookies()
        self.open(f"/prepare/{page.name}/?language={language}")
        page.act(self.page)
        self.page.wait_for_load_state()
        return self.page

    @property
    def sent(self) -> bytes:
        """The HTML as the site sent it, before any script."""
        body: bytes = self.answer.body()
        return body

    def fits_its_window(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture(scope="session")
def stage(set_up_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The site in which every page of the table can be prepared."""
    with copied(set_up_site, tmp_path_factory.mktemp("stage")) as site:
        start_stage(site)
        yield site


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
