"""What a registrant's calendar does with the mailed objects, read by two independent parsers: vobject and ical."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
import vobject
from django.utils import timezone
from ical.calendar_stream import IcsCalendarStream
from pytest_django import Settings

from registrations.documents import invitation
from registrations.domain import event_changes, signup
from registrations.mailing import outbox
from registrations.models import Event, Registration
from registrations.text import typography
from tests import mailbox
from tests.factories import answers, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PARIS = ZoneInfo("Europe/Paris")
ORGANISER = "mailto:inscriptions@example.org"


class Entry(NamedTuple):
    """The properties that a calendar uses."""

    method: str
    uid: str
    sequence: int
    stamp: datetime
    status: str
    starts_at: datetime
    ends_at: datetime
    attendee: str
    organiser: str


def vobject_reads(content: bytes) -> Entry:
    calendar = vobject.readOne(content.decode())
    [entry] = calendar.vevent_list
    return Entry(
        calendar.method.value,
        entry.uid.value,
        int(entry.sequence.value),
        entry.dtstamp.value,
        entry.status.value,
        entry.dtstart.value,
        entry.dtend.value,
        entry.attendee.value,
        entry.organizer.value,
    )


def ical_reads(content: bytes) -> Entry:
    calendar = IcsCalendarStream.calendar_from_ics(content.decode())
    [entry] = calendar.events
    [attendee] = entry.attendees
    assert entry.uid
    assert entry.sequence is not None
    assert entry.status
    assert isinstance(entry.dtstamp, datetime)
    assert isinstance(entry.dtstart, datetime)
    assert isinstance(entry.dtend, datetime)
    assert entry.organizer
    return Entry(
        str(calendar.method),
        entry.uid,
        entry.sequence,
        entry.dtstamp,
        entry.status.value,
        entry.dtstart,
        entry.dtend,
        str(attendee.uri),
        str(entry.organizer.uri),
    )


def read(content: bytes) -> Entry:
    """Read with both parsers; the results must be equal."""
    one, other = vobject_reads(content), ical_reads(content)
    assert one == other
    assert one.starts_at.utcoffset() == timedelta()
    return one


def mailed(folder: Path) -> list[Entry]:
    """The calendar objects of all mails so far, as the parsers read them."""
    outbox.drain()
    messages = mailbox.read_folder(folder)
    with_one = [
        message for message in messages if "text/calendar" in [part.get_content_type() for part in message.walk()]
    ]
    for message in with_one:
        [alternative] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        entry = read(mailbox.part(message, "text/calendar"))
        assert alternative["Content-Type"].params["method"] == entry.method
        assert entry.attendee == f"mailto:{message['To']}"
        assert mailbox.part(message, "text/calendar") == mailbox.part(message, "application/ics")
    return [read(mailbox.part(message, "text/calendar")) for message in with_one]


def reschedule(event: Event, *, by: timedelta) -> None:
    event.refresh_from_db()
    event_changes.reschedule(event, starts_at=event.starts_at + by, ends_at=event.ends_at + by)


def apply(entries: tuple[Entry, ...] | list[Entry]) -> list[Entry]:
    """A calendar that follows RFC 5546, section 2.1.5: SEQUENCE, then DTSTAMP, decide what is newer."""
    known: dict[str, Entry] = {}
    for entry in entries:
        newest = known.get(entry.uid)
        if newest is None or (entry.sequence, entry.stamp) > (newest.sequence, newest.stamp):
            known[entry.uid] = entry
    return [entry for entry in known.values() if entry.method == "REQUEST"]


@pytest.fixture
def life(outbox_folder: Path) -> list[Entry]:
    """The mailed objects of everything that can happen to one entry."""
    event = make_event(report=False)
    registration = signup.register(event, language="en", **answers(email="zoe@example.org")).registration
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: reschedule(event, by=7 * DAY),
        lambda: signup.withdraw(registration),
        lambda: signup.come_back(registration),
        lambda: event_changes.postpone(event),
        lambda: reschedule(event, by=30 * DAY),
        lambda: event_changes.cancel(event),
        lambda: reschedule(event, by=HOUR),
    ]
    for step in steps:
        step()
        outbox.drain()
    return mailed(outbox_folder)


def test_invitation_update_withdrawal_return_postponement_new_date_and_cancellation_are_one_entry(
    life: list[Entry],
) -> None:
    registration = Registration.objects.get()
    first = registration.event.starts_at - 37 * DAY - HOUR
    assert [(entry.method, entry.sequence, entry.status, entry.starts_at - first) for entry in life] == [
        ("REQUEST", 0, "CONFIRMED", timedelta()),
        ("REQUEST", 1, "CONFIRMED", 7 * DAY),
        ("CANCEL", 2, "CANCELLED", 7 * DAY),
        ("REQUEST", 3, "CONFIRMED", 7 * DAY),
        ("CANCEL", 4, "CANCELLED", 7 * DAY),
        ("REQUEST", 5, "CONFIRMED", 37 * DAY),
        ("CANCEL", 6, "CANCELLED", 37 * DAY),
        ("REQUEST", 7, "CONFIRMED", 37 * DAY + HOUR),
    ]
    assert {entry.uid for entry in life} == {registration.uid}
    assert {entry.ends_at - entry.starts_at for entry in life} == {timedelta(minutes=90)}
    assert {(entry.attendee, entry.organiser) for entry in life} == {("mailto:zoe@example.org", ORGANISER)}


def test_mails_in_any_order_lead_to_the_same_entry(life: list[Entry]) -> None:
    for length in range(1, 8):
        so_far = life[:length]
        expected = [so_far[-1]] if so_far[-1].method == "REQUEST" else []
        assert [order for order in itertools.permutations(so_far) if apply(order) != expected] == []


def test_a_mail_that_arrives_twice_changes_nothing(life: list[Entry]) -> None:
    assert apply([*life, *life]) == apply(life) == [life[-1]]


def test_a_link_sent_again_brings_the_same_entry(outbox_folder: Path) -> None:
    event = make_event(report=False)
    signup.register(event, language="en", **answers(email="zoe@example.org"))
    first = mailed(outbox_folder)
    signup.resend(event, email="zoe@example.org")
    again = mailed(outbox_folder)
    assert again[0] == first[0]
    assert again[1]._replace(stamp=first[0].stamp) == first[0]
    assert len(apply(again)) == 1


def test_a_seat_after_a_withdrawal_and_the_waiting_list_is_newer_than_the_cancellation(outbox_folder: Path) -> None:
    """Seated, withdrawn, waiting, promoted: the entry must come back, though no object told of the wait."""
    event = make_event(report=False, capacity=1)
    registration = signup.register(event, language="en", **answers(email="zoe@example.org")).registration
    outbox.drain()
    signup.withdraw(registration)
    outbox.drain()
    other = signup.register(event, language="en", **answers(email="other@example.org")).registration
    signup.come_back(registration)
    outbox.drain()
    signup.withdraw(other)
    mine = [entry for entry in mailed(outbox_folder) if entry.uid == registration.uid]
    assert [(entry.method, entry.sequence) for entry in mine] == [("REQUEST", 0), ("CANCEL", 1), ("REQUEST", 2)]
    assert len(apply(mine)) == 1


def test_several_changes_before_a_mail_is_sent_are_one_update(outbox_folder: Path) -> None:
    event = make_event(report=False)
    signup.register(event, language="en", **answers(email="zoe@example.org"))
    [first] = mailed(outbox_folder)
    for _ in range(3):
        reschedule(event, by=DAY)
    [_first, update] = mailed(outbox_folder)
    assert (update.sequence, update.starts_at) == (first.sequence + 3, first.starts_at + 3 * DAY)


def last_sunday(month: int) -> date:
    """Last Sunday of March or October next year, when daylight saving time begins or ends in Paris."""
    last = date(timezone.now().year + 1, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


@pytest.mark.parametrize("month", [3, 10])
@pytest.mark.parametrize("days", [-1, 0, 1])
@pytest.mark.parametrize("hour", [1, 14])
def test_times_are_correct_across_a_change_of_daylight_saving_time(month: int, days: int, hour: int) -> None:
    starts_at = datetime.combine(last_sunday(month) + timedelta(days=days), time(hour, 30), PARIS)
    ends_at = (starts_at.astimezone(UTC) + 2 * HOUR).astimezone(PARIS)  # from 1:30, across the change
    event = make_event(report=False, starts_at=starts_at, ends_at=ends_at)
    entry = read(invitation.invitation(make_registration(event)))
    assert (entry.starts_at, entry.ends_at) == (starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    assert entry.ends_at - entry.starts_at == 2 * HOUR


def test_an_update_across_the_change_of_daylight_saving_time_keeps_the_local_time(outbox_folder: Path) -> None:
    before = datetime.combine(last_sunday(3) - DAY, time(14), PARIS)
    after = datetime.combine(last_sunday(3) + DAY, time(14), PARIS)
    event = make_event(report=False, starts_at=before, ends_at=before + HOUR)
    signup.register(event, language="en", **answers())
    outbox.drain()
    event_changes.reschedule(event, starts_at=after, ends_at=after + HOUR)
    entries = mailed(outbox_folder)
    assert [entry.starts_at.astimezone(PARIS).time() for entry in entries] == [time(14), time(14)]
    assert [entry.starts_at.hour for entry in entries] == [13, 12]


READERS = """
import sys
import vobject
from ical.calendar_stream import IcsCalendarStream

