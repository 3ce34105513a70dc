"""Figures of the admin's first page: a summary of each event, and its sign-ups over time.

The number of queries does not depend on the number of events.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.models import CharField, Count, OuterRef, QuerySet, Subquery, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models import (
    AnonymousRegistration,
    Delivery,
    Event,
    EventState,
    Registration,
    late_mails,
    unresolved_mails,
)
from registrations.models.delivery import REFUSALS

EVENTS_SHOWN = 10
LATE_MAX = 5000  # late mails that are read one by one
BARS_MAX = 31
STEPS = [1, 7, 28, 91, 364]  # possible numbers of days per bar
TERRITORIES_SHOWN = 12
STATE_WORDS = {
    EventState.DRAFT: _("Draft"),
    EventState.CANCELLED: _("Cancelled"),
    EventState.POSTPONED: _("Postponed"),
    EventState.NOT_YET_OPEN: _("Published, sign-up not open yet"),
    EventState.PAST_AND_OPEN: _("Past, sign-up still open"),
    EventState.PAST: _("Past"),
    EventState.CLOSED: _("Sign-up closed"),
    EventState.LIVE: _("Under way"),
    EventState.FULL: pgettext_lazy("event", "Full"),
    EventState.OPEN: _("Sign-up open"),
}


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
    """One row of the table of events."""

    event: Event
    first_at: datetime | None  # the first sign-up
    last_at: datetime | None
    people: Counter[str] = field(default_factory=Counter)  # by status of the registration
    purged: Counter[str] = field(default_factory=Counter)  # the same for anonymous registrations
    places: Counter[str] = field(default_factory=Counter)  # by territory
    problems: Problems = field(default_factory=Problems)
    mails: list[UpcomingMails] = field(default_factory=list)

    @property
    def state(self) -> Any:
        return STATE_WORDS[self.event.state]


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
    people = Registration.objects.without_dry_runs().filter(event=OuterRef("pk")).order_by("created_at")
    first, last = (some.values("created_at")[:1] for some in (people, people.reverse()))
    events: Any = Event.objects.nearest_first().annotate(first_at=Subquery(first), last_at=Subquery(last))
    events = events if only is None else events.filter(pk__in=only)
    shown = {event.pk: EventSummary(event, event.first_at, event.last_at) for event in events[:EVENTS_SHOWN]}
    _count_people(shown)
    for pk, summary in shown.items():
        summary.problems = found.get(pk, Problems())
        summary.event.seats_taken = summary.people.get(Registration.Status.CONFIRMED, 0)
    for pk, kind, number, first_at in _upcoming_mails(shown):
        shown[pk].mails.append(UpcomingMails(Delivery.Kind(kind), first_at, number))
    return list(shown.values())


def _count_people(shown: dict[int, EventSummary]) -> None:
    people = Registration.objects.without_dry_runs().filter(event__in=shown).order_by()
    groups = people.values_list("event", "status", "territory").annotate(count=Count("*"), is_purged=Value(False))
    rows = groups.union(_purged(shown), all=True).order_by()
    for pk, status, territory, count, is_purged in rows:
        if is_purged:
            shown[pk].purged[status] = count
            continue
        shown[pk].people[status] += count
        shown[pk].places[territory] += count


def _purged(shown: dict[int, EventSummary]) -> Any:
    """The same columns for anonymous registrations, whose territory is left out."""
    by_status = AnonymousRegistration.objects.filter(event__in=shown).values_list("event", "status")
    return by_status.annotate(place=Value("", CharField()), count=Count("pk"), is_purged=Value(True))


def _upcoming_mails(shown: dict[int, EventSummary]) -> Any:
    """Pending mails by event and kind, with the time of the first one."""
    pending = Delivery.objects.without_dry_runs().pending()
    of_kind = pending.filter(event=OuterRef("event"), kind=OuterRef("kind"))
    first = Subquery(of_kind.order_by("send_at").values("send_at")[:1])
    groups = pending.filter(event__in=shown).values_list("event", "kind").annotate(count=Count("*"))
    return groups.annotate(first=first).order_by("first")


class Figure(NamedTuple):
    label: Any
    number: int


class SignUps(NamedTuple):
    """Sign-ups over time, one figure per bar."""

    days: int  # per bar
    figures: list[Figure]  # the label is the first day of the bar


def sign_ups(summary: EventSummary) -> SignUps:
    """Sign-ups by day, or by several days so that at most BARS_MAX bars are needed. Withdrawn ones are included."""
    event = summary.event
    people = event.registrations.without_dry_runs().order_by()
    if not (summary.first_at and summary.last_at):
        return SignUps(1, [])
    first, last = summary.first_at.astimezone(event.zone).date(), summary.last_at.astimezone(event.zone).date()
    days = next((step for step in STEPS if (last - first).days < step * BARS_MAX), STEPS[-1])
    bars = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, days)]
    starts = [datetime.combine(bar, time(), event.zone) for bar in [*bars, bars[-1] + timedelta(days=days)]]
    return SignUps(days, list(map(Figure, bars, _counts_between(people, starts))))


def _counts_between(people: QuerySet[Registration], starts: list[datetime]) -> list[int]:
    """How many signed up from each moment to the next. An index counts them, which no date function could use."""
    bars = [
        people.filter(created_at__gte=start, created_at__lt=end).values_list(Value(bar)).annotate(count=Count("*"))
        for bar, (start, end) in enumerate(pairwise(starts))
    ]
    counts = dict(bars[0].union(*bars[1:], all=True).order_by())
    return [counts.get(bar, 0) for bar in range(len(bars))]


def territories(summary: EventSummary) -> list[Figure]:
    """Registrations by territory, the most frequent first; the rarest are added up in one figure."""
    counted = sorted(summary.places.items(), key=lambda place: (-place[1], place[0]))
    figures = [Figure(name or _("not said"), count) for name, count in counted]
    return figures if len(figures) <= TERRITORIES_SHOWN else list(_merged(figures))


def _merged(figures: list[Figure]) -> Iterator[Figure]:
    yield from figures[: TERRITORIES_SHOWN - 1]
    yield Figure(_("others"), sum(figure.number for figure in figures[TERRITORIES_SHOWN - 1 :]))
