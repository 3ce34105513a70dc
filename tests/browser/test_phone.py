"""The page of an event on a phone, and for who is in another time zone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.pages import PAGES
from tests.site import RunningSite

PHONE = {"width": 375, "height": 667}

type Shows = Callable[..., Page]


@pytest.fixture
def shows(browser: Browser, stage: RunningSite) -> Iterator[Shows]:
    """Opens a page of the table on a phone."""
    contexts = []

    def show(name: str, **options: Any) -> Page:
        contexts.append(browser.new_context(**{"viewport": PHONE, "reduced_motion": "reduce", **options}))
        return Visitor(contexts[-1], stage).visit(next(page for page in PAGES if page.name == name), "fr")

    yield show
    for context in contexts:
        context.close()


def top_of_button(page: Page) -> float:
    box = page.locator(".call .button").bounding_box()
    assert box
    return box["y"]


@pytest.mark.parametrize(
    "name", ["event-open", "event-first", "event-full", "event-live", "event-today", "full-event", "full-event-today"]
)
def test_the_button_is_in_the_first_screen_of_a_phone(shows: Shows, name: str) -> None:
    assert 0 < top_of_button(shows(name)) < 600


@pytest.mark.parametrize("width", [320, 375])
def test_under_a_logo_and_a_title_of_many_lines_all_of_the_button_is_in_the_first_screen(
    shows: Shows, width: int
) -> None:
    page = shows("full-event", viewport={"width": width, "height": 667})
    title = page.locator("h1")
    lines = title.evaluate("h1 => h1.clientHeight / parseFloat(getComputedStyle(h1).lineHeight)")
    assert lines >= 3
    box = page.locator(".call .button").bounding_box()
    assert box
    assert box["y"] + box["height"] < 600


def test_a_very_long_title_leaves_the_button_at_the_foot_of_the_first_screen(shows: Shows) -> None:
    assert top_of_button(shows("event-long-words")) < PHONE["height"] - 48


def test_the_button_stays_in_sight_when_the_page_is_scrolled(shows: Shows) -> None:
    page = shows("event-first")
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    assert 0 <= top_of_button(page) < 20
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert top_of_button(page) < 20


@pytest.mark.parametrize(
    ("zone", "is_shown"), [("Europe/Paris", False), ("Europe/Brussels", False), ("America/Cayenne", True)]
)
def test_the_hours_where_the_visitor_is_stand_beside_those_of_paris(shows: Shows, zone: str, is_shown: bool) -> None:
    line = shows("event-open", timezone_id=zone).locator(".local-time")
    if is_shown:
        expect(line).to_contain_text("Chez vous\u00a0:")
        expect(line).to_contain_text("\u00a0h")
    expect(line).to_be_visible(visible=is_shown)


def test_without_a_script_the_overseas_hours_are_in_a_fold(shows: Shows) -> None:
    page = shows("event-open", java_script_enabled=False, timezone_id="America/Cayenne")
    expect(page.locator(".local-time")).to_be_hidden()
    page.get_by_text("L’heure dans les outre-mer").click()
    expect(page.get_by_text("Guadeloupe, Martinique")).to_be_visible()


def test_calendars_are_asked_for_nothing_before_the_click(shows: Shows, stage: RunningSite) -> None:
    page = shows("event-open")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Ajouter à mon agenda").click()
    expect(page.get_by_role("link", name="Google Agenda")).to_be_visible()
    assert [url for url in asked if not url.startswith(stage.address)] == []
