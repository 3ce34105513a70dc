"""Words as they are shown: no-break spaces, dates, contractions, sizes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from registrations.models import Event
from registrations.templatetags.webinar import weight
from registrations.text import dates, typography

NB = "\u00a0"
MAY = datetime(2025, 5, 13, 14, 30, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "typeset"),
    [
        ("Quoi ?", f"Quoi{NB}?"),
        ("Ici : « là » !", f"Ici{NB}: «{NB}là{NB}»{NB}!"),
        ("l'étude d'un réseau", "l’étude d’un réseau"),
        ("le 13 mai, à 16 h 30", f"le 13{NB}mai, à 16{NB}h{NB}30"),
        ("les CEQ 2030", f"les CEQ{NB}2030"),
        ("M. Martin", f"M.{NB}Martin"),
        ("et ainsi de suite...", "et ainsi de suite…"),
        ("à 16:30", "à 16:30"),
        ("https://example.org/a ?b=1 : c", f"https://example.org/a ?b=1{NB}: c"),
        ("ecrire.a@l'example.org", "ecrire.a@l'example.org"),
    ],
)
def test_french_text_is_typeset_once_and_for_all(typed: str, typeset: str) -> None:
    assert typography.french(typed) == typeset
    assert typography.french(typeset) == typeset


@pytest.mark.parametrize(
    ("name", "of_name"),
    [
        ("Le Pôle ressources", "du Pôle ressources"),
        ("La Ligue", "de la Ligue"),
        ("Les Amis", "des Amis"),
        ("L’Atelier", "de l’Atelier"),
        ("Emmaüs", "d’Emmaüs"),
        ("Cités unies", "de Cités unies"),
    ],
)
def test_a_name_is_joined_as_french_does(name: str, of_name: str) -> None:
    with translation.override("fr"):
        assert typography.of(name) == of_name
    with translation.override("en"):
        assert typography.of(name) == f"of {name}"


@pytest.mark.django_db
def test_a_text_longer_than_the_admin_accepts_is_refused_and_not_cut() -> None:
    with pytest.raises(ValidationError) as refused:
        Event(description="[" * 20_001, territories="x" * 256).full_clean()
    assert {"description", "territories"} <= set(refused.value.message_dict)


def webinar(start: datetime, minutes: int = 90, zone: str = "Europe/Paris") -> Event:
    return Event(starts_at=start, ends_at=start + timedelta(minutes=minutes), timezone=zone)


@pytest.mark.parametrize(
    ("language", "event", "words"),
    [
        ("fr", webinar(MAY), "mardi 13_mai 2025, 16_h_30_– 18_h (heure de Paris)"),
        ("en", webinar(MAY), "Tuesday 13_May 2025, 16:30_– 18:00 (Paris time)"),
        ("fr", webinar(DECEMBER), "lundi 1er_décembre 2025, 9_h_– 10_h_30 (heure de Paris)"),
        ("fr", webinar(datetime(2025, 5, 13, 21, 0, tzinfo=UTC), 120),
         "mardi 13_mai 2025, 23_h_– 1_h le lendemain (heure de Paris)"),
        ("fr", webinar(MAY, zone="America/Martinique"),
         "mardi 13_mai 2025, 10_h_30_– 12_h (heure de Martinique)"),
    ],
)  # fmt: skip
def test_dates_are_said_in_the_readers_language_and_the_events_zone(language: str, event: Event, words: str) -> None:
    with translation.override(language):
        assert dates.when(event) == words.replace("_", NB)


@pytest.mark.parametrize(
    ("size", "french", "english"), [(12, "1_Ko", "1_kB"), (38_600, "39_Ko", "39_kB"), (2_440_000, "2,4_Mo", "2.4_MB")]
)
def test_sizes_are_said_in_the_units_of_the_reader(size: int, french: str, english: str) -> None:
    with translation.override("fr"):
        assert weight(size) == french.replace("_", NB)
    with translation.override("en"):
        assert weight(size) == english.replace("_", " ")
