"""Figures of an event for its funders (the « bilan »): sign-ups and attendance, from live and purged registrations.

Four queries, all grouped by the database: no row of a person is read. `expected` counts people who had a seat and had
signed up by the day of the session. So later sign-ups (for the documents) do not lower the attendance rate, and the
figures stay the same when the registrations are purged.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from registrations.models import (
    AnonymousRegistration,
    Attendance,
    Delivery,
    Event,
    PurgedCount,
    Registration,
    person_fields,
)
from registrations.models.attendance import has_attended
from registrations.models.mail_states import returns_are_told
from registrations.models.person_fields import PERSON_FIELDS
from registrations.models.purged_count import Counts
from registrations.models.search import folded
from registrations.statistics import classification, disclosure_control
from registrations.statistics.classification import Function, OrganisationType
from registrations.statistics.disclosure_control import Part, Row

STEPS = [1, 7, 14, 28, 91, 364]  # possible numbers of days per line of the table
LINES_MAX = 12
Kind, Status = Delivery.Kind, Registration.Status
TYPED = {one.counted_as: one.name for one in PERSON_FIELDS if one.counted_as}
CHOSEN = person_fields.names(lambda one: one.is_kept_in_figures)
GROUPS: dict[PurgedCount.Dimension, tuple[Any, Callable[[str], str]]] = {
    PurgedCount.Dimension.ORGANISATION: (OrganisationType, classification.organisation_type),
    PurgedCount.Dimension.FUNCTION: (Function, classification.function),
}


class Section(NamedTuple):
    title: str
    rows: list[Row]  # empty when the groups are too small to be published
    note: str = ""

    @property
    def widest(self) -> int:
        return max(row.share for row in self.rows)

    @property
    def tells_presence(self) -> bool:
        return any(row.presence is not None for row in self.rows)


class Step(NamedTuple):
    day: date
    number: int  # of new sign-ups in the days from this one
    total: int


class Presence(NamedTuple):
    expected: int
    present: int
    unknown_because: str = ""

    @property
    def percent(self) -> int:
        return disclosure_control.percent(self.present, self.expected)


class Mails(NamedTuple):
    """Mails of the registrations that have not been purged."""

    left: int
    returned: int
    failed: int
    reminders: int

    @property
    def returns_are_told(self) -> bool:
        """Without a provider's events, nobody knows how many came back."""
        return returns_are_told() and bool(self.left or self.failed)

    @property
    def percent(self) -> int:
        """Percent of mails sent and not bounced, of all sent or failed ones."""
        return disclosure_control.percent(self.left - self.returned, self.left + self.failed)


