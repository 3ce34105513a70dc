"""First confirmations that strangers try to hold back, and what is said of mails that a limit holds back."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from registrations.domain import corrections, signup
from registrations.models import Delivery
from registrations.models.suppression import mailbox_of
from registrations.web.fields import AddressField
from tests.factories import answers, make_event, make_registration
from tests.journey import Journey
from tests.security.test_rate_limits import HOUR, delays_of, sign_up

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["zoe@example.org", "zoe.d@gmail.com", "zoe+webinaire@example.org"])
def test_a_stranger_who_asks_for_links_of_an_address_does_not_delay_its_first_confirmation(
    client: Client, address: str
) -> None:
    event = make_event(report=False)
    for _ in range(5):
        client.post(f"/evenements/{event.slug}/renvoyer/", {"email": address})
    signup.register(event, language="fr", **answers(email=address))
    assert delays_of(address) == [0 * HOUR]


def test_a_stranger_who_fills_a_mailbox_does_not_delay_the_first_confirmation_of_its_owner(client: Client) -> None:
    for number in range(3):
        sign_up(f"zoe+{number}@example.org")
    for _ in range(2):
        sign_up("Zoe@example.org")
    assert delays_of("Zoe@example.org") == [0 * HOUR, 0 * HOUR]


def test_a_stranger_who_moves_a_sign_up_to_and_fro_gets_few_mails_into_a_mailbox() -> None:
    registration = make_registration(email="stranger@example.org")
    for turn in range(9):
        address = f"stranger{turn}@example.net" if turn % 2 else "victim@example.org"
        typed = corrections.answers(registration)
        done = corrections.correct_sign_up(registration.event, registration.pk, email=address, language="fr", **typed)
        registration = done.registration
    mails = Delivery.objects.filter(kind="confirmation", recipient="").order_by("pk")
    assert [round((mail.send_at - timezone.now()) / HOUR) for mail in mails][::2] == [0, 0, 0, 0, 24]


def test_a_mail_that_is_held_back_is_not_said_to_be_on_its_way(settings: Settings, journey: Journey) -> None:
    settings.EVENT_MAILS_PER_HOUR = 2
    event = make_event(report=False)
    pages = [journey.sign_up(event, email=f"n{number}@example.org").text for number in range(3)]
    again = journey.sign_up(event, email="n0@example.org").text  # a known address is told the same
    assert ["est en route" in page for page in [*pages, again]] == [True, True, False, False]
    assert ["votre message partira un peu plus tard" in page for page in [*pages, again]] == [False, False, True, True]


def test_the_desk_shows_a_confirmation_that_is_held_back(admin_client: Client) -> None:
    for number in range(4):
        sign_up(f"zoe+{number}@example.org")
    people = admin_client.get("/admin/registrations/registration/", {"q": "zoe+3@example.org"}).text
    assert "Retenu par une limite, part le" in people


@pytest.mark.parametrize("typed", ["zoe@ex\u00adample.org", "Zoe+1@EXAMPLE.org", "zoe＠example.org."])
def test_another_spelling_of_the_domain_is_no_other_mailbox(typed: str) -> None:
    assert mailbox_of(AddressField().clean(typed)) == "zoe@example.org"
