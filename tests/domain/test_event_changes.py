"""The event changes: who is told, of what, with which calendar object, and how often."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone

from registrations.domain import event_changes, signup
from registrations.mailing import outbox
from registrations.models import Delivery, Event, Registration
from tests import mailbox
from tests.factories import answers, make_event, make_past_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PARIS = ZoneInfo("Europe/Paris")
TELL_OF_A_CHANGE = ["changed", "cancelled"]


def event_at_two(**fields: Any) -> Event:
    """In a week, so that an hour more or less is the same day."""
    starts_at = (timezone.now() + 7 * DAY).astimezone(PARIS).replace(hour=14, minute=0, second=0, microsecond=0)
    return make_event(starts_at=starts_at, ends_at=starts_at + HOUR, **fields)


def sign_up(event: Event, **typed: Any) -> Registration:
    return signup.register(event, language="en", **answers(**typed)).registration


def people(event: Event) -> tuple[Registration, Registration, Registration]:
    """One with a seat, one in line, one who has withdrawn; the mails that told them so have left."""
    withdrawn = sign_up(event, email="withdrawn@x.fr")
    signup.withdraw(withdrawn)
    Event.objects.filter(pk=event.pk).update(capacity=1)
    event.refresh_from_db()
    seated, waiting = sign_up(event, email="seated@x.fr"), sign_up(event, email="waiting@x.fr")
    Delivery.objects.pending().filter(kind__in=["confirmation", "waiting_list", "withdrawn"]).update(state="sent")
    return seated, waiting, withdrawn


def told(registration: Registration) -> list[tuple[str, str, str]]:
    mails = registration.deliveries.filter(kind__in=TELL_OF_A_CHANGE)
    return list(mails.order_by("pk").values_list("kind", "reason", "state"))


def reschedule(event: Event, *, by: timedelta = timedelta(), **fields: Any) -> int:
    event.refresh_from_db()
    count = event_changes.reschedule(event, starts_at=event.starts_at + by, ends_at=event.ends_at + by, **fields)
    event.refresh_from_db()
    return count


def calendar_of(message: Any) -> tuple[str, int] | None:
    """METHOD and SEQUENCE of the calendar object in a mail."""
    if "text/calendar" not in {part.get_content_type() for part in message.walk()}:
        return None
    lines = dict(
        line.split(":", 1) for line in mailbox.calendar_lines(mailbox.part(message, "text/calendar")) if ":" in line
    )
    return lines["METHOD"], int(lines["SEQUENCE"])


def mails_to(folder: Path, email: str) -> list[Any]:
    outbox.drain()
    return [message for message in mailbox.read_folder(folder) if message["To"] == email]


def postpone(event: Event) -> int:
    return event_changes.postpone(event, words="Our speaker is ill.")


def cancel(event: Event) -> int:
    return event_changes.cancel(event, words="Our speaker is ill.")


@pytest.mark.parametrize(
    ("act", "kind", "reason", "subject", "method", "sequence"),
    [
        (partial(reschedule, by=7 * DAY), "changed", "moved", "New date: ", "REQUEST", 1),
        (partial(reschedule, by=HOUR), "changed", "hour", "New hour: ", "REQUEST", 1),
        (postpone, "changed", "postponed", "Postponed: ", "CANCEL", 1),
        (cancel, "cancelled", "", "Webinar cancelled: ", "CANCEL", 1),
        (partial(reschedule, connection_notes="Code: 12"), "changed", "notes", "How to connect: ", None, 0),
    ],
)
def test_a_change_tells_everyone_it_concerns_once_with_the_right_mail_and_calendar_object(
    outbox_folder: Path,
    act: Callable[[Event], int],
    kind: str,
    reason: str,
    subject: str,
    method: str | None,
    sequence: int,
) -> None:
    event = event_at_two()
    seated, waiting, withdrawn = people(event)
    concerns_waiting = reason != "notes"

    assert act(event) == 1 + concerns_waiting

    assert told(seated) == [(kind, reason, "pending")]
    assert told(waiting) == ([(kind, reason, "pending")] if concerns_waiting else [])
    assert told(withdrawn) == []
    assert Event.objects.get().sequence == sequence

    [message] = mails_to(outbox_folder, "seated@x.fr")
    assert message["Subject"].startswith(subject)
    assert calendar_of(message) == ((method, sequence) if method else None)
    others = mails_to(outbox_folder, "waiting@x.fr")
    assert [calendar_of(message) for message in others] == [None] * concerns_waiting
    assert all(waiting.join_code not in mailbox.text(message) + mailbox.html(message) for message in others)


def test_a_postponed_event_with_a_new_date_invites_again_with_a_higher_sequence(outbox_folder: Path) -> None:
    event = event_at_two()
    sign_up(event, email="seated@x.fr")
    outbox.drain()
    event_changes.postpone(event)
    outbox.drain()
    reschedule(event, by=30 * DAY)
    messages = mails_to(outbox_folder, "seated@x.fr")
    assert [calendar_of(message) for message in messages] == [("REQUEST", 0), ("CANCEL", 1), ("REQUEST", 2)]
    assert Event.objects.get().status == "published"
    assert told(Registration.objects.get()) == [("changed", "postponed", "sent"), ("changed", "reopened", "sent")]


def test_the_mail_of_a_postponed_event_names_its_former_date_only_as_the_entry_that_it_takes_out(
    outbox_folder: Path,
) -> None:
    event = event_at_two()
    sign_up(event, email="seated@x.fr")
    event_changes.postpone(event)
    [message] = mails_to(outbox_folder, "seated@x.fr")
    day = f"{event.starts_at.day}\u00a0{event.starts_at:%B}"
    for form in (mailbox.text(message), mailbox.html(message)):
        assert form.count(day) == form.count("takes out the entry of") == 1
    assert "The new date is not known yet" in mailbox.text(message)


def test_the_organisers_words_stand_in_the_mail(outbox_folder: Path) -> None:
    event = event_at_two()
    sign_up(event, email="seated@x.fr")
    cancel(event)
    [message] = mails_to(outbox_folder, "seated@x.fr")
    assert "Our speaker is ill." in mailbox.text(message)
    assert "Our speaker is ill." in mailbox.html(message)


def test_a_change_that_changes_nothing_tells_nobody_and_keeps_the_note() -> None:
    event = event_at_two(connection_notes="Code: 12")
    seated, _waiting, _withdrawn = people(event)
    assert reschedule(event) == 0
    assert reschedule(event, connection_notes="Code: 12") == 0
    assert reschedule(event, connection_notes="") == 0  # a note taken back is no news
    assert told(seated) == []
    assert (event.connection_notes, event.sequence) == ("", 0)


def test_a_new_code_in_the_english_note_alone_is_told() -> None:
    event = event_at_two(connection_notes="Code : voir la page", connection_notes_en="Code: 12")
    seated, _waiting, _withdrawn = people(event)
    assert reschedule(event, connection_notes="Code : voir la page", connection_notes_en="Code: 12") == 0
    assert reschedule(event, connection_notes="Code : voir la page", connection_notes_en="Code: 34") > 0
    assert told(seated) != []


def test_a_new_date_keeps_the_note() -> None:
    event = event_at_two(connection_notes="Code: 12")
    reschedule(event, by=DAY)
    assert event.connection_notes == "Code: 12"


def test_a_corrected_typo_tells_nobody() -> None:
    event = event_at_two()
    seated, _waiting, _withdrawn = people(event)
    event.description, event.title = "## Pourquoi\u00a0?", "Un titre sans faute"
    event.save()
    assert told(seated) == []
    assert Event.objects.get().sequence == 0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (
            partial(reschedule, by=7 * DAY),
            partial(reschedule, by=DAY),
            [("changed", "moved", "cancelled"), ("changed", "moved", "pending")],
        ),
        (partial(reschedule, by=7 * DAY), cancel, [("changed", "moved", "cancelled"), ("cancelled", "", "pending")]),
        (
            cancel,
            partial(reschedule, by=7 * DAY),
            [("cancelled", "", "cancelled"), ("changed", "reopened", "pending")],
        ),
        (
            postpone,
            partial(reschedule, by=7 * DAY),
            [("changed", "postponed", "cancelled"), ("changed", "reopened", "pending")],
        ),
        (postpone, cancel, [("changed", "postponed", "cancelled"), ("cancelled", "", "pending")]),
        (  # who has not heard of the new day yet is told of a new day, not of a new hour
            partial(reschedule, by=7 * DAY),
            partial(reschedule, by=HOUR),
            [("changed", "moved", "cancelled"), ("changed", "moved", "pending")],
        ),
        (  # a note does not tell of the date
            partial(reschedule, by=7 * DAY),
            partial(reschedule, connection_notes="Code: 12"),
            [("changed", "moved", "pending"), ("changed", "notes", "pending")],
        ),
        (
            partial(reschedule, connection_notes="Code: 12"),
            partial(reschedule, by=7 * DAY),
            [("changed", "notes", "pending"), ("changed", "moved", "pending")],
        ),
        (
            partial(reschedule, connection_notes="Code: 12"),
            partial(reschedule, connection_notes="Code: 34"),
            [("changed", "notes", "cancelled"), ("changed", "notes", "pending")],
        ),
    ],
)
def test_the_later_change_is_told_in_place_of_one_that_has_not_left(
    first: Callable[[Event], int],
    second: Callable[[Event], int],
    expected: list[tuple[str, str, str]],
) -> None:
    event = event_at_two()
    seated, _waiting, _withdrawn = people(event)
    first(event)
    second(event)
    assert told(seated) == expected
    dropped = seated.deliveries.filter(kind__in=TELL_OF_A_CHANGE, state="cancelled")
    assert [reason for reason in dropped.values_list("error", flat=True) if not reason] == []


def test_a_note_that_was_taken_back_before_it_left_does_not_leave(outbox_folder: Path) -> None:
    event = event_at_two()
    seated, _waiting, _withdrawn = people(event)
    reschedule(event, connection_notes="Code: 12")
    reschedule(event, connection_notes="")
    assert mails_to(outbox_folder, "seated@x.fr") == []
    assert told(seated) == [("changed", "notes", "cancelled")]


def test_a_new_date_that_is_past_by_the_time_the_mail_could_leave_is_not_told(outbox_folder: Path) -> None:
    event = event_at_two()
    seated, _waiting, _withdrawn = people(event)
    reschedule(event, by=DAY)
    Event.objects.update(starts_at=event.starts_at - 30 * DAY, ends_at=event.ends_at - 30 * DAY)
    assert mails_to(outbox_folder, "seated@x.fr") == []
    assert told(seated) == [("changed", "moved", "cancelled")]


def test_a_confirmation_that_was_waiting_tells_the_new_date(outbox_folder: Path) -> None:
    event = event_at_two()
    sign_up(event, email="seated@x.fr")
    reschedule(event, by=7 * DAY)
    confirmation, changed = mails_to(outbox_folder, "seated@x.fr")
    date = f"{event.starts_at.astimezone(event.zone).day}\u00a0{event.starts_at.astimezone(event.zone):%B}"
    assert confirmation["Subject"].startswith("Registration confirmed: ")
    assert date in confirmation["Subject"]
    assert date in changed["Subject"]
    assert [calendar_of(message) for message in (confirmation, changed)] == [("REQUEST", 1), ("REQUEST", 1)]


@pytest.mark.parametrize(("act", "kind", "reason"), [(postpone, "changed", "postponed"), (cancel, "cancelled", "")])
def test_whose_confirmation_was_overtaken_is_told_of_the_end_instead(
    outbox_folder: Path, act: Callable[[Event], int], kind: str, reason: str
) -> None:
    event = event_at_two()
    registration = sign_up(event, email="seated@x.fr")
    act(event)
    [message] = mails_to(outbox_folder, "seated@x.fr")
    assert calendar_of(message) == ("CANCEL", 1)
    confirmation = registration.deliveries.get(kind="confirmation")
    assert confirmation.state == "cancelled"
    assert confirmation.error
    assert told(registration) == [(kind, reason, "sent")]


def test_one_who_asks_for_the_link_of_a_postponed_event_is_told_where_it_stands(outbox_folder: Path) -> None:
    event = event_at_two()
    sign_up(event, email="seated@x.fr")
    postpone(event)
    outbox.drain()
    signup.resend(event, email="seated@x.fr")
    assert [message["Subject"][:11] for message in mails_to(outbox_folder, "seated@x.fr")] == ["Postponed: "] * 2


def test_which_events_have_changes_that_must_be_announced() -> None:
    empty, coming, past, draft = event_at_two(), event_at_two(), make_past_event(), make_event(status="draft")
    for event in (coming, past, draft):
        make_registration(event)
    make_registration(empty, status="cancelled")
    assert [event_changes.must_be_announced(event) for event in (empty, coming, past, draft)] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("capacity", [None, 8])
def test_sign_ups_while_the_event_is_moved_end_with_reminders_of_the_new_date(capacity: int | None) -> None:
    event = event_at_two(capacity=capacity)
    back = [sign_up(event, email=f"back{number}@x.fr") for number in range(3)]
    for registration in back:
        signup.withdraw(registration)
    new = event.starts_at + 7 * DAY
    move = partial(event_changes.reschedule, Event.objects.get(), starts_at=new, ends_at=new + HOUR)
    returning = [partial(sign_up, Event.objects.get(), email=registration.email) for registration in back]
    arriving = [partial(sign_up, Event.objects.get()) for _ in range(8)]

    assert together([*arriving[:4], move, *returning, *arriving[4:]]) == []

    pending = Delivery.objects.pending().filter(kind__in=["reminder_day", "reminder_hour"])
    assert set(pending.values_list("not_after", flat=True)) == {new}
    seated = Registration.objects.seated().count()
    assert seated == (capacity or 11)
    assert pending.values("registration", "kind").distinct().count() == pending.count() == 2 * seated
    event.refresh_from_db()
    assert set(pending.values_list("send_at", flat=True)) == {event.reminder_day_at, event.reminder_hour_at}


@pytest.mark.django_db(transaction=True)
def test_sign_ups_that_come_while_a_new_date_is_being_written_are_reminded_of_it() -> None:
    event = event_at_two()
    back = sign_up(event, email="back@x.fr")
    signup.withdraw(back)
    new = event.starts_at + 7 * DAY

    def move_slowly() -> None:
        with transaction.atomic():
            event_changes.reschedule(event, starts_at=new, ends_at=new + HOUR)
            time.sleep(0.6)

    def come(email: str) -> None:
        stale = Event.objects.get()
        time.sleep(0.2)
        sign_up(stale, email=email)

    assert together([move_slowly, *(partial(come, email) for email in ("new@x.fr", "back@x.fr"))]) == []

    pending = Delivery.objects.pending().filter(kind__in=["reminder_day", "reminder_hour"])
    assert list(pending.values_list("not_after", flat=True)) == [new] * 4


@pytest.mark.django_db(transaction=True)
def test_links_asked_for_while_the_event_is_reopened_trip_over_nobody() -> None:
    event = event_at_two()
    for number in range(4):
        sign_up(event, email=f"one{number}@x.fr")
    postpone(event)
    again = partial(event_changes.reschedule, Event.objects.get(), starts_at=event.starts_at, ends_at=event.ends_at)
    asking = [partial(signup.resend, Event.objects.get(), email=f"one{number % 4}@x.fr") for number in range(11)]
    assert together([*asking[:6], again, *asking[6:]]) == []
    assert Delivery.objects.filter(kind="changed", reason="reopened").count() == 4


@pytest.mark.parametrize("number", [3, 30])
def test_a_change_costs_as_many_queries_for_many_as_for_few(
    number: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    event = event_at_two()
    for _ in range(number):
        make_registration(event)
    with django_assert_max_num_queries(32):
        assert event_changes.reschedule(event, starts_at=event.starts_at + DAY, ends_at=event.ends_at + DAY) == number
