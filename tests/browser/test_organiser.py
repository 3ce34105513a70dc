"""The organiser's guide (the help page), followed from an empty database."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visitor
from tests.browser.organiser import Organiser, start, tell
from tests.site import ROOT, RunningSite, own_database

GUIDE = ROOT / "templates" / "admin" / "help.html"


@pytest.mark.real_clock
@pytest.mark.typesetting
def test_from_an_empty_database_to_what_became_of_it_with_the_browser_alone(browser: Browser, tmp_path: Path) -> None:
    with own_database() as database_url, RunningSite(tmp_path, database_url) as site:
        start(site)
        context = browser.new_context(viewport={"width": 1100, "height": 700})
        visitor = Visitor(context, site)
        seen: list[str] = []

        tell(Organiser(visitor, lambda page, name: seen.append(name)))

        context.close()
    complaints = [words for words in visitor.complaints if not words.startswith("[DOM]")]  # advice on a stock form
    assert (complaints, visitor.elsewhere) == ([], [])
    assert seen == re.findall(r"img/guide/([\w-]+)\.png", GUIDE.read_text("utf-8"))  # each picture, in its order
