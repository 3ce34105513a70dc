"""An event's pages in the admin, and an event with people, as a test needs them."""

from typing import Any

from registrations.domain import signup
from registrations.models import Event
from tests.admin_client import EVENTS
from tests.factories import make_event, make_registration


def path(event: Event, page: str = "change") -> str:
    return f"{EVENTS}{event.pk}/{page}/"


def read(page: Any) -> str:
    return str(page.text).replace("\u00a0", " ")


def with_people() -> Event:
    """An event with two seats taken, one of them in English, and one person in line."""
    event = make_event(capacity=2)
    signup.welcome(make_registration(event))
    signup.welcome(make_registration(event, language="en"))
    signup.welcome(make_registration(event, status="waitlisted"))
    return event
