"""The mails of an event in order of time: which leave when, how many, which do not and why."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.domain import event_changes, signup
from registrations.mailing import reminders, upcoming
from registrations.mailing.upcoming import Line, Skipped
from registrations.models import Delivery, Event
from registrations.models.mail_kinds import SCHEDULED
from tests.admin_client import logged_in
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db
Kind, State = Delivery.Kind, Delivery.State
HOUR = timedelta(hours=1)


def line_of(event: Event, kind: Delivery.Kind) -> Line:
    return next(line for line in upcoming.timeline(Event.objects.get(pk=event.pk)) if line.kind == kind)


def seats(event: Event, count: int) -> None:
    for _ in range(count):
        signup.register(event, language="fr", **answers())


def test_each_scheduled_mail_stands_at_its_hour_with_the_number_that_leaves() -> None:
    event = make_event(follow_up_hours_after=24)
    seats(event, 2)
    scheduled = [line for line in upcoming.timeline(event) if line.is_scheduled and line.send_at]
    assert [(line.kind, line.send_at, line.to_leave) for line in scheduled] == [
        (Kind.REMINDER_DAY, event.reminder_day_at, 2),
        (Kind.REMINDER_HOUR, event.reminder_hour_at, 2),
        (Kind.FOLLOW_UP, event.follow_up_at, 2),
    ]


def test_a_mail_that_is_switched_off_is_said_to_be_so() -> None:
    assert line_of(make_event(reminder_minutes_before=None), Kind.REMINDER_HOUR).send_at is None


def test_those_whose_hour_had_passed_when_they_signed_up_are_skipped_with_the_reason() -> None:
    event = make_event(starts_in=2 * HOUR)
    seats(event, 1)
    assert line_of(event, Kind.REMINDER_DAY).skipped == [Skipped(1, "inscription faite après l’heure de ce courriel")]


def test_those_who_withdrew_are_skipped_with_the_reason() -> None:
    event = make_event()
    seats(event, 2)
    signup.withdraw(event.registrations.latest("pk"))
    line = line_of(event, Kind.REMINDER_DAY)
    assert (line.to_leave, line.skipped) == (1, [Skipped(1, "l’inscription a été annulée")])


def test_those_who_wait_in_line_are_counted_apart() -> None:
    event = make_event()
    make_registration(event, status="waitlisted")
    assert line_of(event, Kind.REMINDER_DAY).skipped == [Skipped(1, "sur liste d’attente")]


def test_what_has_left_and_what_has_failed_is_told() -> None:
    event = make_event()
    seats(event, 3)
    first, second = Delivery.objects.filter(kind=Kind.REMINDER_DAY)[:2]
    Delivery.objects.filter(pk=first.pk).update(state=State.SENT, sent_at=timezone.now())
    Delivery.objects.filter(pk=second.pk).update(state=State.FAILED, error="550 5.1.1 unknown")
    line = line_of(event, Kind.REMINDER_DAY)
    assert (line.to_leave, line.left, line.skipped) == (1, 1, [Skipped(1, "en échec")])


def test_reminders_of_an_earlier_date_are_not_counted() -> None:
    event = make_event()
    seats(event, 1)
    Delivery.objects.filter(kind=Kind.REMINDER_DAY).update(state=State.SENT, sent_at=timezone.now())
    later = event.starts_at + timedelta(days=7)
    event_changes.reschedule(event, starts_at=later, ends_at=later + HOUR)
    line = line_of(event, Kind.REMINDER_DAY)
    assert (line.left, line.to_leave, line.skipped) == (0, 1, [])


def test_other_mails_that_wait_stand_in_the_same_list() -> None:
    event = make_event()
    registration = make_registration(event)
    send_at = timezone.now() + HOUR
    Delivery.objects.enqueue(registration, Kind.CONFIRMATION, send_at=send_at)
    assert line_of(event, Kind.CONFIRMATION) == Line(Kind.CONFIRMATION, send_at, is_scheduled=False, to_leave=1)


@pytest.mark.parametrize(
    ("status", "words"),
    [("draft", "brouillon"), ("postponed", "reporté"), ("cancelled", "annulé"), ("published", "s’inscrit plus tard")],
)
def test_the_page_says_what_the_state_of_the_event_does_to_them(status: str, words: str) -> None:
    event = make_event(status=status)
    assert words in logged_in().get(f"/admin/registrations/event/{event.pk}/timeline/").text


def test_three_queries_tell_it_all_for_three_people_as_for_one() -> None:
    event = make_event(follow_up_hours_after=24)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            upcoming.timeline(event)
        return len(captured)

    seats(event, 1)
    one = asked()
    seats(event, 2)
    assert asked() == one == 3


def test_the_page_shows_each_line_in_the_words_of_the_organiser() -> None:
    event = make_event(reminder_minutes_before=None)
    seats(event, 1)
    page = logged_in().get(f"/admin/registrations/event/{event.pk}/timeline/").text
    for words in ("Premier rappel", "Désactivé", "les personnes qui ont une place", "Confirmation"):
        assert words in page


@pytest.mark.parametrize("permission", ["view_event", "view_delivery"])
def test_who_may_not_see_mails_or_events_does_not_see_them_here(permission: str) -> None:
    path = f"/admin/registrations/event/{make_event().pk}/timeline/"
    assert logged_in(permission).get(path).status_code == 403


def test_the_hours_of_the_timeline_are_those_by_which_the_mails_are_planned() -> None:
    event: Any = make_event(follow_up_hours_after=1)
    seats(event, 1)
    planned = {kind: send_at for kind, send_at, _not_after in reminders.scheduled_times(event) if send_at}
    assert dict(Delivery.objects.filter(kind__in=SCHEDULED).values_list("kind", "send_at")) == planned
