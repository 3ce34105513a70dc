"""Figures of the admin's first page: a summary of each event, and its sign-ups over time.

The number of queries does not depend on the number of events. People and mails are read from the live counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import CharField, Count, OuterRef, Q, Subquery, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models import (
    AnonymousRegistration,
    Delivery,
    Event,
    EventState,
    MailCount,
    PeopleCount,
    Registration,
    SignUpCount,
)
from registrations.models.delivery import REFUSALS

EVENTS_SHOWN = 10
LATE_MAX = 5000  # late mails that are read one by one
TO_LOOK_AT = Q(state__in=[Delivery.State.FAILED, Delivery.State.HELD, Delivery.State.BROKEN])
REFUSED = Q(provider_status__in=REFUSALS)
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
    counted = MailCount.objects.filter(TO_LOOK_AT | REFUSED).totals("event", "state", "provider_status")
    for event, state, provider_status, count in counted:
        found[event].failed += count * (state == Delivery.State.FAILED)
        found[event].held += count * (state == Delivery.State.HELD)
        found[event].broken += count * (state == Delivery.State.BROKEN)
        found[event].refused += count * bool(provider_status in REFUSALS)
    return found


def _late() -> Counter[int | None]:
    """Late mails by event. Up to LATE_MAX they are read by an index; above it, all are counted in the database."""
    late = Delivery.objects.without_dry_runs().overdue().order_by("send_at")
    first = list(late.values_list("event", flat=True)[: LATE_MAX + 1])
    if len(first) <= LATE_MAX:
        return Counter(first)
    return Counter(dict(late.order_by().values_list("event").annotate(count=Count("pk"))))


def summaries(found: dict[int | None, Problems]) -> list[EventSummary]:
    """Summaries of the next and the latest events. `found`: the problems by event."""
    shown = {event.pk: EventSummary(event) for event in Event.objects.nearest_first()[:EVENTS_SHOWN]}
    _count_people(shown)
    for pk, summary in shown.items():
        summary.problems = found.get(pk, Problems())
        summary.event.seats_taken = summary.people.get(Registration.Status.CONFIRMED, 0)
    for pk, kind, number, first in _upcoming_mails(shown):
        shown[pk].mails.append(UpcomingMails(Delivery.Kind(kind), first, number))
    return list(shown.values())


def _count_people(shown: dict[int, EventSummary]) -> None:
    counted = PeopleCount.objects.filter(event__in=shown).totals("event", "status", "territory")
    rows = counted.annotate(is_purged=Value(False)).union(_purged(shown), all=True).order_by()
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
    waiting = MailCount.objects.filter(event__in=shown, state=Delivery.State.PENDING)
    of_kind = Delivery.objects.without_dry_runs().pending().filter(event=OuterRef("event"), kind=OuterRef("kind"))
    first = Subquery(of_kind.order_by("send_at").values("send_at")[:1])
    rows = waiting.totals("event_id", "kind").annotate(first=first).filter(first__isnull=False)
    return rows.order_by("first")


class Figure(NamedTuple):
    label: Any
    number: int


class SignUps(NamedTuple):
    """Sign-ups over time, one figure per bar."""

    days: int  # per bar
    figures: list[Figure]  # the label is the first day of the bar


def sign_ups(summary: EventSummary) -> SignUps:
    """Sign-ups by day, or by several days so that at most BARS_MAX bars are needed. Withdrawn ones are included."""
    counted = SignUpCount.objects.of(summary.event).totals("quarter").order_by("quarter")
    by_day = Counter[date]()
    for quarter, count in counted:
        by_day[quarter.astimezone(summary.event.zone).date()] += count
    if not by_day:
        return SignUps(1, [])
    first, last = min(by_day), max(by_day)
    days = next((step for step in STEPS if (last - first).days < step * BARS_MAX), STEPS[-1])
    figures = [Figure(first + timedelta(days=n), 0) for n in range(0, (last - first).days + 1, days)]
    for day, count in by_day.items():
        bar = (day - first).days // days
        figures[bar] = Figure(figures[bar].label, figures[bar].number + count)
    return SignUps(days, figures)


def territories(summary: EventSummary) -> list[Figure]:
    """Registrations by territory, the most frequent first; the rarest are added up in one figure."""
    counted = sorted(summary.places.items(), key=lambda place: (-place[1], place[0]))
    figures = [Figure(name or _("not said"), count) for name, count in counted]
    return figures if len(figures) <= TERRITORIES_SHOWN else list(_merged(figures))


def _merged(figures: list[Figure]) -> Iterator[Figure]:
    yield from figures[: TERRITORIES_SHOWN - 1]
    yield Figure(_("others"), sum(figure.number for figure in figures[TERRITORIES_SHOWN - 1 :]))
