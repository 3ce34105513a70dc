"""A message is confirmed once, taken back in time, and still true when it leaves."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from registrations.domain import broadcasts, event_changes, signup, waiting_list
from registrations.mailing import outbox, relevance
from registrations.models import AuditEntry, Broadcast, Delivery, Event, Suppression
from registrations.models.mail_kinds import KINDS
from tests import mailbox
from tests.admin_client import messages
from tests.domain.broadcasts import confirm, let_pass, make_broadcast, page_of, sent_to, with_people
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


def outcome(broadcast: Broadcast) -> tuple[str, str]:
    let_pass(broadcast)
    outbox.drain()
    delivery = broadcast.deliveries.get()
    return delivery.state, delivery.error


# Confirmed once


def test_a_wrong_number_sends_nothing(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    for typed in ("", "3", "deux"):
        page = confirm(organiser, broadcast, typed)
        assert list(page.context["form"].errors) == ["typed"]
    assert sent_to(broadcast) == []


def test_the_right_number_sends_to_each_in_two_minutes_after_everything_else(organiser: Client) -> None:
    broadcast = make_broadcast(event := with_people())
    page = confirm(organiser, broadcast, 2)
    assert sent_to(broadcast) == ["ann@example.org", "zoe@example.org"]
    send_at = [delivery.send_at - timezone.now() for delivery in broadcast.deliveries.all()]
    assert all(timedelta(seconds=100) < one <= timedelta(seconds=120) for one in send_at)
    last = max(KINDS[kind].priority for kind in Delivery.Kind if kind != "broadcast")
    assert {delivery.priority for delivery in broadcast.deliveries.all()} == {last + 1}
    assert "Retirer le message" in page.text
    entry = AuditEntry.objects.get(action="bulk_mail")
    assert (entry.about, entry.detail["count"]) == (f"registrations.broadcast {broadcast.pk}", 2)
    assert LogEntry.objects.get(object_id=event.pk).get_change_message() == "Message à 2 personnes."


def test_a_button_pressed_twice_sends_once(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    sent = {"seen": organiser.get(page_of(broadcast)).context["seen"], "typed": 2}
    organiser.post(page_of(broadcast), sent)
    page = organiser.post(page_of(broadcast), sent, follow=True)
    assert "Retirer le message" in page.text
    assert len(sent_to(broadcast)) == 2
    assert AuditEntry.objects.filter(action="bulk_mail").count() == 1


def test_a_number_that_changes_at_the_last_moment_sends_nothing() -> None:
    broadcast = make_broadcast(event := with_people())
    make_registration(event)
    with pytest.raises(broadcasts.CountChanged):
        broadcasts.send(broadcast, count=2)
    broadcast.refresh_from_db()
    assert (broadcast.state, sent_to(broadcast)) == ("draft", [])


def test_what_someone_has_changed_meanwhile_is_read_once_more(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    sent = {"seen": organiser.get(page_of(broadcast)).context["seen"], "typed": 2}
    Broadcast.objects.filter(pk=broadcast.pk).update(body="Autre chose")
    page = organiser.post(page_of(broadcast), sent)
    assert messages(page) == ["Le message ou le webinaire a changé entre-temps_: relisez avant d’envoyer."]
    assert sent_to(broadcast) == []


def test_an_audience_of_nobody_has_no_button(organiser: Client) -> None:
    broadcast = make_broadcast(make_event())
    page = organiser.get(page_of(broadcast))
    assert "Personne ne correspond à ce choix" in page.text
    assert 'name="typed"' not in page.text


# Taken back


def test_within_two_minutes_one_button_drops_all_of_them_and_says_why(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    confirm(organiser, broadcast, 2)
    page = organiser.post(page_of(broadcast), {"take_back": "1"}, follow=True)
    assert messages(page) == ["Message retiré_: aucun de ces courriels ne part."]
    assert set(broadcast.deliveries.values_list("state", "error")) == {("cancelled", "l’équipe a retiré ce message")}
    assert "Retirer le message" not in page.text


def test_after_two_minutes_it_is_too_late(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    confirm(organiser, broadcast, 2)
    let_pass(broadcast)
    page = organiser.post(page_of(broadcast), {"take_back": "1"}, follow=True)
    assert messages(page) == ["Trop tard_: les courriels sont en route."]
    assert {delivery.state for delivery in broadcast.deliveries.all()} == {"pending"}


def test_a_mail_that_a_worker_holds_when_the_message_is_taken_back_does_not_leave_later() -> None:
    broadcast = make_broadcast((registration := make_registration()).event)
    broadcasts.send(broadcast, count=1)
    broadcast.deliveries.update(state="sending")
    broadcasts.take_back(broadcast)
    delivery = Delivery.objects.get(registration=registration)
    assert relevance.obsolete_reason(delivery) == "l’équipe a retiré ce message"


# True when it leaves


def test_it_arrives(outbox_folder: Path) -> None:
    registration = make_registration(first_name="Zoë", email="zoe@example.org")
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    assert outcome(broadcast) == ("sent", "")
    [message] = mailbox.read_folder(outbox_folder)
    assert (message["To"], "Bonjour Zoë," in mailbox.text(message)) == ("zoe@example.org", True)


def test_who_registers_meanwhile_receives_nothing() -> None:
    registration = make_registration()
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    signup.welcome(make_registration(registration.event))
    assert sent_to(broadcast) == [registration.email]


def test_who_withdraws_meanwhile_receives_nothing() -> None:
    registration = make_registration()
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    signup.withdraw(registration)
    assert outcome(broadcast) == ("cancelled", "l’inscription a été annulée")


def test_who_no_longer_waits_is_not_written_to_as_someone_who_does() -> None:
    registration = make_registration(status="waitlisted")
    broadcasts.send(broadcast := make_broadcast(registration.event, audience="waiting"), count=1)
    waiting_list.promote_one(registration)
    assert outcome(broadcast) == ("cancelled", "cette personne ne fait plus partie des destinataires du message")


def test_a_mailbox_left_alone_receives_nothing() -> None:
    registration = make_registration()
    Suppression.objects.add_address(registration.email)
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    assert outcome(broadcast)[0] == "cancelled"


def test_an_address_that_does_not_work_receives_nothing() -> None:
    registration = make_registration()
    Delivery.objects.create(
        registration=registration,
        kind="confirmation",
        state="sent",
        sent_to=registration.email,
        provider_status="bounced",
    )
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    assert outcome(broadcast)[0] == "cancelled"


def test_a_message_about_a_cancelled_event_still_leaves() -> None:
    registration = make_registration()
    event_changes.cancel(registration.event)
    broadcasts.send(broadcast := make_broadcast(Event.objects.get()), count=1)
    assert outcome(broadcast) == ("sent", "")
