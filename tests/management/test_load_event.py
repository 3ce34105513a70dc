"""An event from a file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import translation

from registrations.models import Event
from tests.factories import make_speaker

pytestmark = pytest.mark.django_db

FIRST_EVENT = Path(settings.BASE_DIR) / "registrations/fixtures/first_event.toml"


def load(folder: Path, *, zone: str) -> None:
    text = FIRST_EVENT.read_text("utf-8").replace("+02:00", "").replace("Europe/Paris", zone)
    file = folder / "event.toml"
    file.write_text(text, "utf-8")
    call_command("load_event", str(file), verbosity=0)


def test_hours_without_an_offset_are_those_of_the_zone_in_the_file(tmp_path: Path) -> None:
    load(tmp_path, zone="Pacific/Noumea")
    assert Event.objects.get().starts_at == datetime(2025, 5, 13, 5, 30, tzinfo=UTC)


def test_a_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Choisissez un fuseau horaire"):
        load(tmp_path, zone="Europe/Nulle-Part")
    assert not Event.objects.exists()


def test_a_file_may_hold_what_the_page_shows_besides(tmp_path: Path) -> None:
    parts = """
[page]
audience = "Les élu·es"
language = "fr"
subtitles = true
[[speakers]]
name = "Ada Oratrice"
role = "Médiatrice"
[[programme]]
starts_at = 14:30:00
title = "Accueil"
[[partners]]
name = "Réseau Rives"
[[documents]]
name = "Note"
link = "https://exemple.example.org/note"
audience = "everybody"
"""
    speaker = make_speaker(name="Ada Oratrice", organisation="", role="Directrice")
    file = tmp_path / "event.toml"
    file.write_text(FIRST_EVENT.read_text("utf-8") + parts, "utf-8")
    call_command("load_event", str(file), verbosity=0)
    found = Event.objects.get().parts
    assert found.speakers == [speaker]
    assert found.page.audience == "Les élu·es"
    assert [str(one) for one in [*found.programme, *found.partners]] == ["Accueil", "Réseau Rives"]
    assert [str(one) for one in Event.objects.get().all_documents] == ["Note"]


def test_a_file_may_hold_the_texts_in_english(tmp_path: Path) -> None:
    more = '[page]\naudience = "Les élu·es"\naudience_en = "Elected representatives"\n'
    file = tmp_path / "event.toml"
    file.write_text(f'title_en = "Towns"\n{FIRST_EVENT.read_text("utf-8")}{more}', "utf-8")
    call_command("load_event", str(file), verbosity=0)
    event = Event.objects.get()
    with translation.override("en"):
        assert (event.texts.title, event.parts.page.texts.audience) == ("Towns", "Elected representatives")
