"""After the form: the address corrected, the link sent again, a slip of the finger pointed out."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.models import Delivery, Event, Registration
from registrations.text import email_typos
from registrations.views import public
from tests import mailbox
from tests.factories import make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db


def correct(journey: Journey, event: Event, email: str) -> Any:
    return journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": email}, follow=True)


def test_a_wrong_address_is_corrected_and_what_went_to_it_ends_there(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@exmaple.org")
    [wrong] = journey.mails()
    links = [link.removeprefix("https://webinaires.example.org") for link in mailbox.links(mailbox.text(wrong))]
    page = correct(journey, event, "zoe@example.org")
    assert page.redirect_chain == [(f"/evenements/{event.slug}/merci/", 303)]
    assert "zoe@example.org" in page.text
    [registration] = Registration.objects.all()
    assert registration.email == "zoe@example.org"
    assert [mail["To"] for mail in journey.mails()] == ["zoe@exmaple.org", "zoe@example.org"]
    personal = [link for link in links if "donnees" not in link]
    assert {Client().get(link).status_code for link in personal} == {404}


def test_a_mail_that_has_not_left_for_the_wrong_address_never_leaves(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@exmaple.org")
    correct(journey, event, "zoe@example.org")
    assert [mail["To"] for mail in journey.mails()] == ["zoe@example.org"]


def test_whoever_typed_a_registered_address_by_mistake_is_signed_up_under_their_own(journey: Journey) -> None:
    event = make_event()
    stranger = make_registration(event, email="known@example.org", organisation="Secrète")
    journey.sign_up(event, email="known@example.org", organisation="La mienne")
    page = correct(journey, event, "own@example.org")
    assert "own@example.org" in page.text
    stranger.refresh_from_db()
    assert (stranger.email, stranger.organisation) == ("known@example.org", "Secrète")
    assert Registration.objects.get(email="own@example.org").organisation == "La mienne"


def test_correcting_to_a_registered_address_keeps_that_registration_and_one_only(journey: Journey) -> None:
    event = make_event()
    known = make_registration(event, email="zoe@example.org", organisation="La première")
    journey.sign_up(event, email="zoe@exmaple.org")
    correct(journey, event, "zoe@example.org")
    [left] = Registration.objects.all()
    assert (left, left.organisation) == (known, "La première")
    correct(journey, event, "encore@example.org")
    assert Registration.objects.get(email="encore@example.org") != known


def test_after_half_an_hour_the_way_is_the_link_in_the_mail(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    monkeypatch.setattr(public, "CORRECTED_WITHIN", 0)
    thanks = journey.client.get(f"/evenements/{event.slug}/merci/").text
    assert "Corriger mon adresse" not in thanks
    assert f"/evenements/{event.slug}/renvoyer/" in thanks
    assert correct(journey, event, "autre@example.org").redirect_chain == [
        (f"/evenements/{event.slug}/renvoyer/", 302)
    ]
    assert Registration.objects.get().email == "zoe@example.org"


def test_another_browser_corrects_nothing(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    answer = Client().post(f"/evenements/{event.slug}/corriger/", {"email": "voleur@example.org"})
    assert answer["Location"] == f"/evenements/{event.slug}/renvoyer/"
    assert Registration.objects.get().email == "zoe@example.org"


def test_a_sign_up_that_was_erased_meanwhile_is_not_taken_up_by_a_correction(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    Registration.objects.all().delete()
    page = correct(journey, event, "autre@example.org")
    assert page.redirect_chain == [(f"/evenements/{event.slug}/inscription/", 303)]
    assert not Registration.objects.exists()


def test_the_link_is_never_on_the_thank_you_page(journey: Journey) -> None:
    event = make_event(starts_in=timedelta(minutes=5))
    page = journey.sign_up(event)
    registration = Registration.objects.get()
    assert registration.join_code not in page.text
    assert registration.manage_code not in page.text
    assert "Ouvrez le message maintenant\u00a0: votre lien s’y trouve." in page.text


def test_a_full_event_says_so_to_everyone_who_signs_up(journey: Journey) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="known@example.org")
    unknown = journey.sign_up(event, email="other@example.org", first_name="Zoë")
    known = journey.sign_up(event, email="known@example.org", first_name="Zoë")
    for page in (known, unknown):
        assert "Votre demande est enregistrée" in page.text
        assert "votre place sur la liste d’attente" in page.text
    assert Registration.objects.get(email="other@example.org").is_waiting


@pytest.mark.parametrize("status", ["confirmed", "waitlisted", "cancelled", "nobody"])
def test_receive_my_link_answers_the_same_whoever_asks(client: Client, status: str) -> None:
    event = make_event()
    if status != "nobody":
        make_registration(event, email="zoe@example.org", status=status)
    page = client.post(f"/evenements/{event.slug}/renvoyer/", {"email": "ZOE@example.org"}, follow=True)
    assert page.redirect_chain == [(f"/evenements/{event.slug}/renvoyer/?envoye", 303)]
    assert "Si une inscription existe pour cette adresse, un message vient de lui être envoyé." in page.text
    owed = {"confirmed": ["confirmation"], "waitlisted": ["waiting_list"]}.get(status, [])
    assert list(Delivery.objects.values_list("kind", flat=True)) == owed


@pytest.mark.parametrize(("status", "kind"), [("postponed", "changed"), ("cancelled", "cancelled")])
def test_who_asks_for_the_link_of_an_event_that_does_not_take_place_is_told(
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
def test_a_slip_in_a_common_domain_is_recognised(typed: str, meant: str) -> None:
    assert email_typos.meant_domain(f"zoe@{typed}") == meant


def test_a_likely_slip_is_pointed_out_and_blocks_nothing(journey: Journey) -> None:
    event = make_event()
    page = journey.sign_up(event, email="zoe@gmial.com")
    assert "Vous avez écrit zoe@gmial.com\u00a0: vouliez-vous écrire gmail.com\u00a0?" in page.text
    assert Registration.objects.get().email == "zoe@gmial.com"
    form = journey.client.get(f"/evenements/{event.slug}/corriger/")
    assert 'value="zoe@gmail.com"' in form.text
    assert timezone.now() >= Delivery.objects.get(kind="confirmation").due
