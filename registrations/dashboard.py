"""What the first page of the desk tells: each event at a glance, and how its sign-ups came in.

A fixed number of queries, whatever the number of events; those that count people or mails read indexes alone.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, DateTimeField, Max, Min, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models import Delivery, Event, EventState, Registration, Trace
from registrations.models.delivery import OVERDUE_AFTER

EVENTS_SHOWN = 10
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
    people: dict[str, int] = field(default_factory=dict)  # by status of the registration
    purged: dict[str, int] = field(default_factory=dict)  # the same, of those who have become anonymous
    first: datetime | None = None  # sign-up
    last: datetime | None = None
    troubles: Troubles = field(default_factory=Troubles)
    mails: list[ToCome] = field(default_factory=list)

    @property
    def state(self) -> Any:
        return STATE_WORDS[self.event.state]


def troubles() -> dict[int | None, Troubles]:
    """Of all mails, by event; None: those that belong to no event."""
    unsent = Q(state__in=[Delivery.State.PENDING, Delivery.State.SENDING], due__lte=timezone.now() - OVERDUE_AFTER)
    refused = Q(provider_status__in=[Delivery.ProviderStatus.BOUNCED, Delivery.ProviderStatus.COMPLAINED])
    counted = Delivery.objects.that_count().wanting_attention().order_by().values("registration__event")
    rows = counted.annotate(
        late=Count("pk", filter=unsent),
        failed=Count("pk", filter=Q(state=Delivery.State.FAILED)),
        refused=Count("pk", filter=refused),
        held=Count("pk", filter=Q(state=Delivery.State.HELD)),
    )
    return {
        row["registration__event"]: Troubles(row["late"], row["failed"], row["refused"], row["held"]) for row in rows
    }


def glances(found: dict[int | None, Troubles]) -> list[Glance]:
    """The events to come and the latest ones, each with its people and mails; `found`: the troubles, by event."""
    shown = {event.pk: Glance(event) for event in Event.objects.nearest_first()[:EVENTS_SHOWN]}
    _count_people(shown)
    for pk, glance in shown.items():
        glance.troubles = found.get(pk, Troubles())
        glance.event.seats_taken = glance.people.get(Registration.Status.CONFIRMED, 0)
    for pk, *mail in _mails_to_come(shown):
        shown[pk].mails.append(ToCome(Delivery.Kind(mail[0]), *mail[1:]))
    return list(shown.values())


def _count_people(shown: dict[int, Glance]) -> None:
    by_status = Registration.objects.filter(event__in=shown).order_by().values_list("event", "status")
    counted = by_status.annotate(count=Count("pk"), first=Min("created_at"), last=Max("created_at"))
    for pk, status, count, first, last in counted.union(_purged(shown), all=True).order_by():
        glance = shown[pk]
        if first is None:
            glance.purged[status] = count
            continue
        glance.people[status] = count
        glance.first, glance.last = min(glance.first or first, first), max(glance.last or last, last)


def _purged(shown: dict[int, Glance]) -> Any:
    """The same of anonymous rows, which have no moment."""
    no_moment = Value(None, DateTimeField())
    by_status = Trace.objects.filter(event__in=shown).values_list("event", "status")
    return by_status.annotate(count=Count("pk"), first=no_moment, last=no_moment)


def _mails_to_come(shown: dict[int, Glance]) -> Any:
    by_kind = Delivery.objects.that_count().to_come().filter(registration__event__in=shown).order_by()
    rows = by_kind.values_list("registration__event", "kind").annotate(first=Min("due"), count=Count("pk"))
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
    if glance.first is None or glance.last is None:
        return SignUps(1, [])
    zone = glance.event.zone
    first, last = glance.first.astimezone(zone).date(), glance.last.astimezone(zone).date()
    days = next((step for step in STEPS if (last - first).days < step * BARS_MAX), STEPS[-1])
    starts = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, days)]
    moments = [datetime.combine(day, time(), zone) for day in [*starts, starts[-1] + timedelta(days=days)]]
    counts = {
        f"bar_{n}": Count("pk", filter=Q(created_at__gte=since, created_at__lt=until))
        for n, (since, until) in enumerate(itertools.pairwise(moments))
    }
    found = Registration.objects.filter(event=glance.event).aggregate(**counts)
    return SignUps(days, [Figure(day, found[f"bar_{n}"]) for n, day in enumerate(starts)])


def territories(event: Event) -> list[Figure]:
    """Where those on the list come from, the most frequent first; the rare ones are counted together."""
    named = Registration.objects.filter(event=event).order_by().values_list("territory")
    counted = named.annotate(count=Count("pk")).order_by("-count", "territory")
    figures = [Figure(name or _("not said"), count) for name, count in counted]
    return figures if len(figures) <= TERRITORIES_SHOWN else list(_merged(figures))


def _merged(figures: list[Figure]) -> Iterator[Figure]:
    yield from figures[: TERRITORIES_SHOWN - 1]
    yield Figure(_("others"), sum(figure.number for figure in figures[TERRITORIES_SHOWN - 1 :]))
