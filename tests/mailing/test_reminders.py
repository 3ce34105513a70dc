"""Scheduled mails: when they are due, what moves them, and why one is skipped."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone

from registrations.domain import attendance, event_changes, signup
from registrations.mailing import outbox, reminders
from registrations.models import Attendance, Delivery, Event, Registration
from tests import mailbox
from tests.factories import answers, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PARIS = ZoneInfo("Europe/Paris")
SCHEDULED = ["reminder_day", "reminder_hour", "follow_up"]


def sign_up(event: Event, **typed: Any) -> Registration:
    return signup.register(event, language="en", **answers(**typed)).registration


def scheduled_mails(registration: Registration) -> list[tuple[str, str]]:
    """Kind and state of the scheduled mails, in the order in which they were made."""
    mails = registration.deliveries.filter(kind__in=SCHEDULED)
    return list(mails.order_by("pk").values_list("kind", "state"))


def reason(registration: Registration, kind: str) -> str:
    return registration.deliveries.filter(kind=kind).order_by("pk").values_list("error", flat=True)[0]


def replan(event: Event, **fields: Any) -> None:
    """What the admin does when the organiser saves other hours."""
    with transaction.atomic():
        Event.objects.filter(pk=event.pk).update(**fields)
        reminders.schedule(Event.objects.locked(event))


def let_leave(**which: Any) -> None:
    """The hour of these mails has come."""
    Delivery.objects.filter(**which).update(send_at=timezone.now() - MINUTE)
    outbox.drain()


def move(event: Event, *, by: timedelta) -> None:
    event_changes.reschedule(event, starts_at=event.starts_at + by, ends_at=event.ends_at + by)
    event.refresh_from_db()


def last_sunday(month: int) -> date:
    """Of March, when the clocks go forward, or of October, when they go back; next year."""
    last = date(timezone.now().year + 1, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def test_the_rows_are_there_from_the_sign_up_on_with_their_hours() -> None:
    event = make_event(follow_up_hours_after=24)
    registration = sign_up(event)

    rows = registration.deliveries.filter(kind__in=SCHEDULED).order_by("send_at")
    day_before = event.starts_at.astimezone(PARIS).date() - DAY
    nine = datetime.combine(day_before, time(9), PARIS).astimezone(UTC)
    assert list(rows.values_list("kind", "state", "send_at", "not_after", "priority")) == [
        ("reminder_day", "pending", nine, event.starts_at, 2),
        ("reminder_hour", "pending", event.starts_at - HOUR, event.starts_at, -1),
        ("follow_up", "pending", event.ends_at + DAY, None, 3),
    ]


@pytest.mark.parametrize(("month", "before", "after"), [(3, 1, 2), (10, 2, 1)])
@pytest.mark.parametrize("on", ["the day after", "the day itself"])
def test_nine_in_the_morning_is_nine_there_whatever_the_clocks_do(
    month: int, before: int, after: int, on: str
) -> None:
    """The reminder of a Monday leaves after the change of clocks, that of the Sunday itself before it."""
    sunday = last_sunday(month)
    day = sunday if on == "the day itself" else sunday + DAY
    starts_at = datetime.combine(day, time(14), PARIS)
    event = Event(starts_at=starts_at, ends_at=starts_at + HOUR)
    send_at = event.reminder_day_at
    assert send_at is not None
    assert send_at.astimezone(PARIS) == datetime.combine(day - DAY, time(9), PARIS)
    assert send_at.utcoffset() == timedelta()
    assert send_at.hour == 9 - (before if on == "the day itself" else after)
    last = event.reminder_hour_at
    assert last is not None
    assert last.astimezone(PARIS).time() == time(13)


def test_the_hour_is_that_of_the_events_own_zone() -> None:
    event = make_event(timezone="Indian/Reunion")
    send_at = sign_up(event).deliveries.get(kind="reminder_day").send_at
    assert send_at.astimezone(ZoneInfo("Indian/Reunion")).time() == time(9)
    assert send_at.time() == time(5)


def test_who_signs_up_too_late_for_a_reminder_has_it_skipped_and_the_reason_kept() -> None:
    late = sign_up(make_event(starts_in=8 * HOUR))
    assert scheduled_mails(late) == [("reminder_day", "expired"), ("reminder_hour", "pending")]
    assert reason(late, "reminder_day")

    too_late = sign_up(make_event(starts_in=30 * MINUTE, follow_up_hours_after=1))
    assert scheduled_mails(too_late) == [
        ("reminder_day", "expired"),
        ("reminder_hour", "expired"),
        ("follow_up", "pending"),
    ]


def test_a_sign_up_after_the_session_gets_no_scheduled_mail() -> None:
    registration = sign_up(make_past_event(open_after_session=True, follow_up_hours_after=1000))
    assert scheduled_mails(registration) == []


def test_reminders_that_are_switched_off_are_not_planned() -> None:
    event = make_event(reminder_day_time=None, reminder_minutes_before=None)
    assert scheduled_mails(sign_up(event)) == []


def test_the_organiser_moves_them() -> None:
    event = make_event()
    registration = sign_up(event)
    replan(event, reminder_day_time=time(18), reminder_days_before=2, reminder_minutes_before=15)
    send_at = registration.deliveries.get(kind="reminder_day").send_at.astimezone(PARIS)
    assert send_at == datetime.combine(event.starts_at.astimezone(PARIS).date() - 2 * DAY, time(18), PARIS)
    assert registration.deliveries.get(kind="reminder_hour").send_at == event.starts_at - 15 * MINUTE


def test_the_organiser_switches_them_off_and_on_again() -> None:
    event = make_event()
    registration = sign_up(event)
    replan(event, reminder_day_time=None, reminder_minutes_before=None)
    assert scheduled_mails(registration) == [("reminder_day", "cancelled"), ("reminder_hour", "cancelled")]
    assert reason(registration, "reminder_day")

    replan(event, reminder_day_time=time(9), reminder_minutes_before=60)
    assert scheduled_mails(registration)[2:] == [("reminder_day", "pending"), ("reminder_hour", "pending")]


def test_a_replan_that_changes_nothing_changes_nothing() -> None:
    event = make_event(follow_up_hours_after=24)
    sign_up(event)
    before = list(Delivery.objects.order_by("pk").values())
    replan(event)
    assert list(Delivery.objects.order_by("pk").values()) == before


def test_a_follow_up_that_is_switched_on_later_is_owed_to_every_seat_and_to_nobody_else() -> None:
    event = make_event(capacity=1)
    seated, waiting = sign_up(event), sign_up(event)
    replan(event, follow_up_hours_after=2)
    assert ("follow_up", "pending") in scheduled_mails(seated)
    assert scheduled_mails(waiting) == []


def test_an_hour_that_was_moved_into_the_past_is_skipped() -> None:
    event = make_event(starts_in=3 * DAY)
    registration = sign_up(event)
    replan(event, reminder_days_before=5)
    assert scheduled_mails(registration)[0] == ("reminder_day", "expired")
    assert reason(registration, "reminder_day")


def test_reminders_that_are_just_leaving_survive_a_change_of_something_else() -> None:
    """At two past nine the worker has not come to the end of its list, and the organiser writes a note."""
    event = make_event(starts_in=8 * HOUR)
    waiting_for_the_worker, being_retried = make_registration(event), make_registration(event)
    send_at = event.reminder_day_at
    for registration in (waiting_for_the_worker, being_retried):
        Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_DAY, send_at=send_at, not_after=event.starts_at)
    being_retried.deliveries.update(attempts=1, send_at=timezone.now() + MINUTE, error="boîte pleine")

    event_changes.reschedule(event, starts_at=event.starts_at, ends_at=event.ends_at, connection_notes="Code : 12")

    assert scheduled_mails(waiting_for_the_worker)[0] == ("reminder_day", "pending")
    assert scheduled_mails(being_retried)[0] == ("reminder_day", "pending")


def test_a_new_date_moves_those_that_have_not_left() -> None:
    event = make_event()
    registration = sign_up(event)
    move(event, by=7 * DAY)
    rows = registration.deliveries.filter(kind__in=SCHEDULED).order_by("send_at")
    assert list(rows.values_list("kind", "state", "send_at", "not_after")) == [
        ("reminder_day", "pending", event.reminder_day_at, event.starts_at),
        ("reminder_hour", "pending", event.starts_at - HOUR, event.starts_at),
    ]


def test_a_new_date_gives_another_to_who_has_had_one_and_none_twice_for_the_same_date() -> None:
    event = make_event()
    registration = sign_up(event)
    let_leave(kind="reminder_day")
    replan(event)
    assert scheduled_mails(registration) == [("reminder_day", "sent"), ("reminder_hour", "pending")]

    move(event, by=7 * DAY)
    assert scheduled_mails(registration) == [
        ("reminder_day", "sent"),
        ("reminder_hour", "pending"),
        ("reminder_day", "pending"),
    ]
    replan(event)
    assert len(scheduled_mails(registration)) == 3


def test_a_reminder_of_the_former_date_that_is_being_sent_does_not_stand_for_the_new_one() -> None:
    event = make_event()
    registration = sign_up(event)
    registration.deliveries.filter(kind="reminder_day").update(state="sending")
    move(event, by=7 * DAY)
    assert ("reminder_day", "pending") in scheduled_mails(registration)


def test_a_moved_reminder_has_all_its_patience_again() -> None:
    event = make_event()
    registration = sign_up(event)
    long_ago = timezone.now() - 30 * DAY
    registration.deliveries.filter(kind="reminder_day").update(trying_since=long_ago, error="boîte pleine")
    move(event, by=7 * DAY)
    moved = registration.deliveries.get(kind="reminder_day")
    assert (moved.trying_since, moved.error) == (None, "")


def test_a_date_so_near_that_the_first_reminder_is_past_skips_it() -> None:
    event = make_event()
    registration = sign_up(event)
    move(event, by=8 * HOUR - 7 * DAY)
    assert scheduled_mails(registration) == [("reminder_day", "expired"), ("reminder_hour", "pending")]


@pytest.mark.parametrize("act", [signup.withdraw, lambda registration: event_changes.cancel(registration.event)])
def test_who_has_no_seat_any_more_or_no_event_is_reminded_of_nothing(act: Callable[[Registration], Any]) -> None:
    registration = sign_up(make_event())
    act(registration)
    assert scheduled_mails(registration) == [("reminder_day", "cancelled"), ("reminder_hour", "cancelled")]
    assert reason(registration, "reminder_day")
    assert reason(registration, "reminder_hour")


def test_who_comes_back_is_reminded_again() -> None:
    registration = sign_up(make_event())
    signup.withdraw(registration)
    signup.come_back(registration)
    assert scheduled_mails(registration)[2:] == [("reminder_day", "pending"), ("reminder_hour", "pending")]


def test_an_event_that_takes_place_again_reminds_again() -> None:
    event = make_event()
    registration = sign_up(event)
    event_changes.postpone(event)
    event_changes.reschedule(event, starts_at=event.starts_at, ends_at=event.ends_at)
    assert scheduled_mails(registration)[2:] == [("reminder_day", "pending"), ("reminder_hour", "pending")]


def test_no_reminder_leaves_after_the_start(outbox_folder: Path) -> None:
    event = make_event(starts_in=-MINUTE)
    registration = make_registration(event)
    for kind in (Delivery.Kind.REMINDER_DAY, Delivery.Kind.REMINDER_HOUR):
        Delivery.objects.enqueue(registration, kind, not_after=event.starts_at)
    outbox.drain()
    assert scheduled_mails(registration) == [("reminder_day", "expired"), ("reminder_hour", "expired")]
    assert mailbox.read_folder(outbox_folder) == []


def test_a_first_reminder_so_late_that_the_last_one_is_due_does_not_leave_too(outbox_folder: Path) -> None:
    registration = make_registration(make_event(starts_in=50 * MINUTE), language="en")
    for kind in (Delivery.Kind.REMINDER_DAY, Delivery.Kind.REMINDER_HOUR):
        Delivery.objects.enqueue(registration, kind, not_after=registration.event.starts_at)
    outbox.drain()
    [message] = mailbox.read_folder(outbox_folder)
    assert message["Subject"].startswith("At ")
    assert scheduled_mails(registration) == [("reminder_day", "expired"), ("reminder_hour", "sent")]
    assert reason(registration, "reminder_day")


@pytest.mark.parametrize("fields", [{"reminder_minutes_before": None}, {"reminder_days_before": 0}])
def test_a_first_reminder_leaves_when_it_is_the_only_one_or_the_later_one(
    outbox_folder: Path, fields: dict[str, Any]
) -> None:
    event = make_event(starts_in=50 * MINUTE, **fields)
    if "reminder_days_before" in fields:
        Event.objects.update(reminder_day_time=(event.starts_at - 55 * MINUTE).astimezone(PARIS).time())
    registration = make_registration(event, language="en")
    Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_DAY, not_after=event.starts_at)
    outbox.drain()
    assert scheduled_mails(registration) == [("reminder_day", "sent")]


def test_the_follow_up_has_two_texts(outbox_folder: Path) -> None:
    words = {"follow_up_present": "Merci d’être venus.", "follow_up_absent": "Vous nous avez manqué."}
    event = make_past_event(follow_up_hours_after=24, **words)
    attended, stayed_away = make_registration(event, email="came@x.fr"), make_registration(event, email="away@x.fr")
    attendance.note(attended, Attendance.Origin.HAND)
    for registration in (attended, stayed_away):
        Delivery.objects.enqueue(registration, Delivery.Kind.FOLLOW_UP)
    outbox.drain()

    texts = {message["To"]: mailbox.text(message) for message in mailbox.read_folder(outbox_folder)}
    assert [words["follow_up_present"] in texts[to] for to in ("came@x.fr", "away@x.fr")] == [True, False]
    assert [words["follow_up_absent"] in texts[to] for to in ("came@x.fr", "away@x.fr")] == [False, True]


def test_the_follow_up_of_a_cancelled_event_does_not_leave() -> None:
    event = make_event(follow_up_hours_after=1)
    registration = sign_up(event)
    event_changes.cancel(event)
    assert scheduled_mails(registration)[-1] == ("follow_up", "cancelled")


@pytest.mark.parametrize("people", [3, 30])
def test_a_replan_costs_as_many_queries_for_many_as_for_few(
    people: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    event = make_event(follow_up_hours_after=24)
    for _ in range(people):
        make_registration(event)
    with transaction.atomic(), django_assert_max_num_queries(20):
        reminders.schedule(Event.objects.locked(event))
    assert Delivery.objects.count() == 3 * people
