"""The mails of an event in the order of time: when they are sent, to whom, how many; which are not sent, and why."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.mailing import reminders
from registrations.models import Delivery, Event
from registrations.models.mail_kinds import KINDS, SCHEDULES, Recipient

Kind, State = Delivery.Kind, Delivery.State
SKIPPED = [State.CANCELLED, State.EXPIRED]
THOSE_CONCERNED = gettext_lazy("the people concerned")


class Skipped(NamedTuple):
    number: int
    reason: str


@dataclass
class Line:
    kind: Delivery.Kind
    send_at: datetime | None  # None: switched off
    is_scheduled: bool = True
    to_leave: int = 0
    left: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def audience(self) -> Any:
        schedule = SCHEDULES.get(self.kind)
        return schedule.audience if schedule else THOSE_CONCERNED

    @property
    def has_passed(self) -> bool:
        return self.send_at is not None and self.send_at <= timezone.now()


Totals = defaultdict[str, Counter[str]]  # by kind: the number of mails in each state


class MailsOfEvent(NamedTuple):
    lines: list[Line]
    totals: Totals  # without those that did not leave because they were no longer true


def timeline(event: Event) -> list[Line]:
    """The scheduled mails, also those that are switched off, and all others that are pending."""
    return mails_of(event).lines


def mails_of(event: Event) -> "MailsOfEvent":
    """The same lines, and how many mails of each kind there are in each state; in as many queries."""
    totals: Totals = defaultdict(Counter)
    lines = {kind: Line(kind, send_at) for kind, send_at, _not_after in reminders.scheduled_times(event)}
    others = []
    for row in _grouped(event, totals):
        kind = Kind(row["kind"])
        if kind in lines:
            _add(lines[kind], row)
        elif row["state"] == State.PENDING:
            others.append(Line(kind, row["first"], is_scheduled=False, to_leave=row["total"]))
    if event.status == Event.Status.PUBLISHED:
        _note_waiting_list(event, list(lines.values()))
    in_time = sorted([*lines.values(), *others], key=lambda line: line.send_at or datetime.max.replace(tzinfo=UTC))
    return MailsOfEvent(in_time, totals)


def _grouped(event: Event, totals: Totals) -> Iterator[Any]:
    """By kind, state and reason; reminders of an earlier date of the event are not counted."""
    mails = Delivery.objects.without_dry_runs().filter(event=event).order_by()
    of_kind = Delivery.objects.without_dry_runs().pending().filter(event=event, kind=OuterRef("kind"))
    first = Subquery(of_kind.order_by("send_at").values("send_at")[:1])
    groups = mails.exclude(state__in=SKIPPED).values("kind", "state", "not_after")  # in the order of an index
    for row in groups.annotate(total=Count("*")).annotate(first=first):
        totals[row["kind"]][row["state"]] += row["total"]
        if row["not_after"] in {None, event.starts_at} or row["state"] == State.PENDING:
            yield row
    skipped = mails.filter(Q(not_after=None) | Q(not_after=event.starts_at), kind__in=[*SCHEDULES], state__in=SKIPPED)
    yield from skipped.values("kind", "state", "error").annotate(total=Count("*"))


def _add(line: Line, row: dict[str, Any]) -> None:
    match row["state"]:
        case State.PENDING | State.SENDING:
            line.to_leave += row["total"]
        case State.SENT:
            line.left += row["total"]
        case State.FAILED:
            line.skipped.append(Skipped(row["total"], _("failed")))
        case State.BROKEN:
            line.skipped.append(Skipped(row["total"], _("cannot be composed")))
        case _state:
            line.skipped.append(Skipped(row["total"], row.get("error", "")))


def _note_waiting_list(event: Event, lines: list[Line]) -> None:
    waiting = event.registrations.without_dry_runs().on_waiting_list().count()
    for line in lines:
        goes_to_seats = KINDS[line.kind].recipient == Recipient.REGISTRANT
        if goes_to_seats and waiting and line.send_at and not line.has_passed:
            line.skipped.append(Skipped(waiting, _("on the waiting list")))


def notes(event: Event) -> Iterator[str]:
    """Sentences about all the mails of the event."""
    match event.status:
        case Event.Status.DRAFT:
            yield _("This event is a draft: nothing leaves. These mails are planned as soon as it is published.")
        case Event.Status.POSTPONED:
            yield _("This event is postponed: no reminder leaves. A new date plans them again.")
        case Event.Status.CANCELLED:
            yield _("This event is cancelled: no reminder leaves.")
        case _published:
            yield _("Whoever signs up later, or is given a seat, receives those whose hour has not passed.")
