"""Mails that come back to the sender's mailbox: what the desk says where no provider tells it, and what is noted."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from registrations.domain import corrections, signup
from registrations.mailing import outbox
from registrations.models import AuditEntry, Delivery, Registration
from tests.admin_client import MAILS, act, logged_in, messages
from tests.factories import answers, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return logged_in()


@pytest.fixture
def provider(settings: Settings) -> None:
    """One that sends events."""
    settings.MAIL_EVENTS_VIEW = "registrations.views.mail_events.BrevoEvents"
    settings.ANYMAIL_WEBHOOK_SECRET = "user:a-long-enough-password"


def signed_up(email: str = "zoe@example.org") -> Registration:
    registration = signup.register(make_event(report=False), language="fr", **answers(email=email)).registration
    outbox.drain()
    return registration


def last_mail(registration: Registration) -> Delivery:
    return registration.deliveries.exclude(kind__startswith="reminder").latest("pk")


def write_again(registration: Registration) -> str:
    """Its state once the worker has had it in hand."""
    signup.send_link(registration, reason=Delivery.Reason.RESENT)
    outbox.drain()
    return last_mail(registration).state


def test_behind_a_plain_relay_the_desk_says_handed_over_and_where_returns_arrive(
    organiser: Client, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Webinaires <retours@example.org>"
    registration = signed_up()
    page = organiser.get(MAILS).text
    assert "Remis au serveur d’envoi" in page
    assert "Envoyé" not in page
    assert "un courriel qui revient arrive dans la boîte retours@example.org" in page
    assert "Par dit par le prestataire" not in page
    mail = organiser.get(f"{MAILS}{last_mail(registration).pk}/change/").text
    assert "inconnu ici\u00a0: un courriel qui revient arrive dans la boîte retours@example.org" in mail


@pytest.mark.usefixtures("provider")
def test_with_a_provider_s_events_the_list_filters_by_them_and_speaks_of_no_mailbox(organiser: Client) -> None:
    registration = signed_up()
    page = organiser.get(MAILS).text
    assert "dit par le prestataire" in page
    assert "un courriel qui revient" not in page
    assert "rien n’en a encore été dit" in organiser.get(f"{MAILS}{last_mail(registration).pk}/change/").text


@pytest.mark.parametrize("line", ["<{}>", "{}", "Message-ID: <{}>", " Message-Id:  <{}> "])
def test_the_message_id_of_a_returned_mail_finds_the_mail(organiser: Client, line: str) -> None:
    signed_up("autre@example.org")
    mail = last_mail(signed_up())
    found = organiser.get(MAILS, {"q": line.format(mail.message_id.strip("<>"))}).context["cl"].result_list
    assert list(found) == [mail]


def test_a_mail_noted_as_returned_stops_the_next_ones_until_the_address_is_corrected(organiser: Client) -> None:
    registration = signed_up()
    page = act(organiser, "came_back", last_mail(registration), path=MAILS)
    assert messages(page) == ["1 courriel est noté comme revenu."]
    assert write_again(registration) == "cancelled"
    assert last_mail(registration).error == "un courriel précédent est revenu\u00a0: cette adresse ne fonctionne pas"
    registration.email = "zoe.durand@example.org"
    registration.save()
    assert write_again(registration) == "sent"


def test_a_mail_that_has_not_left_cannot_have_come_back(organiser: Client) -> None:
    registration = signed_up()
    reminder = registration.deliveries.filter(kind="reminder_day").get()
    page = act(organiser, "came_back", reminder, path=MAILS, confirm=False)
    assert messages(page) == [
        "Aucun des courriels cochés ne peut être noté_: ils ne sont pas partis, ou leur retour est déjà connu."
    ]


def test_this_address_does_not_work_is_noted_on_the_person_and_taken_back(organiser: Client) -> None:
    registration = signed_up()
    assert messages(act(organiser, "address_fails", registration)) == [
        "1 adresse est notée comme ne fonctionnant pas."
    ]
    assert last_mail(registration).provider_status == "bounced"
    assert write_again(registration) == "cancelled"
    assert messages(act(organiser, "address_works", registration)) == ["Les courriels partent de nouveau à 1 adresse."]
    assert write_again(registration) == "sent"


def test_the_recipient_shown_is_where_a_mail_went_and_not_where_it_would_go_today(organiser: Client) -> None:
    registration = signed_up("fausse@example.org")
    corrections.ask_for_address(registration, email="juste@example.org")
    registration.refresh_from_db()
    corrections.confirm_address(registration)
    shown = {
        mail.kind: organiser.get(MAILS, {"kind__exact": mail.kind}).text for mail in registration.deliveries.all()
    }
    signup.send_link(registration, reason=Delivery.Reason.RESENT)
    page = organiser.get(MAILS, {"kind__exact": "confirmation"}).text
    assert page.count("fausse@example.org") == shown["confirmation"].count("fausse@example.org") == 1
    assert page.count("juste@example.org") == 2  # those that are still to leave


def test_who_may_not_change_people_stops_no_mail_to_them() -> None:
    registration = signed_up()
    user = User.objects.create_user("membre", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_delivery", "write_to_registrants"]))
    client = Client()
    client.force_login(user)
    sent = {"action": "came_back", "_selected_action": last_mail(registration).pk, "confirmed": "1"}
    assert client.post(MAILS, sent).status_code in {302, 403}
    assert last_mail(registration).provider_status == ""


def test_who_noted_a_return_and_of_whom_is_in_the_audit_log(organiser: Client) -> None:
    people = [signed_up(), signed_up("lea@example.org")]
    pks = [last_mail(registration).pk for registration in people]
    sent = {"action": "came_back", "_selected_action": pks, "confirmed": "2"}
    organiser.post(MAILS, sent)
    noted = AuditEntry.objects.filter(action="on_behalf", detail={"act": "came_back"}).order_by("about")
    assert [entry.about for entry in noted] == sorted(f"registrations.registration {one.pk}" for one in people)
