"""Each page of the table, in both languages: what machines can check of accessibility, safety and calm."""
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visitor
from tests.browser.pages import PAGES, SitePage
from tests.site import RunningSite

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => (await axe.run({runOnly: tags, resultTypes: ["violations"]})).violations.map(
    (v) => [v.id, v.nodes.map((n) => n.html.slice(0,200) + " | " + (n.any[0]||n.all[0]||n.none[0]||{}).message).slice(0,3)])"""


@pytest.fixture(scope="module")
def visitor(browser: Browser, stage: RunningSite) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    yield Visitor(context, stage)
    context.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_look(visitor: Visitor, page: SitePage) -> None:
    out: list[Any] = []
    for language in page.languages:
        t=time.time()
        visitor.complaints.clear()
        shown = visitor.visit(page, language)
        assert visitor.status == page.status
        t1=time.time()
        shown.evaluate(AXE)
        for scheme in ("light", "dark"):
            for width in (1100, 320):
                shown.emulate_media(color_scheme=scheme)
                shown.set_viewport_size({"width": width, "height": 800})
                t2=time.time()
                r = shown.evaluate(RUN, RULES)
                out += [(language, scheme, width, v) for v in r]
                if not visitor.fits_its_window(): out.append((language, width, "does not fit"))
                print(scheme,width,round(time.time()-t2,2))
        print(page.name, language, 'visit', round(t1-t,2), 'axe', round(time.time()-t1,2))
        if visitor.complaints or visitor.elsewhere: out.append((visitor.complaints[:], visitor.elsewhere[:]))
    assert out == []
