"""A consent to the newsletter: however it is saved, its date, its words and its line of the journal are saved too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from registrations.domain import erasure_journal
from registrations.domain.decisions import CONSENT
from registrations.models import Registration
from registrations.models.prepared import insert_or_ignore
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db
WORDS = "Je souhaite recevoir la lettre"


@pytest.fixture(autouse=True)
def _own_journal(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def journaled() -> list[str]:
    path = erasure_journal.path()
    return [line.split(" ")[1] for line in path.read_text().splitlines()] if path.exists() else []


def kept(registration: Registration) -> tuple[bool, bool, str]:
    now = Registration.objects.get(pk=registration.pk)
    return now.newsletter, now.newsletter_at is not None, now.newsletter_words


def insert(**fields: Any) -> Registration:
    made = Registration(event=make_event(), **answers(**fields))
    assert insert_or_ignore(made)
    return made


@pytest.mark.parametrize("make", [make_registration, insert])
def test_a_new_row_keeps_its_consent_and_needs_no_line(make: Callable[..., Registration]) -> None:
    assert kept(make(newsletter=True)) == (True, True, WORDS)
    assert kept(make(newsletter=False)) == (False, False, "")
    assert journaled() == []


def test_a_saved_change_writes_its_line(django_capture_on_commit_callbacks: Any) -> None:
    registration = make_registration(newsletter=True)
    registration.newsletter = False
    registration.save()
    assert kept(registration) == (False, False, "")
    assert journaled() == ["unsubscribed"]
    registration.newsletter = True
    with django_capture_on_commit_callbacks(execute=True):
        registration.save(update_fields=CONSENT)
    assert kept(registration) == (True, True, WORDS)
    assert journaled() == ["unsubscribed", "subscribed"]


def test_a_consent_that_stays_keeps_its_date_and_its_words() -> None:
    registration = make_registration(newsletter=True)
    before = registration.newsletter_at
    registration.event.newsletter_label = "D’autres mots"
    registration.event.save()
    registration.save()
    registration.refresh_from_db()
    assert (registration.newsletter_at, registration.newsletter_words) == (before, WORDS)
    assert journaled() == []


def test_a_part_of_a_consent_is_not_saved() -> None:
    registration = make_registration(newsletter=True)
    registration.newsletter = False
    with pytest.raises(ValueError, match="as a whole"):
        registration.save(update_fields=["newsletter"])
    registration.save(update_fields=["organisation"])
    assert kept(registration) == (True, True, WORDS)
    assert journaled() == []
