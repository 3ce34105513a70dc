"""Sign-ups over time: by day as long as fourteen columns hold them, then by week, by month, by quarter and by year."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from django.db.models import Count, QuerySet, Value
from django.utils import timezone

from registrations.models import Event, Registration

COLUMNS_MAX = 14
WEEK = 7  # days
MONTHS = {"month": 1, "quarter": 3, "year": 12}
COLUMN_HEIGHT = 100


class Column(NamedTuple):
    first: date
    number: int
    height: int  # of COLUMN_HEIGHT
    is_now: bool
    names_month: bool
    names_year: bool

    @property
    def top(self) -> int:
        return COLUMN_HEIGHT - self.height


class SignUps(NamedTuple):
    span: str  # day, week, month, quarter, year
    columns: list[Column]

    @property
    def total(self) -> int:
        return sum(column.number for column in self.columns)


def over_time(event: Event, first: datetime | None, last: datetime | None) -> SignUps:
    """Withdrawn ones are included. `first` and `last`: the first and the last sign-up."""
    if first is None or last is None:
        return SignUps("day", [])
    start, end = (moment.astimezone(event.zone).date() for moment in (first, last))
    span, days = _days(start, end)
    edges = [datetime.combine(day, time(), event.zone) for day in days]
    numbers = _counts_between(event.registrations.without_dry_runs().order_by(), edges)
    highest, today = max(numbers) or 1, timezone.now().astimezone(event.zone).date()
    columns = [
        Column(
            day,
            number,
            round(number * COLUMN_HEIGHT / highest),
            is_now=day <= today < after,
            names_month=before is None or before.month != day.month,
            names_year=before is None or before.year != day.year,
        )
        for before, day, after, number in zip([None, *days], days, days[1:], numbers, strict=False)
    ]
    return SignUps(span, columns)


def _days(start: date, end: date) -> tuple[str, list[date]]:
    """The first day of each column, and the day after the last one."""
    length = (end - start).days + 1
    if length <= COLUMNS_MAX:
        return "day", [start + timedelta(days=n) for n in range(length + 1)]
    monday = start - timedelta(days=start.weekday())
    weeks = (end - monday).days // WEEK + 1
    if weeks <= COLUMNS_MAX:
        return "week", [monday + timedelta(days=WEEK * n) for n in range(weeks + 1)]
    spans = [(span, list(_month_starts(start, end, months))) for span, months in MONTHS.items()]
    return next((found for found in spans if len(found[1]) <= COLUMNS_MAX + 1), spans[-1])


def _month_starts(start: date, end: date, step: int) -> Iterator[date]:
    month = (start.year * 12 + start.month - 1) // step * step
    last = end.year * 12 + end.month - 1
    while month <= last:
        yield date(month // 12, month % 12 + 1, 1)
        month += step
    yield date(month // 12, month % 12 + 1, 1)


def _counts_between(people: QuerySet[Registration], edges: list[datetime]) -> list[int]:
    """How many signed up from each moment to the next. An index counts them, which no date function could use."""
    columns = [
        people.filter(created_at__gte=start, created_at__lt=end).values_list(Value(n)).annotate(count=Count("*"))
        for n, (start, end) in enumerate(pairwise(edges))
    ]
    counts = dict(columns[0].union(*columns[1:], all=True).order_by())
    return [counts.get(n, 0) for n in range(len(columns))]
