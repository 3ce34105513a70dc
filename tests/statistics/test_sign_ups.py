"""Sign-ups over time: few columns, whatever the length of time, and nobody is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from registrations.statistics import sign_ups
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db
FIRST = datetime(2020, 3, 2, 12, tzinfo=UTC)


def test_one_day_is_one_column() -> None:
    event = make_event()
    make_registration(event, created_at=FIRST)
    assert [column.number for column in sign_ups.over_time(event, FIRST, FIRST).columns] == [1]


def test_days_are_of_the_event_s_zone_and_empty_ones_count() -> None:
    event = make_event()
    moments = [datetime(2026, 3, 2, 22, 59, tzinfo=UTC), datetime(2026, 3, 2, 23, 1, tzinfo=UTC)]
    moments.append(datetime(2026, 3, 5, 12, tzinfo=UTC))
    for moment in moments:
        make_registration(event, created_at=moment)
    found = sign_ups.over_time(event, moments[0], moments[-1]).columns
    assert [(f"{column.first:%d/%m}", column.number) for column in found] == [
        ("02/03", 1),
        ("03/03", 1),
        ("04/03", 0),
        ("05/03", 1),
    ]


@pytest.mark.parametrize(
    ("days", "span"), [(13, "day"), (14, "week"), (90, "week"), (300, "month"), (1000, "quarter"), (4000, "year")]
)
def test_fourteen_columns_hold_any_length_of_time(days: int, span: str) -> None:
    event, last = make_event(), FIRST + timedelta(days=days)
    for moment in (FIRST, last):
        make_registration(event, created_at=moment)
    found = sign_ups.over_time(event, FIRST, last)
    assert (found.span, found.total) == (span, 2)
    assert len(found.columns) <= sign_ups.COLUMNS_MAX
