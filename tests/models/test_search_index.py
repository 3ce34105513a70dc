"""People are found by any part of a word; the index follows each change."""

import pytest
from django.db import connection

from registrations.models import Registration, search_index
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


def found(words: str) -> list[Registration]:
    return list(Registration.objects.found_by(words))


def test_a_trigger_that_is_missing_or_another_is_made_again_and_everything_is_indexed() -> None:
    """PostgreSQL has an index of its own, which needs no trigger: there nothing is lost in between."""
    triggers = search_index.SQLITE if connection.vendor == "sqlite" else {}
    with connection.cursor() as cursor:
        if triggers:
            cursor.execute("DROP TRIGGER registrations_search_insert")
            cursor.execute("DROP TRIGGER registrations_search_delete")
            cursor.execute(triggers["registrations_search_delete"].replace("BEGIN", "BEGIN SELECT 1;"))
    registration = make_registration(last_name="Rochebrune")
    assert found("rochebrune") == ([] if triggers else [registration])
    search_index.install()
    assert found("rochebrune") == [registration]
    if triggers:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'registrations_search%'")
            made = dict(cursor.fetchall())
        assert {name: made[name] for name in triggers} == triggers


def test_rows_written_by_an_older_version_are_found_after_housekeeping() -> None:
    registration = make_registration(last_name="Hélène")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registrations_registration SET search = ''")
    assert not Registration.objects.found_by("helene").exists()
    search_index.fill()
    assert list(Registration.objects.found_by("helene")) == [registration]


@pytest.mark.parametrize("words", ["helene", "HÉLÈNE", "dUrand hel", "helene.d@exa", "mairie l'hay", "hé", "é d"])
def test_people_are_found_without_accents_and_capitals_by_any_part_of_a_word(words: str) -> None:
    organisation, email = "Mairie de L’Haÿ-les-Roses", "Helene.D@example.org"
    wanted = make_registration(first_name="Hélène", last_name="Durand", organisation=organisation, email=email)
    make_registration(first_name="Zoé", last_name="Martin", organisation="CAF", email="z@example.com")
    assert list(Registration.objects.found_by(words)) == [wanted]


def test_a_corrected_address_is_found_and_the_former_one_no_longer() -> None:
    registration = make_registration(email="avant@example.org")
    registration.email = "apres@example.org"
    registration.save()
    assert not Registration.objects.found_by("avant").exists()
    assert list(Registration.objects.found_by("apres")) == [registration]
