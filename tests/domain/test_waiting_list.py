"""Few seats and many people: who gets a seat, who waits, and what each of them is told."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.domain import event_changes, signup, waiting_list
from registrations.mailing import outbox
from registrations.models import Delivery, Event, Registration
from tests import mailbox
from tests.factories import answers, make_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db


def sign_up(event: Event, email: str = "", **typed: Any) -> Registration:
    typed = answers(**({"email": email} if email else {}), **typed)
    return signup.register(event, language="en", **typed).registration


def statuses(event: Event) -> list[str]:
    return list(event.registrations.order_by("pk").values_list("status", flat=True))


def owed(registration: Registration) -> list[tuple[str, str]]:
    """What is about to leave, without what leaves by the clock."""
    by_the_clock = ["reminder_day", "reminder_hour", "follow_up"]
    pending = registration.deliveries.pending().exclude(kind__in=by_the_clock)
    return list(pending.order_by("pk").values_list("kind", "reason"))


def reminders_of(registration: Registration) -> list[str]:
    mails = registration.deliveries.pending().filter(kind__in=["reminder_day", "reminder_hour"])
    return sorted(mails.values_list("kind", flat=True))


def test_when_all_seats_are_taken_people_wait_in_the_order_of_their_coming() -> None:
    event = make_event(capacity=1)
    seated, first, second = sign_up(event), sign_up(event), sign_up(event)

    assert statuses(event) == ["confirmed", "waitlisted", "waitlisted"]
    assert list(event.registrations.on_waiting_list()) == [first, second]
    assert [first.waiting_position, second.waiting_position] == [1, 2]
    assert owed(seated) == [("confirmation", "new")]
    assert owed(first) == [("waiting_list", "new")]
    assert reminders_of(seated) == ["reminder_day", "reminder_hour"]
    assert not reminders_of(first)


def test_a_full_event_without_a_waiting_list_takes_nobody_and_writes_nothing() -> None:
    event = make_event(capacity=1, waiting_list=False)
    sign_up(event)
    with pytest.raises(signup.SignUpClosed):
        sign_up(event)
    assert statuses(event) == ["confirmed"]


def test_a_sign_up_says_whether_the_event_was_full_the_same_for_a_known_address() -> None:
    event = make_event(capacity=1)
    told = [signup.register(event, language="en", **answers(email=email)) for email in ("a@x.fr", "b@x.fr", "a@x.fr")]
    assert [(done.is_new, done.was_full) for done in told] == [(True, False), (True, True), (False, True)]


@pytest.mark.django_db(transaction=True)
def test_the_last_seat_is_given_once_to_twelve_who_come_together() -> None:
    event = make_event(capacity=3)
    for _ in range(2):
        sign_up(event)

    problems = together([partial(sign_up, Event.objects.get()) for _ in range(12)])

    assert problems == []
    assert sorted(statuses(event)) == ["confirmed"] * 3 + ["waitlisted"] * 11
    assert Delivery.objects.filter(kind="confirmation").count() == 3
    assert Delivery.objects.filter(kind="waiting_list").count() == 11


@pytest.mark.django_db(transaction=True)
def test_without_a_list_the_last_seat_is_given_once_and_the_others_are_told_so() -> None:
    event = make_event(capacity=1, waiting_list=False)
    problems = together([partial(sign_up, Event.objects.get()) for _ in range(12)])
    assert [type(problem) for problem in problems] == [signup.SignUpClosed] * 11
    assert statuses(event) == ["confirmed"]


@pytest.mark.typesetting
def test_a_seat_given_back_goes_to_the_first_in_line_at_once_with_a_mail_of_its_own(outbox_folder: Path) -> None:
    event = make_event(capacity=1)
    leaving, first, second = sign_up(event, "leaving@x.fr"), sign_up(event, "first@x.fr"), sign_up(event)
    outbox.drain()

    signup.withdraw(leaving)

    assert statuses(event) == ["cancelled", "confirmed", "waitlisted"]
    assert (owed(leaving), owed(first), owed(second)) == ([("withdrawn", "seat")], [("promoted", "promoted")], [])
    assert (reminders_of(leaving), reminders_of(first)) == ([], ["reminder_day", "reminder_hour"])

    outbox.drain()
    [withdrawn, promoted] = mailbox.read_folder(outbox_folder)[-2:]
    assert (withdrawn["To"], promoted["To"]) == ("leaving@x.fr", "first@x.fr")
    assert b"METHOD:CANCEL" in mailbox.part(withdrawn, "text/calendar")
    assert promoted["Subject"].startswith("A seat is yours: webinar of ")
    assert b"METHOD:REQUEST" in mailbox.part(promoted, "text/calendar")
    assert mailbox.attachment_names(promoted) == ["invitation.ics", "presentation-etude.pdf"]
    first.refresh_from_db()
    assert first.join_url in mailbox.text(promoted)


@pytest.mark.django_db(transaction=True)
def test_seats_given_back_at_the_same_moment_are_given_on_as_many_times() -> None:
    event = make_event(capacity=4)
    leaving = [sign_up(event) for _ in range(4)]
    waiting = [sign_up(event) for _ in range(6)]

    assert together([partial(signup.withdraw, registration) for registration in leaving]) == []

    assert statuses(event) == ["cancelled"] * 4 + ["confirmed"] * 4 + ["waitlisted"] * 2
    assert Delivery.objects.filter(kind="promoted").count() == 4
    assert [registration.waiting_position for registration in event.registrations.on_waiting_list()] == [1, 2]
    assert list(event.registrations.on_waiting_list()) == waiting[4:]


@pytest.mark.django_db(transaction=True)
def test_seats_given_back_while_others_sign_up_are_given_neither_twice_nor_to_nobody() -> None:
    event = make_event(capacity=3)
    leaving = [sign_up(event) for _ in range(3)]
    for _ in range(2):
        sign_up(event)

    acts = [partial(signup.withdraw, registration) for registration in leaving]
    assert together([*acts, *(partial(sign_up, Event.objects.get()) for _ in range(5))]) == []

    assert sorted(statuses(event)) == ["cancelled"] * 3 + ["confirmed"] * 3 + ["waitlisted"] * 4


@pytest.mark.parametrize(("capacity", "promoted"), [(3, 2), (2, 1), (1, 0), (None, 3)])
def test_more_seats_promote_as_many_as_there_are(capacity: int | None, promoted: int) -> None:
    event = make_event(capacity=1)
    for _ in range(4):
        sign_up(event)
    Event.objects.update(capacity=capacity)

    assert waiting_list.promote(event) == promoted
    assert statuses(event) == ["confirmed"] * (1 + promoted) + ["waitlisted"] * (3 - promoted)


def test_fewer_seats_take_nobody_out() -> None:
    event = make_event(capacity=2)
    leaving, _kept, _waiting = sign_up(event), sign_up(event), sign_up(event)
    Event.objects.update(capacity=1)
    signup.withdraw(leaving)
    assert statuses(event) == ["cancelled", "confirmed", "waitlisted"]


@pytest.mark.parametrize("starts_in", [timedelta(), timedelta(minutes=-30), timedelta(days=-2)])
def test_nobody_is_promoted_after_the_start(starts_in: timedelta) -> None:
    event = make_event(capacity=1)
    leaving, _waiting = sign_up(event), sign_up(event)
    starts_at = timezone.now() + starts_in
    Event.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))

    signup.withdraw(leaving)

    assert waiting_list.promote(event) == 0
    assert statuses(event) == ["cancelled", "waitlisted"]


def test_nobody_is_promoted_while_there_is_no_date_and_the_line_moves_once_there_is_one() -> None:
    event = make_event(capacity=1)
    leaving, waiting = sign_up(event), sign_up(event)
    event_changes.postpone(event)
    signup.withdraw(leaving)
    assert statuses(event) == ["cancelled", "waitlisted"]

    event_changes.reschedule(event, starts_at=event.starts_at, ends_at=event.ends_at)
    assert statuses(event) == ["cancelled", "confirmed"]
    assert ("promoted", "promoted") in owed(waiting)
    assert reminders_of(waiting) == ["reminder_day", "reminder_hour"]


def test_the_organiser_may_seat_a_person_whoever_stands_before_them() -> None:
    event = make_event(capacity=1)
    _seated, _first, second = sign_up(event), sign_up(event), sign_up(event)
    assert waiting_list.promote_one(second)
    assert not waiting_list.promote_one(second)
    assert statuses(event) == ["confirmed", "waitlisted", "confirmed"]
    assert Delivery.objects.filter(kind="promoted").count() == 1


def test_who_waits_is_sent_no_link_to_the_room_and_no_invitation(outbox_folder: Path) -> None:
    event = make_event(capacity=0)
    registration = sign_up(event)
    outbox.drain()

    [message] = mailbox.read_folder(outbox_folder)
    everything = mailbox.text(message) + mailbox.html(message)
    assert message["Subject"].startswith("You are on the waiting list of the webinar of ")
    assert mailbox.tree(message) == ["multipart/alternative", "text/plain", "text/html"]
    assert registration.join_code not in everything
    assert registration.manage_url in everything


def test_the_join_code_of_who_waits_opens_nothing(client: Client) -> None:
    event = make_event(capacity=0)
    registration = sign_up(event)
    paths = [f"/rejoindre/{registration.join_code}/{end}" for end in ("", "rapport.pdf", "invitation.ics")]
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]


def test_who_leaves_the_line_is_told_so_and_frees_no_seat(outbox_folder: Path) -> None:
    event = make_event(capacity=1)
    _seated, first, second = sign_up(event), sign_up(event), sign_up(event)
    outbox.drain()

    signup.withdraw(first)

    assert statuses(event) == ["confirmed", "cancelled", "waitlisted"]
    assert (owed(first), owed(second)) == ([("withdrawn", "line")], [])
    outbox.drain()
    message = mailbox.read_folder(outbox_folder)[-1]
    assert message["Subject"].startswith("You have left the waiting list of the webinar of ")
    assert mailbox.tree(message) == ["multipart/alternative", "text/plain", "text/html"]
    first.refresh_from_db()
    assert first.sequence == 0  # no calendar has heard of it


def test_who_comes_back_to_a_full_event_goes_to_the_end_of_the_line() -> None:
    event = make_event(capacity=1)
    leaving, _first, second = sign_up(event), sign_up(event), sign_up(event)
    signup.withdraw(leaving)
    signup.come_back(leaving)
    assert list(event.registrations.on_waiting_list()) == [second, leaving]
    assert owed(leaving) == [("waiting_list", "returned")]


def test_a_mail_of_promotion_does_not_leave_to_who_has_withdrawn_meanwhile(outbox_folder: Path) -> None:
    event = make_event(capacity=1)
    leaving, first, second = sign_up(event), sign_up(event), sign_up(event)
    signup.withdraw(leaving)
    signup.withdraw(first)
    outbox.drain()
    assert statuses(event) == ["cancelled", "cancelled", "confirmed"]
    assert list(first.deliveries.filter(kind="promoted").values_list("state", "error")) == [
        ("cancelled", "l’inscription a été annulée")
    ]
    assert second.deliveries.get(kind="promoted").state == "sent"


def test_who_waits_and_signs_up_again_after_the_start_gets_the_seat_a_stranger_would_get() -> None:
    event = make_event(capacity=1)
    leaving, waiting = sign_up(event), sign_up(event, "waiting@x.fr")
    starts_at = timezone.now() - timedelta(minutes=5)
    Event.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    signup.withdraw(leaving)

    sign_up(event, "waiting@x.fr")

    waiting.refresh_from_db()
    assert waiting.is_seated
    assert ("confirmation", "new") in owed(waiting)


def test_the_last_free_seat_of_a_running_event_is_given_and_no_other() -> None:
    event = make_event(capacity=2, starts_in=timedelta(minutes=-5))
    for _ in range(2):
        sign_up(event)
    with pytest.raises(signup.SignUpClosed):
        sign_up(event)
    assert statuses(event) == ["confirmed", "confirmed"]


def test_afterwards_who_waited_may_still_have_the_documents() -> None:
    event = make_event(capacity=1, open_after_session=True)
    _seated, waiting = sign_up(event), sign_up(event, "waiting@x.fr")
    starts_at = timezone.now() - timedelta(days=1)
    Event.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    sign_up(event, "waiting@x.fr")
    waiting.refresh_from_db()
    assert waiting.is_seated
    assert not reminders_of(waiting)


def test_many_in_line_cost_no_more_queries_to_decide_than_few(
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    event = make_event(capacity=1)
    for _ in range(30):
        make_registration(event, status="waitlisted")
    Event.objects.update(capacity=2)
    with django_assert_max_num_queries(20):
        waiting_list.promote(event)
