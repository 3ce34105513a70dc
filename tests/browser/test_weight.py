"""What the first visit weighs over the wire, and the page after it."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.site import RunningSite

EVENT = "/evenements/ceq-ctg-13-mai-2025/"
FIRST_VIEW = 45_000  # bytes, headers included (RGESN 2024, criterion 6.1)
NEXT_PAGE = 5_000
FETCHED = """() => performance.getEntriesByType("resource").filter((entry) => entry.transferSize > 0).length"""


@pytest.mark.parametrize("language", ["", "/en"])
def test_the_first_view_takes_five_requests_and_the_next_page_only_itself(
    browser: Browser, demo: RunningSite, language: str
) -> None:
    context = browser.new_context()
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
