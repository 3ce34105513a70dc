"""Data goes when it was announced to go, whoever asked for it; figures stay."""

from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from registrations.domain import attendance, erasure, erasure_journal, retention, signup
from registrations.models import AnonymousRegistration, Attendance, Delivery, Event, Registration, clock_mark
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_journal(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def long_past(**fields: Any) -> Event:
    """An event whose data was to be kept for one month, three months ago."""
    return make_event(starts_in=-90 * DAY, retention_months=1, **fields)


def said(*command: str) -> str:
    told = StringIO()
    call_command(*command, stdout=told)
    return told.getvalue()


def test_what_is_kept_long_enough_becomes_a_figure_and_nothing_else() -> None:
    event = long_past()
    registration = make_registration(
        event, created_at=timezone.now() - 100 * DAY, territory="Yvelines (78)", question="Un secret ?"
    )
    attendance.note(registration, Attendance.Origin.IMPORT, minutes=42)
    Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION)

    assert retention.purge() == {event: 1}
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()
    assert not Attendance.objects.exists()
    [trace] = AnonymousRegistration.objects.values()
    assert trace == {
        "id": trace["id"],
        "event_id": event.pk,
        "registered_on": (timezone.now() - 100 * DAY).astimezone(event.zone).date(),
        "status": "confirmed",
        "was_present": True,
        "minutes": 42,
        "territory": "Yvelines (78)",
        "heard_from": "",
    }


def test_a_second_purge_finds_nothing_to_do() -> None:
    make_registration(long_past(), created_at=timezone.now() - 100 * DAY)
    retention.purge()
    assert retention.purge().total() == 0
    assert AnonymousRegistration.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "days_ago", "status", "goes"),
    [
        ("created_at", 100, "confirmed", True),
        ("created_at", 10, "confirmed", False),  # signed up late, for the documents
        ("cancelled_at", 40, "cancelled", True),
        ("cancelled_at", 5, "cancelled", False),
    ],
)
def test_each_registration_has_its_own_date(field: str, days_ago: int, status: str, goes: bool) -> None:
    moment: dict[str, Any] = {field: timezone.now() - days_ago * DAY}
    make_registration(long_past(), status=status, **moment)
    assert retention.purge().total() == goes


def test_a_coming_event_loses_nobody() -> None:
    make_registration(make_event(), created_at=timezone.now() - 400 * DAY)
    assert retention.purge().total() == 0


def test_the_command_counts_first_and_acts_when_told_to() -> None:
    event = long_past()
    for _ in range(3):
        make_registration(event, created_at=timezone.now() - 100 * DAY)
    clock_mark.move_on()
    assert said("purge", "--dry-run") == f"{event.slug}: 3\nTo be made anonymous: 3\n"
    assert Registration.objects.count() == 3
    assert said("purge") == f"{event.slug}: 3\nMade anonymous: 3\n"
    assert not Registration.objects.exists()


def test_the_log_of_the_admin_forgets_the_name() -> None:
    registration = make_registration(long_past(), created_at=timezone.now() - 100 * DAY, last_name="Nomsecret")
    LogEntry.objects.create(
        user=User.objects.create(username="organisatrice"),
        content_type=ContentType.objects.get_for_model(Registration),
        object_id=str(registration.pk),
        object_repr=str(registration),
        action_flag=CHANGE,
    )
    retention.purge()
    assert LogEntry.objects.get().object_repr == ""


def test_a_restored_backup_brings_nobody_back_who_was_erased() -> None:
    erased, other = make_registration(), make_registration()
    backup = Registration.objects.filter(pk=erased.pk).values().get()
    erasure.erase(erased)
    Registration.objects.create(**backup)

    assert said("replay_erasures").startswith("Erased again: 1\n")
    assert list(Registration.objects.all()) == [other]


def test_the_journal_holds_no_personal_data_and_is_read_by_its_owner_alone() -> None:
    registration = make_registration()
    erasure.disown(registration)
    text = erasure_journal.path().read_text()
    assert registration.uid in text
    assert registration.email not in text
    assert erasure_journal.path().stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_short_does_not_stop_the_others(tmp_path: Path) -> None:
    journal = tmp_path / "other.log"
    journal.write_text("2026-01-01T00:00:00Z inscription-1@example.org\n2026-01-0")
    assert erasure_journal.uids([journal]) == {"inscription-1@example.org"}


def test_a_journal_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"No such journal: /nowhere/erasures\.log"):
        call_command("replay_erasures", "/nowhere/erasures.log")


def test_a_consent_is_kept_with_its_date_and_its_words_and_withdrawn_without_a_trace() -> None:
    event = make_event(newsletter_label="Je veux la lettre")
    registration = signup.register(event, language="fr", **answers(newsletter=True)).registration
    assert registration.newsletter_words == "Je veux la lettre"
    assert registration.newsletter_at is not None
    assert registration.newsletter_at.date() == date.today()  # noqa: DTZ011 - only that it is there

    registration.newsletter = False
    registration.save()
    registration.refresh_from_db()
    assert [registration.newsletter_at, registration.newsletter_words] == [None, ""]
    without = signup.register(event, language="fr", **answers(newsletter=False)).registration
    assert [without.newsletter_at, without.newsletter_words] == [None, ""]
