"""Ten minutes before the start, with the mail server down: who signs up still enters, through the real processes."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.browser.test_sign_up import FORM, fill_in
from tests.network import free_port
from tests.site import RunningSite, wait_for

IN_TEN_MINUTES = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import Event
starts_at = timezone.now() + timedelta(minutes=10)
Event.objects.update(
    starts_at=starts_at, ends_at=starts_at + timedelta(minutes=90), connection_url="https://visio.example.net/salle"
)
"""


@pytest.fixture
def evening(site: RunningSite) -> RunningSite:
    """The site in production's processes, an event that starts in ten minutes, and nobody behind the mail server."""
    site.run("shell", "-v0", "-c", IN_TEN_MINUTES)
    site.env |= {"BASE_URL": site.address, "EMAIL_URL": f"smtp://127.0.0.1:{free_port()}"}
    site.start("up", "--port", str(site.port), "--workers", "1")
    site.wait_until_it_serves()
    return site


@pytest.mark.parametrize("scripts", [True, False])
def test_who_signs_up_while_the_mail_server_is_down_enters_the_room(
    browser: Browser, evening: RunningSite, scripts: bool
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 667}, java_script_enabled=scripts)
    page = Visitor(context, evening).open(FORM)
    fill_in(page, "zoe@example.org")
    page.get_by_role("button", name="Envoyer mon inscription").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")
    tried = "SELECT attempts FROM registrations_delivery WHERE kind = 'confirmation' AND attempts > 0"
    wait_for(lambda: evening.rows(tried), "the worker to try in vain")

    with page.expect_request(re.compile("^https://visio.example.net/salle$")):
        page.get_by_role("button", name="Entrer dans la salle").click(no_wait_after=True)
    context.close()
    assert evening.mails() == []
    sent = "SELECT count(*) FROM registrations_delivery WHERE sent_at IS NOT NULL"
    assert evening.rows(sent) == [(0,)]
