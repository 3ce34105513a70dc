"""The preview of the mails in a real browser: the HTML of what is typed is shown without a further click."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.test_event_form import FORM, visitor  # noqa: F401 - a fixture


def test_the_html_of_a_mail_shows_what_is_typed(visitor: Visitor) -> None:  # noqa: F811
    page = visitor.open(FORM)
    page.locator("#id_contact_name").fill("Odile Essai")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Aperçu des courriels").click()
    preview = opened.value
    expect(preview.frame_locator("iframe[name=mail]").locator("body")).to_contain_text("Odile Essai")
