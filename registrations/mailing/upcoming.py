"""The mails of an event in order of time: which leave when, to whom, how many, and which do not and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.mailing import reminders
from registrations.models import Delivery, Event, MailTally, PeopleTally, Registration

Kind, State = Delivery.Kind, Delivery.State
CLOCK = [Kind.REMINDER_DAY, Kind.REMINDER_HOUR, Kind.FOLLOW_UP]
WITH_A_SEAT = gettext_lazy("people who have a seat")
AUDIENCES = {
    Kind.REMINDER_DAY: WITH_A_SEAT,
    Kind.REMINDER_HOUR: WITH_A_SEAT,
    Kind.FOLLOW_UP: gettext_lazy("people who have a seat: other words to those who came than to those who did not"),
}
THOSE_CONCERNED = gettext_lazy("the people concerned")


class Skipped(NamedTuple):
    number: int
    reason: str


@dataclass
class Line:
    kind: Delivery.Kind
    due: datetime | None  # None: switched off
    is_by_the_clock: bool = True
    to_leave: int = 0
    left: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def audience(self) -> Any:
        return AUDIENCES.get(self.kind, THOSE_CONCERNED)

    @property
    def has_passed(self) -> bool:
        return self.due is not None and self.due <= timezone.now()


def timeline(event: Event) -> list[Line]:
    """The mails of the clock, also those that are switched off, and whatever else waits. Two queries."""
    lines = {kind: Line(kind, due) for kind, due, _not_after in reminders.hours_of(event)}
    others = []
    for row in _grouped(event):
        kind = Kind(row["kind"])
        if kind in lines:
            _add(lines[kind], row)
        else:
            others.append(Line(kind, row["first"], is_by_the_clock=False, to_leave=row["total"]))
    if event.status == Event.Status.PUBLISHED:
        _note_who_waits(event, list(lines.values()))
    return sorted([*lines.values(), *others], key=lambda line: line.due or datetime.max.replace(tzinfo=UTC))


def _grouped(event: Event) -> Any:
    """By kind, state and reason; reminders of an earlier date of the event are not counted."""
    for_this_date = Q(kind=Kind.FOLLOW_UP) | Q(kind__in=CLOCK, not_after=event.starts_at)
    counted = MailTally.objects.filter(for_this_date | Q(state=State.PENDING), event=event)
    of_kind = Delivery.objects.that_count().pending().filter(event=event, kind=OuterRef("kind")).order_by("due")
    rows = counted.totals("kind", "state", "error").annotate(first=Subquery(of_kind.values("due")[:1]))
    return rows.values("kind", "state", "error", "first", "total")


def _add(line: Line, row: dict[str, Any]) -> None:
    match row["state"]:
        case State.PENDING | State.SENDING:
            line.to_leave += row["total"]
        case State.SENT:
            line.left += row["total"]
        case State.FAILED:
            line.skipped.append(Skipped(row["total"], _("failed")))
        case _state:
            line.skipped.append(Skipped(row["total"], row["error"]))


def _note_who_waits(event: Event, lines: list[Line]) -> None:
    waiting = PeopleTally.objects.of(event).filter(status=Registration.Status.WAITLISTED).total()
    for line in lines:
        if waiting and line.due and not line.has_passed:
            line.skipped.append(Skipped(waiting, _("on the waiting list")))


def notes(event: Event) -> Iterator[str]:
    """What holds for all of them."""
    match event.status:
        case Event.Status.DRAFT:
            yield _("This event is a draft: nothing leaves. These mails are planned as soon as it is published.")
        case Event.Status.POSTPONED:
            yield _("This event is postponed: no reminder leaves. A new date plans them again.")
        case Event.Status.CANCELLED:
            yield _("This event is cancelled: no reminder leaves.")
        case _published:
            yield _("Whoever signs up later, or is given a seat, receives those whose hour has not passed.")
