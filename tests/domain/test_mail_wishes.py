"""Messages and mails of the clock may be switched off without losing the seat; what concerns the seat leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from registrations.domain import broadcasts, event_changes, mail_wishes, signup
from registrations.mailing import outbox, reminders
from registrations.models import Broadcast, Delivery, Registration
from tests import mailbox
from tests.admin_client import logged_in
from tests.domain.broadcasts import composed, make_broadcast
from tests.factories import answers, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
Kind, State = Delivery.Kind, Delivery.State
CLOCK = [Kind.REMINDER_DAY, Kind.REMINDER_HOUR, Kind.FOLLOW_UP]


def signed_up(**fields: object) -> Registration:
    event = make_event(report=False, follow_up_hours_after=3, **fields)  # type: ignore[arg-type]
    return signup.register(event, language="fr", **answers()).registration


def page(registration: Registration, name: str = "") -> str:
    return f"/mon-inscription/{registration.manage_code}/{name}"


def clock_mails(registration: Registration) -> dict[str, int]:
    mails = registration.deliveries.filter(kind__in=CLOCK)
    return {state: mails.filter(state=state).count() for state in (State.PENDING, State.CANCELLED)}


def test_a_message_carries_a_way_out_with_one_click() -> None:
    registration = make_registration()
    message = composed(make_broadcast(registration.event), registration)
    assert message["List-Unsubscribe"].strip() == f"<{registration.stop_messages_url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Ne plus recevoir les messages"), ("en", "Stop receiving messages")],
)
def test_a_message_says_in_words_how_to_stop_them(language: str, words: str) -> None:
    registration = make_registration(language=language)
    message = composed(make_broadcast(registration.event), registration)
    assert f"{registration.stop_messages_url}\n" in mailbox.text(message)
    assert f'{registration.stop_messages_url}"' in mailbox.html(message)
    for part in (mailbox.text(message), mailbox.html(message)):
        assert words in part


def test_the_one_click_of_a_mail_program_stops_messages_and_keeps_the_seat() -> None:
    """RFC 8058, section 3.2: a POST without a cookie, answered by no redirection."""
    registration = signed_up()
    before = clock_mails(registration)
    client = Client(enforce_csrf_checks=True)
    answer = client.post(page(registration, "messages/"), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    registration.refresh_from_db()
    assert (registration.wants_messages, registration.wants_reminders, registration.is_seated) == (False, True, True)
    assert clock_mails(registration) == before


def test_many_one_clicks_from_one_address_are_all_heard() -> None:
    """A large mail provider sends them all from few machines."""
    people = [make_registration(make_event()) for _ in range(40)]
    client = Client()
    statuses = {client.post(page(one, "messages/"), {"List-Unsubscribe": "One-Click"}).status_code for one in people}
    assert statuses == {200}


def test_a_scanner_that_opens_the_address_stops_nothing(client: Client) -> None:
    registration = make_registration()
    answer = client.get(page(registration, "messages/"))
    assert "Arrêter les messages" in answer.text
    assert answer.text.count('type="submit"') == 1
    registration.refresh_from_db()
    assert registration.wants_messages


def test_a_message_is_neither_enqueued_nor_counted_for_who_wants_none() -> None:
    event = make_event()
    make_registration(event)
    make_registration(event, wants_messages=False)
    broadcast = make_broadcast(event)
    assert broadcast.recipients().count() == 1
    broadcasts.send(broadcast, count=1)
    assert Delivery.objects.filter(kind=Kind.BROADCAST).count() == 1


def test_the_review_of_a_message_says_how_many_want_none() -> None:
    event = make_event()
    make_registration(event)
    for _ in range(3):
        make_registration(event, wants_messages=False)
    broadcast = make_broadcast(event)
    review = logged_in().get(f"/admin/registrations/event/{event.pk}/write/{broadcast.pk}/")
    assert "3 personnes ne veulent pas de messages" in review.text


def test_a_message_that_waits_does_not_leave_to_who_has_just_stopped_them() -> None:
    registration = make_registration(make_event(report=False))
    broadcast = make_broadcast(registration.event)
    broadcasts.send(broadcast, count=1)
    Delivery.objects.update(send_at=broadcast.created_at)
    mail_wishes.wish(registration, messages=False)
    outbox.drain()
    mail = Delivery.objects.get(kind=Kind.BROADCAST)
    assert (mail.state, mail.error) == (State.CANCELLED, "cette personne ne veut pas de messages de l’équipe")


def test_who_wants_no_reminders_gets_none_and_has_them_back_on_asking(client: Client) -> None:
    registration = signed_up()
    client.post(page(registration, "courriels/"), {"messages": "on"})
    registration.refresh_from_db()
    assert (registration.wants_messages, registration.wants_reminders) == (True, False)
    assert clock_mails(registration) == {State.PENDING: 0, State.CANCELLED: 3}
    client.post(page(registration, "courriels/"), {"messages": "on", "reminders": "on"})
    assert clock_mails(registration) == {State.PENDING: 3, State.CANCELLED: 3}


def test_a_choice_that_changes_nothing_plans_no_second_reminder(client: Client) -> None:
    registration = signed_up()
    for _ in range(2):
        client.post(page(registration, "courriels/"), {"messages": "on", "reminders": "on"})
    assert clock_mails(registration) == {State.PENDING: 3, State.CANCELLED: 0}


def test_a_new_date_plans_no_reminder_for_who_wants_none() -> None:
    registration = signed_up()
    mail_wishes.wish(registration, mails_of_the_clock=False)
    event = registration.event
    later: dict[str, Any] = {
        "starts_at": event.starts_at + timedelta(days=1),
        "ends_at": event.ends_at + timedelta(days=1),
    }
    event_changes.reschedule(event, **later)
    assert clock_mails(registration)[State.PENDING] == 0
    assert registration.deliveries.filter(kind=Kind.CHANGED, state=State.PENDING).exists()


def test_a_seat_that_becomes_free_brings_no_reminder_that_was_not_wanted() -> None:
    event = make_event(report=False)
    assert reminders.planned(make_registration(event, wants_reminders=False)) == []


def test_a_reminder_that_is_due_does_not_leave_to_who_wants_none() -> None:
    registration = make_registration(make_event(report=False), wants_reminders=False)
    Delivery.objects.enqueue(registration, Kind.REMINDER_HOUR)
    outbox.drain()
    mail = registration.deliveries.get()
    assert (mail.state, mail.error) == (State.CANCELLED, "cette personne ne veut pas de rappels")


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.UPDATED])
def test_what_concerns_the_seat_always_leaves(kind: Delivery.Kind) -> None:
    registration = make_registration(make_event(report=False), wants_reminders=False, wants_messages=False)
    Delivery.objects.enqueue(registration, kind)
    outbox.drain()
    assert registration.deliveries.get().state == State.SENT


def test_cancelled_and_withdrawn_leave_to_who_wants_nothing_else() -> None:
    registration = make_registration(make_event(report=False), wants_reminders=False, wants_messages=False)
    other = make_registration(registration.event, wants_reminders=False, wants_messages=False)
    signup.withdraw(other)
    outbox.drain()
    event_changes.cancel(registration.event)
    outbox.drain()
    sent = set(Delivery.objects.filter(state=State.SENT).values_list("kind", flat=True))
    assert sent == {Kind.WITHDRAWN, Kind.CANCELLED}


def test_both_are_shown_and_changed_on_ones_own_page(client: Client) -> None:
    registration = make_registration(make_past_event(), wants_messages=False)
    shown = client.get(page(registration)).text
    assert 'name="reminders" id="wants-reminders" checked' in shown
    assert 'name="messages" id="wants-messages">' in shown


def test_the_desk_shows_what_a_person_wants() -> None:
    registration = make_registration(wants_messages=False)
    shown = logged_in().get(f"/admin/registrations/registration/{registration.pk}/change/").text
    assert "<dt>Messages de l’équipe</dt><dd>plus souhaités</dd>" in shown
    assert "<dt>Rappels</dt>" not in shown


def test_ones_own_data_says_what_one_wants(client: Client) -> None:
    registration = make_registration(wants_messages=False)
    mine = client.get(page(registration, "mes-donnees.json")).json()["registration"]
    assert (mine["wants_messages"], mine["wants_reminders"]) == (False, True)


def test_the_audience_of_a_message_is_whom_the_organiser_means() -> None:
    event = make_event()
    make_registration(event, wants_messages=False)
    broadcast: Broadcast = make_broadcast(event)
    assert (broadcast.chosen().count(), broadcast.recipients().count()) == (1, 0)
