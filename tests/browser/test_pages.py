"""Every page of the table, in its languages: what machines can check of accessibility, safety and calm.

Each page is prepared and opened once, and all tests look at that window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from playwright.sync_api import Browser, Page
from tinyhtml5.parser import HTMLParser

from tests.browser.conftest import Visitor
from tests.browser.pages import PAGES
from tests.browser.people_pages import KEYBOARD
from tests.browser.scenes import SitePage
from tests.site import RunningSite

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that the scheme can break
BROKEN_RULES = """async (rules) => {
    const found = await axe.run({
        runOnly: rules, resultTypes: ["violations"], selectors: false, preload: {assets: ["media"]}
    });
    return found.violations.map((rule) => [rule.id, rule.help, ...rule.nodes.map((node) => node.html)]);
}"""
INLINE = "[style], style, script:not([src]):not([type='application/ld+json'])"
FROM_THE_TOP = """() => {
    window.stops = new Set();
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
}"""
WHERE_FOCUS_IS = """() => {
    const here = document.activeElement;
    if (!here || here === document.body || window.stops.has(here)) return null;
    window.stops.add(here);
    const style = getComputedStyle(here), box = here.getClientRects()[0];
    const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        what: here.outerHTML.slice(0, 120),
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        in_sight: box.top >= 0 && box.bottom <= innerHeight + 1 && box.left >= 0 && box.right <= innerWidth + 1,
        uncovered: above !== null && (here.contains(above) || above.contains(here)),
    };
}"""
TO_REACH = """() => {
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, iframe")];
    const radios = new Set();
    return all.filter((element) => {
        if (element.tabIndex < 0 || element.disabled || element.type === "hidden") return false;
        if (!element.checkVisibility()) return false;
        if (element.type !== "radio") return true;
        return radios.has(element.name) ? false : radios.add(element.name);
    }).length;
}"""
TALLEST = 10_000  # px of a window
LARGER = "html { font-size: 200%; }"
WIDER = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }"""  # WCAG 2.2, 1.4.12
RESTYLE = """(css) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
}"""
TEXT_OUT_OF_SIGHT = """() => {
    const hidden = ".visually-hidden, .not-for-people, .skip-link, option";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), lost = [];
    while (walker.nextNode()) {
        const node = walker.currentNode, range = document.createRange();
        if (!node.data.trim() || node.parentElement.closest(hidden)) continue;
        if (!node.parentElement.checkVisibility({contentVisibilityAuto: true})) continue;
        range.selectNodeContents(node);
        for (const box of range.getClientRects())
            if (box.left < -1 || box.right > innerWidth + 1) lost.push(node.data.trim());
    }
    return lost;
}"""


@dataclass(frozen=True)
class Shown:
    page: SitePage
    language: str
    visitor: Visitor

    @property
    def window(self) -> Page:
        return self.visitor.page

    def set(self, width: int, scheme: Any = "light") -> None:
        self.window.set_viewport_size({"width": width, "height": 700})
        self.window.emulate_media(color_scheme=scheme)

    def show_all(self) -> None:
        """Without scrolling, so that the bar that holds « Enregistrer » covers nothing."""
        size = self.window.viewport_size or {"width": 1100}
        height = self.window.evaluate("document.documentElement.scrollHeight")
        self.window.set_viewport_size({"width": size["width"], "height": min(height, TALLEST)})


@pytest.fixture(scope="module")
def visitor(browser: Browser, stage: RunningSite) -> Iterator[Visitor]:
    context = browser.new_context(reduced_motion="reduce")
    yield Visitor(context, stage)
    context.close()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((page, language), id=f"{page.name}.{language}") for page in PAGES for language in page.languages
    ],
)
def shown(request: pytest.FixtureRequest, visitor: Visitor) -> Shown:
    page, language = request.param
    visitor.complaints.clear()
    visitor.elsewhere.clear()
    visitor.visit(page, language)
    return Shown(page, language, visitor)


def test_it_answers_as_meant_and_complains_of_nothing(shown: Shown) -> None:
    assert shown.visitor.answer.status == shown.page.status
    assert (shown.visitor.complaints, shown.visitor.elsewhere) == ([], [])
    assert shown.window.locator("html").get_attribute("lang") == shown.language
    assert shown.window.title()
    assert "next=" not in shown.window.url  # a login form instead of the page
    if not shown.page.mail:
        assert shown.window.locator("h1").count() == 1
    if not shown.page.mail and not shown.page.admin:  # scripts of the stock admin set styles, through the DOM
        assert shown.window.locator(INLINE).count() == 0


def test_it_breaks_no_rule_of_accessibility(shown: Shown) -> None:
    rules = WCAG if shown.page.mail else [*WCAG, "best-practice"]  # a mail has no landmarks: its program has them
    if not shown.window.evaluate("'axe' in window"):
        shown.window.evaluate(AXE)
    looks: list[tuple[int, str, Any]] = [(320, "light", rules)]
    if (
        shown.language == shown.page.languages[0]
    ):  # a translation changes neither colours nor the wide layout's elements
        looks += [(1100, "light", rules), (320, "dark", OF_COLOURS)]
    found = {}
    for width, scheme, asked in looks:
        shown.set(width, scheme)
        if shown.page.admin:
            shown.show_all()
        found[width, scheme] = shown.window.evaluate(BROKEN_RULES, asked)
    assert found == {look: [] for look in found}


def test_nothing_scrolls_sideways(shown: Shown) -> None:
    fits = {}
    for width in (1100, 320):
        shown.set(width)
        fits[width] = shown.visitor.fits_its_window()
    assert fits == dict.fromkeys(fits, True)


def test_its_html_is_well_formed(shown: Shown) -> None:
    parser = HTMLParser(namespace_html_elements=False)
    root: Element = parser.parse(shown.visitor.sent.decode())
    assert parser.errors == []
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert sorted(ids) == sorted(set(ids))
    if shown.page.admin:
        return  # the stock admin names texts that its scripts will make
    named = [
        element.get(name, "") for element in root.iter() for name in ("for", "aria-describedby", "aria-labelledby")
    ]
    assert {name for names in named for name in names.split()} - set(ids) == set()


def next_stop(window: Page) -> Any:
    window.keyboard.press("Tab")
    return window.evaluate(WHERE_FOCUS_IS)


def test_the_keyboard_reaches_everything_and_shows_where_it_is(shown: Shown) -> None:
    if (shown.page.admin and shown.page.name not in KEYBOARD) or shown.page.mail:
        return  # the stock admin has lists of a hundred stops; in a mail the program shows the focus
    shown.set(375)
    shown.window.evaluate(FROM_THE_TOP)
    stops = list(iter(lambda: next_stop(shown.window), None))
    assert [stop for stop in stops if not (stop["outline"] >= 3 and stop["in_sight"] and stop["uncovered"])] == []
    assert len(stops) == shown.window.evaluate(TO_REACH)


def test_text_may_grow_without_loss_on_a_small_phone(shown: Shown) -> None:
    if shown.page.admin and shown.page.name not in KEYBOARD:
        return  # the stock admin scrolls its tables
    shown.set(320)
    seen = {}
    for change, css in {"text at 200 %": LARGER, "text spacing": WIDER}.items():
        shown.window.evaluate(RESTYLE, css)
        seen[change] = shown.window.evaluate(TEXT_OUT_OF_SIGHT), shown.visitor.fits_its_window()
    shown.window.evaluate(RESTYLE, "")
    assert seen == dict.fromkeys(seen, ([], True))
