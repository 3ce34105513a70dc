"""Figures of the desk's first page: a summary of each event.

The number of queries does not depend on the number of events.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from registrations.models import (
    AnonymousRegistration,
    Attendance,
    Delivery,
    Event,
    Registration,
    late_mails,
    unresolved_mails,
)
from registrations.models.attendance import has_attended
from registrations.models.delivery import REFUSALS

EVENTS_SHOWN = 10
LATE_MAX = 5000  # late mails that are read one by one


@dataclass
class Problems:
    late: int = 0
    failed: int = 0
    refused: int = 0
    held: int = 0
    broken: int = 0


class UpcomingMails(NamedTuple):
    kind: Delivery.Kind
    first: datetime
    number: int


@dataclass
class EventSummary:
    """One event of the first page."""

    event: Event
    present: int
    has_attendance: bool  # the room's report was imported, or somebody noted by hand
    people: Counter[str] = field(default_factory=Counter)  # by status of the registration
    purged: Counter[str] = field(default_factory=Counter)  # the same for anonymous registrations
    problems: Problems = field(default_factory=Problems)
    mails: list[UpcomingMails] = field(default_factory=list)


def problems() -> dict[int | None, Problems]:
    """Problems of mails by event; the key None is for mails without an event."""
    found: defaultdict[int | None, Problems] = defaultdict(Problems)
    for event, count in _late().items():
        found[event].late = count
    mails = Delivery.objects.without_dry_runs().order_by()
    kinds = [
        mails.filter(state__in=[Delivery.State.HELD, Delivery.State.BROKEN]).values_list("state", "event"),
        unresolved_mails.unresolved(mails, what=unresolved_mails.FAILED).values_list("state", "event"),
        unresolved_mails.unresolved(mails, what=unresolved_mails.REFUSED).values_list("provider_status", "event"),
    ]
    first, *others = [kind.annotate(count=Count("*")) for kind in kinds]
    for problem, event, count in first.union(*others, all=True).order_by():
        found[event].failed += count * (problem == Delivery.State.FAILED)
        found[event].held += count * (problem == Delivery.State.HELD)
        found[event].broken += count * (problem == Delivery.State.BROKEN)
        found[event].refused += count * (problem in REFUSALS)
    return found


def _late() -> Counter[int | None]:
    """Late mails by event. Up to LATE_MAX they are read by an index; above it, all are counted in the database."""
    late = (late_mails.overdue() | late_mails.put_off_by_mailboxes()).without_dry_runs().order_by("send_at")
    first = list(late.values_list("event", flat=True)[: LATE_MAX + 1])
    if len(first) <= LATE_MAX:
        return Counter(first)
    return Counter(dict(late.order_by().values_list("event").annotate(count=Count("pk"))))


def summaries(found: dict[int | None, Problems], only: Collection[int] | None = None) -> list[EventSummary]:
    """Summaries of the next and the latest events. `found`: the problems by event; `only`: ids of events."""
    events: Any = Event.objects.nearest_first().annotate(present=_present(), has_attendance=_is_reported())
    events = events if only is None else events.filter(pk__in=only)
    shown = {event.pk: EventSummary(event, event.present, event.has_attendance) for event in events[:EVENTS_SHOWN]}
    _count_people(shown)
    for pk, summary in shown.items():
        summary.problems = found.get(pk, Problems())
        summary.event.seats_taken = summary.people.get(Registration.Status.CONFIRMED, 0)
    for pk, kind, number, first_at in _upcoming_mails(shown):
        shown[pk].mails.append(UpcomingMails(Delivery.Kind(kind), first_at, number))
    return list(shown.values())


def _present() -> Coalesce:
    came = Registration.objects.without_dry_runs().filter(has_attended(), event=OuterRef("pk")).order_by()
    return Coalesce(Subquery(came.values("event").annotate(total=Count("*")).values("total")), 0)


def _is_reported() -> Exists:
    signs = Attendance.objects.filter(registration__event=OuterRef("pk"), registration__is_dry_run=False)
    return Exists(signs.exclude(origin=Attendance.Origin.JOIN))


def _count_people(shown: dict[int, EventSummary]) -> None:
    people = Registration.objects.without_dry_runs().filter(event__in=shown).order_by()
    groups = people.values_list("event", "status").annotate(count=Count("*"), is_purged=Value(False))
    rows = groups.union(_purged(shown), all=True).order_by()
    for pk, status, count, is_purged in rows:
        if is_purged:
            shown[pk].purged[status] = count
            continue
        shown[pk].people[status] += count


def _purged(shown: dict[int, EventSummary]) -> Any:
    """The same columns for anonymous registrations."""
    by_status = AnonymousRegistration.objects.filter(event__in=shown).values_list("event", "status")
    return by_status.annotate(count=Count("pk"), is_purged=Value(True))


def _upcoming_mails(shown: dict[int, EventSummary]) -> Any:
    """Pending mails by event and kind, with the time of the first one."""
    pending = Delivery.objects.without_dry_runs().pending()
    of_kind = pending.filter(event=OuterRef("event"), kind=OuterRef("kind"))
    first = Subquery(of_kind.order_by("send_at").values("send_at")[:1])
    groups = pending.filter(event__in=shown).values_list("event", "kind").annotate(count=Count("*"))
    return groups.annotate(first=first).order_by("first")