text = sys.stdin.buffer.read().decode()
one = vobject.readOne(text).vevent
[other] = IcsCalendarStream.calendar_from_ics(text).events
for entry in (one.dtstart.value, one.dtend.value, other.dtstart, other.dtend):
    print(int(entry.timestamp()))
"""


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Cayenne", "Europe/Paris"])
def test_times_are_the_same_for_a_reader_in_another_time_zone(zone: str) -> None:
    event = make_event(report=False)
    done = subprocess.run(
        [sys.executable, "-c", READERS],
        input=invitation.invitation(make_registration(event)),
        env={"TZ": zone},
        capture_output=True,
        check=True,
    )
    instants = [int(event.starts_at.timestamp()), int(event.ends_at.timestamp())]
    assert list(map(int, done.stdout.split())) == instants * 2


def test_a_server_in_another_time_zone_writes_the_same_object(settings: Settings) -> None:
    registration = make_registration(make_event(report=False))
    here = read(invitation.invitation(registration))
    settings.TIME_ZONE = "Pacific/Auckland"
    with timezone.override("Pacific/Auckland"):
        there = read(invitation.invitation(Registration.objects.get()))
    assert there._replace(stamp=here.stamp) == here


@pytest.mark.parametrize("method", list(invitation.Method)[:2])
def test_names_and_titles_of_every_kind_are_read_back_unchanged(method: invitation.Method) -> None:
    event = make_event(
        title="Réseau, acteurs; liens \\ et « guillemets » : 100 % 👩‍🏫 " + "long " * 20,
        organiser_name='Pôle "ressources", Ville; Banlieue',
        report=False,
    )
    content = invitation.invitation(make_registration(event), method)
    entry = vobject.readOne(content.decode()).vevent
    [other] = IcsCalendarStream.calendar_from_ics(content.decode()).events
    assert entry.summary.value == other.summary == typography.french(event.title)
    if method == invitation.Method.REQUEST:
        assert entry.location.value == other.location == Registration.objects.get().join_url


def test_after_the_session_the_entry_to_download_is_still_read() -> None:
    event = make_past_event(report=False)
    entry = vobject.readOne(invitation.personal_entry(make_registration(event)).decode()).vevent
    assert entry.dtstart.value == event.starts_at
