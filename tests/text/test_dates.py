"""A session of several days, or across midnight, is told whole: nobody comes on the first day only."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import translation

from registrations.mailing.composer import compose
from registrations.models import Delivery, Event
from registrations.text import dates
from tests.factories import make_event, make_registration

PARIS = ZoneInfo("Europe/Paris")


def lasting(start: str, end: str) -> Event:
    return Event(
        timezone="Europe/Paris",
        starts_at=datetime.fromisoformat(start).replace(tzinfo=PARIS),
        ends_at=datetime.fromisoformat(end).replace(tzinfo=PARIS),
    )


ONE = lasting("2025-05-13T16:30", "2025-05-13T18:00")
NIGHT = lasting("2025-05-13T22:00", "2025-05-14T01:00")
TWO = lasting("2025-05-13T09:00", "2025-05-14T17:30")
TWO_MONTHS = lasting("2025-05-31T09:00", "2025-06-01T17:00")
TWO_YEARS = lasting("2025-12-31T09:00", "2026-01-02T17:00")


def plain(words: str) -> str:
    return words.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("event", "days", "hours", "on", "of", "of_dates"),
    [
        (
            ONE,
            "mardi 13 mai 2025",
            "de 16 h 30 à 18 h",
            "le mardi 13 mai 2025",
            "du mardi 13 mai 2025",
            "du 13 mai 2025",
        ),
        (
            NIGHT,
            "mardi 13 mai 2025",
            "de 22 h à 1 h le lendemain",
            "le mardi 13 mai 2025",
            "du mardi 13 mai 2025",
            "du 13 mai 2025",
        ),
        (
            TWO,
            two := "du mardi 13 au mercredi 14 mai 2025",
            "de 9 h à 17 h 30 le lendemain",
            two,
            two,
            "du 13 au 14 mai 2025",
        ),
        (
            TWO_MONTHS,
            two := "du samedi 31 mai au dimanche 1er juin 2025",
            "de 9 h à 17 h le lendemain",
            two,
            two,
            "du 31 mai au 1er juin 2025",
        ),
        (
            TWO_YEARS,
            two := "du mercredi 31 décembre 2025 au vendredi 2 janvier 2026",
            "de 9 h le premier jour à 17 h le dernier jour",
            two,
            two,
            "du 31 décembre 2025 au 2 janvier 2026",
        ),
    ],
)
def test_in_french(event: Event, days: str, hours: str, on: str, of: str, of_dates: str) -> None:
    told = [
        dates.event_days(event),
        dates.from_to(event),
        dates.on_days(event),
        dates.of_days(event),
        dates.of_dates(event),
    ]
    assert [plain(words) for words in told] == [days, hours, on, of, of_dates]


@pytest.mark.parametrize(
    ("event", "days", "hours", "on", "of"),
    [
        (ONE, "Tuesday 13 May 2025", "from 16:30 to 18:00", "on Tuesday 13 May 2025", "of Tuesday 13 May 2025"),
        (
            TWO,
            "Tuesday 13 to Wednesday 14 May 2025",
            "from 09:00 to 17:30 the next day",
            "from Tuesday 13 to Wednesday 14 May 2025",
            "of Tuesday 13 to Wednesday 14 May 2025",
        ),
    ],
)
def test_in_english(event: Event, days: str, hours: str, on: str, of: str) -> None:
    with translation.override("en"):
        told = [dates.event_days(event), dates.from_to(event), dates.on_days(event), dates.of_days(event)]
    assert [plain(words) for words in told] == [days, hours, on, of]


def test_when_tells_the_end_of_a_night_and_of_a_second_day() -> None:
    assert plain(dates.when(NIGHT)) == "mardi 13 mai 2025, 22 h – 1 h le lendemain (heure de Paris)"
    assert plain(dates.when(TWO)) == "du mardi 13 au mercredi 14 mai 2025, 9 h – 17 h 30 le lendemain (heure de Paris)"


@pytest.fixture
def of_two_days(db: None) -> Event:
    """It began yesterday, and goes on today: the tests' clock is at 10:00 on 16 June 2026."""
    return make_event(
        starts_at=datetime(2026, 6, 15, 9, tzinfo=PARIS), ends_at=datetime(2026, 6, 16, 17, tzinfo=PARIS), report=False
    )


SPAN = "du lundi 15 au mardi 16 juin 2026"


def test_pages_tell_both_days(client: Client, of_two_days: Event) -> None:
    page = plain(client.get(of_two_days.get_absolute_url()).text)
    assert "Webinaire du 15 au 16 juin 2026" in page
    assert f"{SPAN} de 9 h à 17 h le lendemain" in page  # what search engines show
    assert f"{SPAN.capitalize()}</time>" in page
    assert "9 h – 17 h le lendemain" in page


def test_a_mail_sent_on_the_second_day_says_that_the_room_is_open(of_two_days: Event) -> None:
    registration = make_registration(event=of_two_days)
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION)
    text = plain(str(compose(delivery).body))
    assert f"Quand : {SPAN}, de 9 h à 17 h le lendemain (heure de Paris)" in text
    assert "La salle est ouverte" in text
