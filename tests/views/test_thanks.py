"""After the sign-up: correcting the address, sending the link again, and the hint about a typing error."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.models import Delivery, Event, Registration
from registrations.text import email_typos
from registrations.web import signed_up
from tests import mailbox
from tests.factories import make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db


def correct(journey: Journey, event: Event, email: str) -> Any:
    return journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": email}, follow=True)


def test_a_wrong_address_is_corrected_and_its_links_stop_working(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@exmaple.org")
    [wrong] = journey.mails()
    links = [link.removeprefix("https://webinaires.example.org") for link in mailbox.links(mailbox.text(wrong))]
    page = correct(journey, event, "zoe@example.org")
    assert page.redirect_chain == [(f"/evenements/{event.slug}/merci/", 303)]
    assert "zoe@example.org" in page.text
    [registration] = Registration.objects.all()
    assert registration.email == "zoe@example.org"
    assert [mail["To"] for mail in journey.mails()[1:]] == ["zoe@exmaple.org", "zoe@example.org"]
    assert "L’adresse a été corrigée depuis" in mailbox.text(journey.mails()[1])
    personal = [link for link in links if "donnees" not in link]
    assert {Client().get(link).status_code for link in personal} == {404}


def test_a_pending_mail_to_the_wrong_address_is_not_sent(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@exmaple.org")
    correct(journey, event, "zoe@example.org")
    assert [mail["To"] for mail in journey.mails()] == ["zoe@example.org"]


def test_a_registered_address_typed_by_mistake_can_be_corrected(journey: Journey) -> None:
    event = make_event()
    stranger = make_registration(event, email="known@example.org", organisation="Secrète")
    journey.sign_up(event, email="known@example.org", organisation="La mienne")
    page = correct(journey, event, "own@example.org")
    assert "own@example.org" in page.text
    stranger.refresh_from_db()
    assert (stranger.email, stranger.organisation) == ("known@example.org", "Secrète")
    assert Registration.objects.get(email="own@example.org").organisation == "La mienne"


def test_correcting_to_a_registered_address_keeps_only_that_registration(journey: Journey) -> None:
    event = make_event()
    known = make_registration(event, email="zoe@example.org", organisation="La première")
    journey.sign_up(event, email="zoe@exmaple.org")
    correct(journey, event, "zoe@example.org")
    [left] = Registration.objects.all()
    assert (left, left.organisation) == (known, "La première")
    correct(journey, event, "encore@example.org")
    assert Registration.objects.get(email="encore@example.org") != known


def test_after_half_an_hour_the_page_refers_to_the_mail(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    monkeypatch.setattr(signed_up, "CORRECTED_WITHIN", timedelta())
    thanks = journey.client.get(f"/evenements/{event.slug}/merci/").text
    assert "Corriger mon adresse" not in thanks
    assert f"/evenements/{event.slug}/renvoyer/" in thanks
    assert correct(journey, event, "autre@example.org").redirect_chain == [
        (f"/evenements/{event.slug}/renvoyer/", 302)
    ]
    assert Registration.objects.get().email == "zoe@example.org"


def test_another_browser_cannot_correct_the_address(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    answer = Client().post(f"/evenements/{event.slug}/corriger/", {"email": "voleur@example.org"})
    assert answer["Location"] == f"/evenements/{event.slug}/renvoyer/"
    assert Registration.objects.get().email == "zoe@example.org"


def test_the_link_is_never_on_the_thank_you_page(journey: Journey) -> None:
    event = make_event(starts_in=timedelta(minutes=5))
    page = journey.sign_up(event)
    registration = Registration.objects.get()
    assert registration.join_code not in page.text
    assert registration.manage_code not in page.text


def test_a_full_event_says_so_to_everyone_who_signs_up(journey: Journey) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="known@example.org")
    unknown = journey.sign_up(event, email="other@example.org", first_name="Zoë")
    known = journey.sign_up(event, email="known@example.org", first_name="Zoë")
    for page in (known, unknown):
        assert "Votre demande est enregistrée" in page.text
        assert "un courriel qui dit où vous en êtes" in page.text
    assert Registration.objects.get(email="other@example.org").is_waiting


@pytest.mark.parametrize("status", ["confirmed", "waitlisted", "cancelled", "nobody"])
def test_the_answer_to_receive_my_link_is_the_same_for_all_addresses(client: Client, status: str) -> None:
    event = make_event()
    if status != "nobody":
        make_registration(event, email="zoe@example.org", status=status)
    page = client.post(f"/evenements/{event.slug}/renvoyer/", {"email": "ZOE@example.org"}, follow=True)
    assert page.redirect_chain == [(f"/evenements/{event.slug}/renvoyer/?envoye", 303)]
    assert "Si une inscription existe pour cette adresse, un courriel vient de lui être envoyé." in page.text
    mails = {"confirmed": ["confirmation"], "waitlisted": ["waiting_list"], "cancelled": ["withdrawn"]}
    owed = mails.get(status, [])
    assert list(Delivery.objects.exclude(registration=None).values_list("kind", flat=True)) == owed


@pytest.mark.parametrize(("status", "kind"), [("postponed", "changed"), ("cancelled", "cancelled")])
def test_asking_for_the_link_of_a_cancelled_or_postponed_event_sends_the_news(
    client: Client, status: str, kind: str
) -> None:
    registration = make_registration(make_event(status=status))
    client.post(f"/evenements/{registration.event.slug}/renvoyer/", {"email": registration.email})
    assert Delivery.objects.get().kind == kind


def test_a_malformed_address_is_explained_next_to_its_field(client: Client) -> None:
    page = client.post(f"/evenements/{make_event().slug}/renvoyer/", {"email": "zoe"})
    assert page.text.count("Saisissez une adresse électronique complète") == 2
    assert 'value="zoe"' in page.text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("wanado.fr", "wanadoo.fr"),
        ("hotmial.fr", "hotmail.fr"),
        ("gmail.com", ""),
        ("mail.com", ""),
        ("example.org", ""),
        ("fr.fr", ""),
        ("mairie-poissy.fr", ""),
    ],
)
def test_a_typing_error_in_a_common_domain_is_recognised(typed: str, meant: str) -> None:
    assert email_typos.meant_domain(f"zoe@{typed}") == meant


def test_a_mail_leaves_to_a_stranger_before_the_slip_in_the_address_was_proposed(journey: Journey) -> None:
    event = make_event()
    page = journey.sign_up(event, email="zoe@gmial.com")
    assert "Vous avez écrit zoe@gmial.com\u00a0: vouliez-vous écrire gmail.com\u00a0?" in page.text
    assert "Votre courriel part dans deux minutes, vers" in page.text
    assert "est en route" not in page.text
    assert Registration.objects.get().email == "zoe@gmial.com"
    form = journey.client.get(f"/evenements/{event.slug}/corriger/")
    assert 'value="zoe@gmail.com"' in form.text
    assert "Le courriel part deux minutes après la saisie de l’adresse" in page.text
    assert timezone.now() < Delivery.objects.get(kind="confirmation").send_at < timezone.now() + timedelta(minutes=2)
    assert journey.mails() == []
    correct(journey, event, "zoe@gmail.com")
    assert [mail["To"] for mail in journey.mails()] == ["zoe@gmail.com"]
