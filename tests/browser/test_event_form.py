"""The form of an event in a real browser: unsaved text, the zone beside the hours, and the preview."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_admin import MAKE_ACCOUNT, PASSWORD
from tests.site import RunningSite

EMPTY = "from registrations.models import Registration; Registration.objects.all().delete()"
FORM = "/admin/registrations/event/1/change/"


@pytest.fixture
def visitor(browser: Browser, site: RunningSite) -> Iterator[Visitor]:
    """At the form of an event that nobody has signed up for."""
    site.run("shell", "--verbosity", "0", "-c", f"{MAKE_ACCOUNT}; {EMPTY}")
    site.env["STAFF_OTP"] = "off"
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    context = browser.new_context()
    visitor = Visitor(context, site)
    page = visitor.open(FORM)
    page.locator("#id_username").fill("organisatrice")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.locator("#event_form")).to_be_visible()
    yield visitor
    context.close()
    assert (visitor.complaints, visitor.elsewhere) == ([], [])


def unfold(page: Page) -> None:
    page.locator("details.fold > summary", has_text="Présentation").click()


def questions(page: Page) -> list[str]:
    """Note each question of the browser, and stay."""
    asked: list[str] = []

    def note(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", note)
    return asked


def test_leaving_asks_first_while_a_text_is_not_saved(visitor: Visitor) -> None:
    page = visitor.page
    asked = questions(page)
    page.get_by_role("link", name="Aide", exact=True).click()  # nothing is typed yet
    expect(page).to_have_url(f"{visitor.site.address}/admin/aide/")
    visitor.open(FORM)
    unfold(page)
    page.locator("#id_summary").fill("Un résumé que personne ne doit perdre.")
    page.get_by_role("link", name="Aide", exact=True).click()
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    expect(page.locator("#id_summary")).to_have_value("Un résumé que personne ne doit perdre.")
    page.locator("[name=_save]").last.click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert asked == ["beforeunload"]


def test_the_preview_opens_beside_the_form_with_what_is_typed(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#id_title").fill("Un titre à l’essai")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Aperçu de la page").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Un titre à l’essai")
    asked = questions(page)
    page.get_by_role("link", name="Aide", exact=True).click()
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]  # the preview has saved nothing


def test_the_zone_beside_each_hour_is_the_one_that_is_chosen(visitor: Visitor) -> None:
    page = visitor.page
    named = page.locator("[data-zone]")
    expect(named).to_have_text(["Heure de Paris"] * 4)
    unfold(page)
    page.locator("#id_timezone").select_option("Pacific/Noumea")
    expect(named).to_have_text(["Heure de Nouméa"] * 4)
