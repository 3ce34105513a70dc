"""From a draft to a published event: what should be ready, what was looked at, and the change itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from registrations.domain import dry_runs
from registrations.mailing import reminders
from registrations.models import Event, EventCheck
from registrations.models.event_check import state_of

Part = EventCheck.Part


class Point(StrEnum):
    DATE = "date"
    CONTACT = "contact"
    ROOM = "room"
    PAGE = "page"
    MAILS = "mails"
    TRIAL = "trial"


NEEDED = {Point.DATE, Point.CONTACT}


class NotReady(Exception):
    """Something without which an event cannot be published is missing."""


@dataclass(frozen=True)
class Check:
    """One point of the list before publishing."""

    point: Point
    is_done: bool
    seen_at: datetime | None = None
    seen_by: Any = None

    @property
    def is_missing(self) -> bool:
        return not self.is_done and self.point in NEEDED

    @property
    def is_outdated(self) -> bool:
        return not self.is_done and self.seen_at is not None


def checklist(event: Event) -> list[Check]:
    """The six points; two queries, and four more once something was looked at."""
    return [
        Check(Point.DATE, is_done=bool(event.starts_at)),
        Check(Point.CONTACT, is_done=_has_contact(event)),
        Check(Point.ROOM, is_done=bool(event.connection_url)),
        *_looks(event),
        Check(Point.TRIAL, is_done=dry_runs.of_event(event).exists()),
    ]


def _has_contact(event: Event) -> bool:
    return bool(event.contact_name and event.contact_email)


def _looks(event: Event) -> Iterator[Check]:
    looks = {look.part: look for look in event.checks.select_related("seen_by")}
    now = state_of(event) if looks else ""
    for point, part in [(Point.PAGE, Part.PAGE), (Point.MAILS, Part.MAILS)]:
        if look := looks.get(part):
            yield Check(point, look.state == now, look.seen_at, look.seen_by)
        else:
            yield Check(point, is_done=False)


def note_look(event: Event, part: EventCheck.Part, *, by: Any) -> None:
    """Note that somebody has read this part of an event as it is now."""
    fresh = EventCheck(event=event, part=part, seen_by=by, state=state_of(event))
    EventCheck.objects.bulk_create(
        [fresh],
        update_conflicts=True,
        unique_fields=["event", "part"],
        update_fields=["seen_at", "seen_by", "state"],
    )


@transaction.atomic
def publish(event: Event) -> bool:
    """Open the page and the sign-up of a draft; no mail leaves. False when it is no draft any more.

    Raises NotReady.
    """
    event = Event.objects.locked(event)
    if event.status != Event.Status.DRAFT:
        return False
    if not (event.starts_at and _has_contact(event)):
        raise NotReady
    event.status = Event.Status.PUBLISHED
    event.sequence += 1  # a trial may have put it into a calendar (RFC 5546, section 2.1.4)
    event.save(update_fields=["status", "sequence"])
    reminders.schedule(event)
    return True
