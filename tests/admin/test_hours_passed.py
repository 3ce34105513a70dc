"""What the form of an event says of scheduled mails whose hour has passed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registrations.admin.events.events import warnings
from registrations.mailing import reminders
from registrations.models import Delivery, Event
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


def told(event: Event) -> list[str]:
    return [str(one) for one in warnings(event, {"reminder_minutes_before"}) if one and "heure est passée" in str(one)]


def in_an_hour() -> Event:
    event = make_event(report=False, starts_in=timedelta(hours=1))
    event.reminder_day_time, event.reminder_minutes_before, event.follow_up_hours_after = None, 90, 24
    event.save()
    return event


def test_a_reminder_whose_hour_has_passed_is_named() -> None:
    assert told(in_an_hour()) == ["« Dernier rappel » : son heure est passée, ce courriel ne partira pas."]


def test_nothing_is_said_of_one_that_has_left() -> None:
    event = in_an_hour()
    Delivery.of(
        make_registration(event), Delivery.Kind.REMINDER_HOUR, not_after=event.starts_at, sent_at=timezone.now()
    ).save()
    assert told(event) == []


def test_nothing_is_said_of_a_reminder_once_the_event_has_begun() -> None:
    event = in_an_hour()
    event.starts_at = timezone.now() - timedelta(minutes=5)
    event.save()
    assert told(event) == []


def test_a_follow_up_whose_hour_has_passed_is_named_after_the_end() -> None:
    event = in_an_hour()
    event.starts_at, event.ends_at = (timezone.now() - timedelta(days=n) for n in (5, 4))
    event.save()
    assert reminders.missed(event) == [Delivery.Kind.FOLLOW_UP]
