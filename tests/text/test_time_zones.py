"""Time zones in words."""

import pytest
from django.utils import translation

from registrations.text import time_zones


@pytest.mark.parametrize(
    ("zone", "in_french", "in_english"),
    [
        ("Europe/Paris", "heure de Paris", "Paris time"),
        ("Pacific/Noumea", "heure de Nouméa", "Noumea time"),
        ("Indian/Reunion", "heure de La Réunion", "Réunion time"),
        ("America/Martinique", "heure de Martinique", "Martinique time"),
        ("Europe/Athens", "heure d’Athènes", "Athens time"),
        ("Africa/Cairo", "heure du Caire", "Cairo time"),
        ("Asia/Kolkata", "heure de Calcutta", "Kolkata time"),
        ("Atlantic/Faroe", "heure des Îles Féroé", "Faroe time"),
        ("Atlantic/Azores", "heure des Açores", "Azores time"),
        ("Pacific/Marquesas", "heure des Marquises", "Marquesas time"),
        ("Indian/Maldives", "heure des Maldives", "Maldives time"),
        ("Atlantic/Canary", "heure des Îles Canaries", "Canary time"),
        ("Europe/Isle_of_Man", "heure de l’Île de Man", "Isle of Man time"),
        ("Atlantic/Cape_Verde", "heure du Cap-Vert", "Cape Verde time"),
        ("America/Grenada", "heure de la Grenade", "Grenada time"),
        ("America/New_York", "heure de New York", "New York time"),
        ("UTC", "heure UTC", "UTC time"),
        ("Etc/GMT+4", "heure GMT+4", "GMT+4 time"),
    ],
)
def test_a_zone_has_the_name_of_its_city_in_each_language(zone: str, in_french: str, in_english: str) -> None:
    assert time_zones.spoken(zone) == in_french
    with translation.override("en"):
        assert time_zones.spoken(zone) == in_english


def test_zones_are_chosen_by_city_and_country_those_of_france_first() -> None:
    (france, french), (_elsewhere, others) = time_zones.choices("Europe/Paris")
    names = dict(french)
    assert france == "France"
    assert names["Europe/Paris"] == "Paris (France)"
    assert names["Pacific/Noumea"] == "Nouméa (Nouvelle-Calédonie)"
    assert names["Indian/Reunion"] == "La Réunion"
    assert len(others) > 300
    assert len({place for _zone, place in [*french, *others]}) == len([*french, *others])


@pytest.mark.parametrize("stored", ["Asia/Kolkata", "Asia/Calcutta", "UTC"])
def test_a_stored_zone_stays_chosen_under_its_own_name(stored: str) -> None:
    zones = [zone for _group, choices in time_zones.choices(stored) for zone, _place in choices]
    assert stored in zones
    assert len({"Asia/Kolkata", "Asia/Calcutta"}.intersection(zones)) == 1
