"""Lengths of time and hours as meeting rooms write them."""

import pytest

from registrations.spreadsheets.durations import Span, moment, seconds_of, union


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("75", 4500),
        ("75,5", 4530),
        ("01:15:40", 4540),
        ("1:15", 4500),
        ("1 h 5 min", 3900),
        ("1h 27m 51s", 5271),
        ("1 h 05", 3900),
        ("1h05", 3900),
        ("2 heures 3 minutes 4 secondes", 7384),
        ("1 heure et 5 minutes", 3900),
        ("1 hour, 5 minutes and 3 seconds", 3903),
        ("1 h. 5 min.", 3900),
        ("51s", 51),
        ("83 min.", 4980),
        ("83 mins", 4980),
        ("1,5 h", 5400),
        ("1.5 hours", 5400),
        ("1\u202fh\u00a005\u00a0min", 3900),
        ("1 jour 2 h", 93600),
        ("1 day 2 hours", 93600),
        ("1 day, 2:00:00", 93600),
        ("1.02:00:00", 93600),
        ("0:20:00.250000", 1200),
        ("PT1H5M3S", 3903),
        ("P1DT2H", 93600),
        ("< 1 min", 0),
        ("<1 min.", 0),
        ("Moins d’une minute", 0),
        ("moins d'1 min", 0),
        ("Less than a minute", 0),
    ],
)
def test_durations_are_read_in_all_usual_formats(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "environ une heure",
        "En cours",
        "In progress",
        "-5",
        "PT",
        "٣",
        "83:00",
        "1:75",
        "< 2 h",
        "h",
        "12:00 PM",
    ],
)
def test_what_is_no_certain_duration_is_none(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("12/15/2026 01:50:00 PM", "12/15/2026 02:00:00 PM", 600),
        ("12/11/2026 11:50:00 PM", "12/12/2026 12:10:00 AM", 1200),
        ("11/12/2026 23:50", "12/12/2026 00:10", 1200),
        ("15/12/2026 14:00:10", "15/12/2026 15:23:04", 4974),
        ("2026-12-15 14:00:00", "2026-12-15 15:23:00", 4980),
        ("2026-12-15T14:00:00Z", "2026-12-15T15:23:00.5+00:00", 4980),
        ("5/13/25, 4:28:10 PM", "5/13/25, 5:28:10 p.m.", 3600),
        ("15.12.2026 14:00", "15.12.2026 15:00", 3600),
        ("14h00", "15h30", 5400),
    ],
)
def test_two_hours_of_a_report_tell_the_time_between_them(start: str, end: str, seconds: int) -> None:
    first, last = moment(start), moment(end)
    assert first is not None
    assert last is not None
    assert last - first == seconds


@pytest.mark.parametrize(
    "text", ["", "-", "En cours", "13/13/2026 14:00", "25:00", "14:61", "15/12/2026", "0/0/0 1:00"]
)
def test_what_is_no_hour_is_none(text: str) -> None:
    assert moment(text) is None


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], ()),
        ([(0, 10), (20, 30)], ((0, 10), (20, 30))),
        ([(20, 30), (0, 25)], ((0, 30),)),
        ([(0, 50), (10, 20), (50, 60)], ((0, 60),)),
    ],
)
def test_a_union_counts_no_second_twice(spans: list[Span], expected: tuple[Span, ...]) -> None:
    assert union(spans) == expected


def test_a_cell_of_a_hundred_thousand_commas_is_left_at_once() -> None:
    assert seconds_of(", " * 50_000) is None
    assert moment("1 " * 50_000) is None
