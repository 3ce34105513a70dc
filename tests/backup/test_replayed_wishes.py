"""Which mails a person wants holds, whatever backup is restored."""

from pathlib import Path

import pytest
from pytest_django import Settings

from registrations.backup.replay import Replayed
from registrations.domain import erasure_journal, mail_wishes, signup
from registrations.models import Delivery
from tests.backup.test_replay import Backup, mails, now_of, sign_up
from tests.conftest import Committed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def scheduled() -> list[tuple[str, str]]:
    return mails(kind__in=[Delivery.Kind.REMINDER_DAY, Delivery.Kind.REMINDER_HOUR])


def test_who_stopped_the_messages_since_the_backup_gets_none_and_keeps_the_seat() -> None:
    registration = sign_up()
    backup = Backup()
    mail_wishes.wish(registration, messages=False)
    assert backup.restore() == Replayed(wishes=1)
    again = now_of(registration)
    assert (again.wants_messages, again.wants_reminders, again.is_seated) == (False, True, True)
    assert [state for _kind, state in scheduled()] == ["pending", "pending"]


def test_who_stopped_the_reminders_since_the_backup_gets_none() -> None:
    registration = sign_up()
    backup = Backup()
    mail_wishes.wish(registration, mails_of_the_clock=False)
    assert backup.restore() == Replayed(wishes=1)
    assert not now_of(registration).wants_reminders
    assert [state for _kind, state in scheduled()] == ["cancelled", "cancelled"]


def test_who_wants_them_again_since_the_backup_gets_them(committed: Committed) -> None:
    registration = sign_up()
    mail_wishes.wish(registration, messages=False, mails_of_the_clock=False)
    backup = Backup()
    with committed():
        mail_wishes.wish(registration, messages=True, mails_of_the_clock=True)
    assert backup.restore() == Replayed(wishes=1)
    again = now_of(registration)
    assert (again.wants_messages, again.wants_reminders) == (True, True)
    assert [state for _kind, state in scheduled()] == ["cancelled", "cancelled", "pending", "pending"]


def test_who_stopped_the_messages_and_withdrew_has_done_both() -> None:
    registration = sign_up()
    backup = Backup()
    mail_wishes.wish(registration, messages=False)
    signup.withdraw(registration)
    assert backup.restore() == Replayed(withdrawn=1, wishes=1)
    assert not now_of(registration).wants_messages


def test_a_choice_that_changes_nothing_is_no_line_of_the_journal() -> None:
    mail_wishes.wish(sign_up(), messages=True, mails_of_the_clock=True)
    assert not erasure_journal.path().exists()
