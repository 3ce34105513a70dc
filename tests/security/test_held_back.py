"""First confirmations that strangers try to hold back, and what is said of mails that a limit holds back."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from registrations.domain import corrections, signup
from registrations.models import Event, Registration
from registrations.models.suppression import mailbox_of
from registrations.security import rate_limits
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


def test_a_stranger_who_moves_a_sign_up_to_and_fro_gets_few_mails_into_a_mailbox(journey: Journey) -> None:
    registration = make_registration(email="stranger@example.org")
    event = registration.event
    for turn in range(21):
        address = f"stranger{turn}@example.net" if turn % 2 else "victim@example.org"
        typed = corrections.answers(registration)
        done = corrections.correct_sign_up(event, registration.pk, email=address, language="fr", **typed)
        registration = done.registration
        mails = journey.mails()
    assert sum(mail["To"] == "victim@example.org" for mail in mails) <= 5
    assert Registration.objects.filter(email="victim@example.org").exists()  # it stays, and has had its mail


@pytest.mark.parametrize("moves", range(1, 12))
def test_a_stranger_who_moves_sign_ups_to_and_fro_does_not_delay_the_first_confirmation_of_the_owner(
    moves: int,
) -> None:
    event = make_event(report=False)
    for _ in range(3):
        registration = signup.register(event, language="fr", **answers(email="victim@example.org")).registration
    for turn in range(moves):
        address = "victim@example.org" if turn % 2 else f"stranger{turn}@example.net"
        typed = corrections.answers(registration)
        registration = corrections.correct_sign_up(
            event, registration.pk, email=address, language="fr", asked_from="198.51.100.7", **typed
        ).registration
    signup.register(event, language="fr", **answers(email="victim@example.org"))
    assert 0 * HOUR in delays_of("victim@example.org")


@pytest.mark.parametrize("address", ["zoe.dupont@gmail.com", "zoe+webinaire@example.org"])
def test_a_stranger_who_fills_a_mailbox_does_not_delay_its_owner_who_spells_it_otherwise(address: str) -> None:
    event, mailbox = make_event(report=False), mailbox_of(address).replace("@", "+{}@")
    for number in range(9):
        typed = answers(email=mailbox.format(number))
        signup.register(event, language="fr", asked_from="198.51.100.7", **typed)
    signup.register(event, language="fr", asked_from="203.0.113.9", **answers(email=address))
    assert delays_of(address) == [0 * HOUR]


def test_a_stranger_with_many_networks_gets_few_mails_into_a_mailbox() -> None:
    event = make_event(report=False)
    for number in range(60):
        typed = answers(email=f"zoe+{number}@example.org")
        signup.register(event, language="fr", asked_from=f"198.51.100.{number}", **typed)
    assert delays_of("zoe").count(0 * HOUR) == 3 + rate_limits.FIRST_MAILS_FROM_ALL_ORIGINS.limit
    signup.register(event, language="fr", asked_from="203.0.113.9", **answers(email="zoe@example.org"))
    assert delays_of("zoe@") == [0 * HOUR]


def thanked(client: Client, event: Event, email: str) -> str:
    client.cookies.clear()
    page: str = Journey(client, Path()).sign_up(event, email=email).text
    return page.replace(email, "").partition("csrf")[0]


@pytest.mark.parametrize("is_known", [True, False])
def test_links_that_somebody_asked_for_do_not_tell_later_who_is_registered(client: Client, *, is_known: bool) -> None:
    event = make_event(report=False)
    if is_known:
        make_registration(event, email="zoe@example.org")
    for _ in range(4):
        client.post(f"/evenements/{event.slug}/renvoyer/", {"email": "zoe@example.org"})
    pages = [thanked(client, event, email) for email in ("zoe+x@example.org", "zoe@example.org", "zoe@example.org")]
    assert ["est en route" in page for page in pages] == [True, True, True]


def test_a_mailbox_at_its_limit_is_told_the_same_words_for_a_known_address_and_an_unknown_one(client: Client) -> None:
    event = make_event(report=False)
    make_registration(event, email="zoe@example.org")
    seen = []
    for local_part in ("zoe", "lea"):
        for number in range(3):
            sign_up(f"{local_part}+{number}@example.org")
        seen.append(thanked(client, event, f"{local_part}@example.org"))
    assert seen[0] == seen[1]
    assert "Une première confirmation qui n’est pas encore partie" in seen[0]


def test_after_a_correction_the_page_says_that_the_mail_may_leave_later(journey: Journey) -> None:
    event = make_event(report=False)
    for number in range(3):
        sign_up(f"zoe+{number}@example.org")
    assert "est en route" in journey.sign_up(event, email="wrong@example.org").text
    page = journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": "zoe+9@example.org"}, follow=True)
    assert "Une première confirmation qui n’est pas encore partie" in page.text
    assert "est en route" not in page.text


def test_a_mail_that_is_held_back_is_not_said_to_be_on_its_way(settings: Settings, journey: Journey) -> None:
    settings.EVENT_MAILS_PER_HOUR = 2
    event = make_event(report=False)
    pages = [journey.sign_up(event, email=f"n{number}@example.org").text for number in range(3)]
    again = journey.sign_up(event, email="n0@example.org").text  # a known address is told the same
    assert ["est en route" in page for page in [*pages, again]] == [True, True, False, False]
    assert ["votre courriel partira un peu plus tard" in page for page in [*pages, again]] == [
        False,
        False,
        True,
        True,
    ]


def test_the_desk_shows_a_confirmation_that_is_held_back(admin_client: Client) -> None:
    for number in range(4):
        sign_up(f"zoe+{number}@example.org")
    people = admin_client.get("/admin/registrations/registration/", {"q": "zoe+3@example.org"})
    [row] = people.context["cl"].result_list
    assert (row.mail.look, str(row.mail.words)) == ("notice", "Retenu")
    page = admin_client.get(f"/admin/registrations/registration/{row.pk}/change/").text
    assert "Retenu par une limite, part le" in page


@pytest.mark.parametrize("typed", ["zoe@ex\u00adample.org", "Zoe+1@EXAMPLE.org", "zoe＠example.org."])
def test_another_spelling_of_the_domain_is_no_other_mailbox(typed: str) -> None:
    assert mailbox_of(AddressField().clean(typed)) == "zoe@example.org"