@dataclass(frozen=True)
class Figures:
    event: Event
    by_status: Counter[str]
    by_day: Counter[date]
    purged: int
    named: defaultdict[str, list[tuple[str, Counts]]]  # by field or dimension: (value, counts)
    origins: Counter[str]
    mails: Mails

    @property
    def signed_up(self) -> int:
        return self.by_status.total()

    @property
    def live(self) -> int:
        return self.signed_up - self.purged

    @property
    def knows_mails(self) -> bool:
        """After a purge a few late sign-ups remain, whose mails say nothing about those of the event."""
        return self.live > self.purged

    @property
    def waiting(self) -> int:
        return self.by_status[Status.WAITLISTED]

    @property
    def cancelled(self) -> int:
        return self.by_status[Status.CANCELLED]

    @cached_property
    def seated(self) -> Counts:
        return sum_counts(counts for _name, counts in self.named["territory"])

    @property
    def late(self) -> int:
        """People who got a seat after the day of the session."""
        return self.seated.registered - self.seated.expected

    @property
    def presence(self) -> Presence:
        expected, present = self.seated.expected, self.seated.present
        if self.event.status in {Event.Status.CANCELLED, Event.Status.POSTPONED}:
            return Presence(expected, present, _("the session did not take place"))
        if not self.event.is_over:
            return Presence(expected, present, _("the session is not over"))
        return Presence(expected, present, "" if present else _("presence not recorded"))

    @property
    def people_by_origin(self) -> list[tuple[Any, int]]:
        """(label, people) by origin of their attendances. A person with several origins is counted in each."""
        return [(origin.label, self.origins[origin]) for origin in Attendance.Origin if self.origins[origin]]

    @property
    def territories(self) -> int:
        return len({name for name, _counts in self.named["territory"] if name})

    @property
    def organisations(self) -> int:
        """Number of organisations with different names, ignoring case and accents; a lower bound after a purge."""
        typed = {folded(name) for name, _counts in self.named[TYPED[PurgedCount.Dimension.ORGANISATION]]} - {""}
        return max(
            len(typed),
            sum(counts.registered for _group, counts in self.named[PurgedCount.Dimension.DISTINCT_ORGANISATIONS]),
        )

    @property
    def sections(self) -> list[Section]:
        """Tables about the people, in the order of the page and of the document."""
        return [
            self._estimated(_("Types of organisation"), PurgedCount.Dimension.ORGANISATION),
            self._estimated(_("Functions"), PurgedCount.Dimension.FUNCTION),
            *self._answers(_("Territories"), "territory"),
            *self._answers(_("How they heard of it"), "heard_from"),
        ]

    def _estimated(self, title: str, dimension: PurgedCount.Dimension) -> Section:
        parts = self._recognised(dimension)
        return Section(title, self._rows(parts), self._note(dimension, parts))

    def _answers(self, title: str, name: str) -> Iterator[Section]:
        """One section, or none when nobody has answered."""
        answers = summed(self.named[name])
        if any(answers):
            yield Section(title, self._rows(Part(answer or _("not said"), answers[answer]) for answer in answers))

    def _rows(self, parts: Iterable[Part]) -> list[Row]:
        return disclosure_control.rows(parts, with_presence=not self.presence.unknown_because)

    def _recognised(self, dimension: PurgedCount.Dimension) -> list[Part]:
        """Groups of live registrations by what was typed, and of purged ones by the stored counts."""
        groups, group_of = GROUPS[dimension]
        typed = ((group_of(name), counts) for name, counts in self.named[TYPED[dimension]])
        found = summed([*typed, *self.named[dimension]])
        known = {group: counts for group, counts in found.items() if group in groups.values}
        return [*(Part(groups(group).label, counts) for group, counts in known.items()), *self._not_counted(known)]

    def _not_counted(self, known: dict[str, Counts]) -> Iterator[Part]:
        """Registrations purged by an older version, which did not count groups."""
        missing = Counts(*map(int.__sub__, self.seated, sum_counts(known.values())))
        if missing.registered:
            yield Part(_("not kept"), missing)

    def _note(self, dimension: PurgedCount.Dimension, parts: list[Part]) -> str:
        """Says that it is an estimate, and the share not recognised; a number below LEAST is not published."""
        groups, _group_of = GROUPS[dimension]
        number = sum(part.counts.registered for part in parts if part.label == groups.UNRECOGNISED.label)
        if 0 < number < disclosure_control.LEAST:
            return _("Estimated from what people typed; fewer than five of them were not recognised.")
        share = disclosure_control.percent(number, self.seated.registered)
        return _("Estimated from what people typed; not recognised: %(share)s%%.") % {"share": share}

    @cached_property
    def days(self) -> int:
        """Number of days per line of the table of sign-ups."""
        length = (max(self.by_day) - min(self.by_day)).days if self.by_day else 0
        return next((step for step in STEPS if length < step * LINES_MAX), STEPS[-1])

    @cached_property
    def steps(self) -> list[Step]:
        """Sign-ups over time, for the table. Withdrawn registrations are included."""
        first = min(self.by_day, default=date.min)
        new: Counter[int] = Counter()
        for day, number in self.by_day.items():
            new[(day - first).days // self.days] += number
        found: list[Step] = []
        for index in range(max(new, default=-1) + 1):
            total = new[index] + (found[-1].total if found else 0)
            found.append(Step(first + index * timedelta(days=self.days), new[index], total))
        return found

    @property
    def totals(self) -> list[tuple[date, int]]:
        """(day, cumulative total) for each day with a sign-up, for the curve."""
        days = sorted(self.by_day)
        return list(zip(days, itertools.accumulate(self.by_day[day] for day in days), strict=True))


def figures(event: Event) -> Figures:
    by_status: Counter[str] = Counter()
    by_day: Counter[date] = Counter()
    purged = 0
    for day, status, number, of_purged in _by_day(event):
        by_status[status] += number
        by_day[day] += number
        purged += of_purged
    named: defaultdict[str, list[tuple[str, Counts]]] = defaultdict(list)
    for dimension, name, *counts in _named(event):
        named[dimension].append((name, Counts(*counts)))
    return Figures(
        event, by_status, by_day, purged, named, _origins(event, named[PurgedCount.Dimension.ORIGIN]), _mails(event)
    )


def summed(named: Iterable[tuple[str, Counts]]) -> dict[str, Counts]:
    by_name: defaultdict[str, list[Counts]] = defaultdict(list)
    for name, counts in named:
        by_name[name].append(counts)
    return {name: sum_counts(found) for name, found in by_name.items()}


def sum_counts(found: Iterable[Counts]) -> Counts:
    return Counts(*map(sum, zip(Counts(), *found, strict=True)))


def _by_day(event: Event) -> QuerySet[Any, tuple[date, str, int, int]]:
    """Rows (day, status, sign-ups, number of purged ones among them)."""
    day = TruncDate("created_at", tzinfo=event.zone)
    people = event.registrations.without_dry_runs().order_by()
    live = people.values_list(day, "status").annotate(number=Count("pk"), purged=Value(0))
    anonymous = event.anonymous_registrations.values_list("registered_on", "status")
    return live.union(anonymous.annotate(number=Count("pk"), purged=Count("pk")), all=True).order_by()


def _named(event: Event) -> QuerySet[Any, tuple[str, str, int, int, int]]:
    """Rows (field or dimension, value, registered, expected, present) of registrations with a seat."""
    last = last_day(event)
    in_time = Q(created_at__lt=datetime.combine(last + timedelta(days=1), time(), event.zone))
    seated = event.registrations.without_dry_runs().seated().order_by()
    anonymous = event.anonymous_registrations.filter(status=Status.CONFIRMED)
    first, *others = [
        *(
            _counted(seated, name, in_time | Q(has_attended()), Q(has_attended()))
            for name in [*TYPED.values(), *CHOSEN]
        ),
        *(
            _counted(anonymous, name, Q(registered_on__lte=last) | Q(was_present=True), Q(was_present=True))
            for name in CHOSEN
        ),
        event.purged_counts.values_list("dimension", "group", "registered", "expected", "present"),
    ]
    return first.union(*others, all=True).order_by()


def _counted(rows: QuerySet[Any], name: str, expected: Q, present: Q) -> QuerySet[Any, Any]:
    counts = Counts(Count("pk"), Count("pk", filter=expected), Count("pk", filter=present))  # type: ignore[arg-type]
    counted: QuerySet[Any, Any] = rows.values_list(Value(name), name).annotate(**counts._asdict())
    return counted


def last_day(event: Event) -> date:
    """The last day of the session. It is a day and no time, since purged registrations have the day only."""
    return event.ends_at.astimezone(event.zone).date()


def counts_of(event: Event, anonymous: AnonymousRegistration) -> Counts:
    """Counts of one person with a seat, by the same rules as in the queries."""
    return Counts(1, anonymous.was_present or anonymous.registered_on <= last_day(event), anonymous.was_present)


def _origins(event: Event, purged: list[tuple[str, Counts]]) -> Counter[str]:
    """People by origin of their attendances. A person with several origins is counted in each."""
    of_seated = Attendance.objects.filter(
        registration__event=event, registration__status=Status.CONFIRMED, registration__is_dry_run=False
    )
    origins = Counter(dict(of_seated.order_by().values_list("origin").annotate(number=Count("pk"))))
    origins.update({origin: counts.present for origin, counts in purged})
    return origins


def _mails(event: Event) -> Mails:
    sent = Q(state=Delivery.State.SENT)
    returned = Q(provider_status=Delivery.ProviderStatus.BOUNCED)
    reminder = Q(kind__in=[Kind.REMINDER_DAY, Kind.REMINDER_HOUR])
    counts = {
        "left": Count("pk", filter=sent),
        "returned": Count("pk", filter=sent & returned),
        "failed": Count("pk", filter=Q(state=Delivery.State.FAILED)),
        "reminders": Count("pk", filter=sent & reminder),
    }
    return Mails(**Delivery.objects.without_dry_runs().filter(registration__event=event).aggregate(**counts))
