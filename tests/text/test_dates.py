"""A session of several days, or across midnight, is told whole: nobody comes on the first day only."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from registrations.mailing import placeholders
from registrations.mailing.composer import compose
from registrations.models import Delivery, Event
from registrations.text import dates
from registrations.web.thanks_words import thanks_words
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
    assert f"{SPAN.capitalize()}</strong>" in page
    assert "9 h – 17 h le lendemain" in page


def test_a_mail_sent_on_the_second_day_says_that_the_room_is_open(of_two_days: Event) -> None:
    registration = make_registration(event=of_two_days)
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION)
    text = plain(str(compose(delivery).body))
    assert f"{SPAN.capitalize()}, 9 h – 17 h le lendemain (heure de Paris)" in text
    assert "La salle est ouverte" in text


@pytest.fixture
def of_three_days(db: None) -> Event:
    return make_event(
        starts_at=datetime(2026, 6, 23, 9, tzinfo=PARIS), ends_at=datetime(2026, 6, 25, 17, tzinfo=PARIS), report=False
    )


def subject(event: Event, kind: Delivery.Kind, reason: str, **fields: str) -> str:
    delivery = Delivery.objects.enqueue(make_registration(event, **fields), kind, reason=Delivery.Reason(reason))
    return plain(str(compose(delivery).subject))


@pytest.mark.parametrize(
    ("kind", "reason", "fields", "french", "english"),
    [
        ("confirmation", "new", {}, "Inscription confirmée : webinaire {}", "Registration confirmed: webinar of {}"),
        (
            "promoted",
            "promoted",
            {},
            "Une place s’est libérée pour vous : webinaire {}",
            "A seat is yours: webinar of {}",
        ),
        ("confirmation", "known", {}, "Votre inscription au webinaire {}", "Your registration for the webinar of {}"),
        ("confirmation", "resent", {}, "Votre lien pour le webinaire {}", "Your link for the webinar of {}"),
        ("changed", "moved", {}, "Nouvelle date : {} – Webinaire réseau", "New date: {} – Webinaire réseau"),
        (
            "changed",
            "hour",
            {},
            "Nouvel horaire : {}, 9 h – Webinaire réseau",
            "New hour: {}, 09:00 – Webinaire réseau",
        ),
        (
            "waiting_list",
            "new",
            {"status": "waitlisted"},
            "Vous êtes sur la liste d’attente du webinaire {}",
            "You are on the waiting list of the webinar of {}",
        ),
        (
            "withdrawn",
            "line",
            {"status": "cancelled"},
            "Vous avez quitté la liste d’attente du webinaire {}",
            "You have left the waiting list of the webinar of {}",
        ),
        (
            "withdrawn",
            "seat",
            {"status": "cancelled"},
            "Inscription annulée : webinaire {}",
            "Registration cancelled: webinar of {}",
        ),
    ],
)
def test_a_subject_names_all_days(
    of_three_days: Event, kind: str, reason: str, fields: dict[str, str], french: str, english: str
) -> None:
    mail = Delivery.Kind(kind)
    assert subject(of_three_days, mail, reason, **fields) == french.format("du 23 au 25 juin")
    assert subject(of_three_days, mail, reason, language="en", **fields) == english.format("23 to 25 June")


def test_the_subjects_after_the_session_name_all_days(db: None) -> None:
    over = make_event(
        starts_at=datetime(2026, 6, 9, 9, tzinfo=PARIS), ends_at=datetime(2026, 6, 11, 17, tzinfo=PARIS), report=False
    )
    assert subject(over, Delivery.Kind.FOLLOW_UP, "new") == "Les suites du webinaire du 9 au 11 juin"
    recorded = "Inscription enregistrée : webinaire du 9 au 11 juin 2026"
    assert subject(over, Delivery.Kind.CONFIRMATION, "new") == recorded


def test_a_cancellation_is_read_before_a_telephone_cuts_the_subject(db: None) -> None:
    event = make_event(starts_at=datetime(2026, 6, 25, 10, tzinfo=PARIS))
    cancelled = subject(event, Delivery.Kind.WITHDRAWN, "seat", status="cancelled")
    assert cancelled == "Inscription annulée : webinaire du 25 juin"


@pytest.mark.parametrize(
    ("event", "french", "english"),
    [
        (ONE, "le mardi 13 mai 2025 à 16 h 30", "on Tuesday 13 May 2025 at 16:30"),
        (
            TWO,
            "le mardi 13 mai (jusqu’au mercredi 14 mai 2025) à 9 h le premier jour",
            "on Tuesday 13 May (until Wednesday 14 May 2025) at 09:00 on the first day",
        ),
        (
            TWO_YEARS,
            "le mercredi 31 décembre 2025 (jusqu’au vendredi 2 janvier 2026) à 9 h le premier jour",
            "on Wednesday 31 December 2025 (until Friday 2 January 2026) at 09:00 on the first day",
        ),
    ],
)
def test_a_message_of_an_organiser_tells_all_days(event: Event, french: str, english: str) -> None:
    assert plain(placeholders.filled("le {date} à {heure}", placeholders.plain_values(event))) == french
    with translation.override("en"):
        assert plain(placeholders.filled("on {date} at {heure}", placeholders.plain_values(event))) == english


def test_a_reminder_says_when_several_days_start(of_three_days: Event) -> None:
    delivery = Delivery.objects.enqueue(make_registration(of_three_days), Delivery.Kind.REMINDER_DAY)
    assert "commence mardi 23 juin à 9 h." in plain(str(compose(delivery).body))


def test_the_thank_you_page_does_not_speak_of_one_day_only(of_three_days: Event) -> None:
    use_link = thanks_words(of_three_days, was_full=False, is_delayed=False, may_enter=False, sender="Le Pôle")[
        "steps"
    ][-1]
    assert plain(use_link) == (
        "Le premier jour, utilisez le lien reçu quelques minutes avant 9 h. Il reste le même les jours suivants."
    )


def test_the_desk_tells_all_days(admin_client: Client, of_three_days: Event) -> None:
    assert "du 23 au 25 juin 2026" in plain(admin_client.get("/admin/").text)


def test_search_engines_and_the_thank_you_page_name_a_zone_other_than_that_of_paris(client: Client, db: None) -> None:
    event = make_event(
        timezone="Pacific/Noumea", starts_at=datetime(2026, 6, 25, 9, tzinfo=ZoneInfo("Pacific/Noumea"))
    )
    hours = "de 9 h à 10 h 30 (heure de Nouméa)"
    assert f"jeudi 25 juin 2026 {hours}." in plain(client.get(event.get_absolute_url()).text)
    note_the_date = thanks_words(event, was_full=False, is_delayed=False, may_enter=False, sender="Le Pôle")["steps"][
        1
    ]
    assert f"jeudi 25 juin 2026, {hours}." in plain(note_the_date)


def test_a_moment_of_a_list_is_short_and_names_its_year_only_when_it_is_another_one() -> None:
    with time_machine.travel(datetime(2026, 3, 10, 12, tzinfo=PARIS), tick=False), translation.override("fr"):
        spoken = [dates.short_moment(datetime(year, 3, 1, 9, 12, tzinfo=PARIS)) for year in (2026, 2025)]
    assert [words.replace("\u00a0", " ") for words in spoken] == ["1er mars, 9 h 12", "1er mars 2025, 9 h 12"]
