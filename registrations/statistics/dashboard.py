"""What the first page of the desk tells: each event at a glance, and how its sign-ups came in.

A fixed number of queries, whatever the number of events; people and mails are counted by the tallies, in a few rows.
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
    Delivery,
    Event,
    EventState,
    MailTally,
    PeopleTally,
    Registration,
    SignUpTally,
    Trace,
)
from registrations.models.delivery import REFUSALS

EVENTS_SHOWN = 10
LATE_READ = 5000  # mails
FAILED, HELD = Q(state=Delivery.State.FAILED), Q(state=Delivery.State.HELD)
REFUSED = Q(provider_status__in=REFUSALS)
BARS_MAX = 31
STEPS = [1, 7, 28, 91, 364]  # days that one bar stands for
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
class Troubles:
    late: int = 0
    failed: int = 0
    refused: int = 0
    held: int = 0


class ToCome(NamedTuple):
    kind: Delivery.Kind
    first: datetime
    number: int


@dataclass
class Glance:
    """One event in the table."""

    event: Event
    people: Counter[str] = field(default_factory=Counter)  # by status of the registration
    purged: Counter[str] = field(default_factory=Counter)  # the same, of those who have become anonymous
    places: Counter[str] = field(default_factory=Counter)  # by territory
    troubles: Troubles = field(default_factory=Troubles)
    mails: list[ToCome] = field(default_factory=list)

    @property
    def state(self) -> Any:
        return STATE_WORDS[self.event.state]


def troubles() -> dict[int | None, Troubles]:
    """Of all mails, by event; None: those that belong to no event. What is late is counted one by one."""
    found: defaultdict[int | None, Troubles] = defaultdict(Troubles)
    for event, count in _late().items():
        found[event].late = count
    counted = MailTally.objects.filter(FAILED | HELD | REFUSED).totals("event", "state", "provider_status")
    for event, state, told, count in counted:
        found[event].failed += count * (state == Delivery.State.FAILED)
        found[event].held += count * (state == Delivery.State.HELD)
        found[event].refused += count * bool(told in REFUSALS)
    return found


def _late() -> Counter[int | None]:
    """The first ones are read in the order of their hour, which an index gives; of very many all are counted."""
    late = Delivery.objects.that_count().overdue().order_by("due")
    first = list(late.values_list("event", flat=True)[: LATE_READ + 1])
    if len(first) <= LATE_READ:
        return Counter(first)
    return Counter(dict(late.order_by().values_list("event").annotate(count=Count("pk"))))


def glances(found: dict[int | None, Troubles]) -> list[Glance]:
    """The events to come and the latest ones, each with its people and mails; `found`: the troubles, by event."""
    shown = {event.pk: Glance(event) for event in Event.objects.nearest_first()[:EVENTS_SHOWN]}
    _count_people(shown)
    for pk, glance in shown.items():
        glance.troubles = found.get(pk, Troubles())
        glance.event.seats_taken = glance.people.get(Registration.Status.CONFIRMED, 0)
    for pk, kind, number, first in _mails_to_come(shown):
        shown[pk].mails.append(ToCome(Delivery.Kind(kind), first, number))
    return list(shown.values())


def _count_people(shown: dict[int, Glance]) -> None:
    counted = PeopleTally.objects.filter(event__in=shown).totals("event", "status", "territory")
    rows = counted.annotate(is_purged=Value(False)).union(_purged(shown), all=True).order_by()
    for pk, status, territory, count, is_purged in rows:
        if is_purged:
            shown[pk].purged[status] = count
            continue
        shown[pk].people[status] += count
        shown[pk].places[territory] += count


def _purged(shown: dict[int, Glance]) -> Any:
    """The same of anonymous rows, without their territory."""
    by_status = Trace.objects.filter(event__in=shown).values_list("event", "status")
    return by_status.annotate(place=Value("", CharField()), count=Count("pk"), is_purged=Value(True))


def _mails_to_come(shown: dict[int, Glance]) -> Any:
    """Those that wait, with the hour of the first."""
    waiting = MailTally.objects.filter(event__in=shown, state=Delivery.State.PENDING)
    of_kind = Delivery.objects.that_count().pending().filter(event=OuterRef("event"), kind=OuterRef("kind"))
    first = Subquery(of_kind.order_by("due").values("due")[:1])
    rows = waiting.totals("event_id", "kind").annotate(first=first).filter(first__isnull=False)
    return rows.order_by("first")


class Figure(NamedTuple):
    label: Any
    number: int


class SignUps(NamedTuple):
    """How many signed up, bar by bar."""

    days: int  # that each bar stands for
    figures: list[Figure]  # each with its first day


def sign_ups(glance: Glance) -> SignUps:
    """By day, or by as many days as it takes to fit; whoever withdrew later had signed up all the same."""
    counted = SignUpTally.objects.of(glance.event).totals("quarter").order_by("quarter")
    by_day = Counter[date]()
    for quarter, count in counted:
        by_day[quarter.astimezone(glance.event.zone).date()] += count
    if not by_day:
        return SignUps(1, [])
    first, last = min(by_day), max(by_day)
    days = next((step for step in STEPS if (last - first).days < step * BARS_MAX), STEPS[-1])
    figures = [Figure(first + timedelta(days=n), 0) for n in range(0, (last - first).days + 1, days)]
    for day, count in by_day.items():
        bar = (day - first).days // days
        figures[bar] = Figure(figures[bar].label, figures[bar].number + count)
    return SignUps(days, figures)


def territories(glance: Glance) -> list[Figure]:
    """Where those on the list come from, the most frequent first; the rare ones are counted together."""
    counted = sorted(glance.places.items(), key=lambda place: (-place[1], place[0]))
    figures = [Figure(name or _("not said"), count) for name, count in counted]
    return figures if len(figures) <= TERRITORIES_SHOWN else list(_merged(figures))


def _merged(figures: list[Figure]) -> Iterator[Figure]:
    yield from figures[: TERRITORIES_SHOWN - 1]
    yield Figure(_("others"), sum(figure.number for figure in figures[TERRITORIES_SHOWN - 1 :]))
