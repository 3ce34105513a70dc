"""What the first visit weighs over the wire, and the page after it."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visitor
from tests.browser.full_pages import FULL_PAGES
from tests.site import RunningSite

EVENT = "/evenements/ceq-ctg-13-mai-2025/"
FIRST_VIEW = 45_000  # bytes, headers included (RGESN 2024, criterion 6.1)
FULL_VIEW, FULL_REQUESTS = 120_000, 12  # with a logo, a colour, a picture and four portraits
NEXT_PAGE = 5_000
FETCHED = """() => performance.getEntriesByType("resource").filter((entry) => entry.transferSize > 0).length"""


@pytest.mark.parametrize(("language", "width"), [("", 375), ("", 1280), ("/en", 1280)])
def test_the_first_view_takes_five_requests_and_the_next_page_only_itself(
    browser: Browser, demo: RunningSite, language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 667})
    page = context.new_page()
    loaded: list[Any] = []
    page.on("requestfinished", lambda request: loaded.append(request))

    page.goto(demo.address + language + EVENT, wait_until="networkidle")
    assert len(loaded) <= 5
    assert sum(map(weight, loaded)) <= FIRST_VIEW

    loaded.clear()
    page.locator("a.button").first.click()
    page.wait_for_url("**/inscription/")
    page.wait_for_load_state("networkidle")
    assert weight(next(request for request in loaded if request.is_navigation_request())) <= NEXT_PAGE
    assert page.evaluate(FETCHED) == 0
    context.close()


def weight(request: Any) -> int:
    sizes = request.sizes()
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


@pytest.mark.parametrize(
    ("width", "height", "density"), [(375, 667, 1), (375, 667, 3), (1280, 800, 1), (1280, 800, 2)]
)
def test_the_first_view_of_an_event_with_pictures_and_people_stays_light(
    browser: Browser, stage: RunningSite, width: int, height: int, density: int
) -> None:
    """All of the page, to its foot, with the busiest photographs: browsers decide when they load a portrait below."""
    address = prepared(browser, stage)
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=density)
    page = context.new_page()
    loaded: list[Any] = []
    page.on("requestfinished", lambda request: loaded.append(request))
    page.goto(address, wait_until="networkidle")
    page.keyboard.press("End")
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    sizes = [(request.url, weight(request)) for request in loaded]
    context.close()
    assert len([url for url, _bytes in sizes if "/images/" in url]) == 6
    assert len(sizes) <= FULL_REQUESTS, sizes
    assert sum(size for _url, size in sizes) <= FULL_VIEW, sizes


def prepared(browser: Browser, stage: RunningSite) -> str:
    """The address of the full event, which this browser has not seen yet."""
    context = browser.new_context()
    shown = Visitor(context, stage).visit(next(page for page in FULL_PAGES if page.name == "full-event"), "fr")
    address: str = shown.url
    context.close()
    return address
