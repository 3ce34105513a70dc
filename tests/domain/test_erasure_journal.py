"""The words in the erasure journal on people who are still there: when they are written, and what they give away."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from registrations.backup.replay import Replayed
from registrations.domain import corrections, decisions, erasure, erasure_journal, signup
from tests.backup.test_replay import ZOE, Backup, sign_up, statuses
from tests.conftest import Committed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def journaled() -> list[str]:
    if not erasure_journal.path().exists():
        return []
    return [line.split(" ")[1] for line in erasure_journal.path().read_text().splitlines()]


def test_what_gives_back_is_written_once_it_is_committed_and_what_takes_away_before(committed: Committed) -> None:
    registration = sign_up(email=ZOE, newsletter=True)
    assert journaled() == []
    signup.withdraw(registration)
    corrections.correct_answers(registration, newsletter=False)
    assert journaled() == ["withdrawn", "unsubscribed"]
    with committed():
        sign_up(registration.event, email=ZOE, newsletter=True)
        assert journaled() == ["withdrawn", "unsubscribed"]
    assert journaled() == ["withdrawn", "unsubscribed", "subscribed", "returned"]
    erasure.ask_for_erasure(registration)
    assert journaled()[4:] == ["withdrawn", "unsubscribed", "erasing"]


def test_what_was_undone_before_it_was_committed_gives_nothing_back(committed: Committed) -> None:
    registration = sign_up()
    backup = Backup()
    signup.withdraw(registration)
    with committed(), transaction.atomic():
        signup.come_back(registration)
        transaction.set_rollback(True)
    assert backup.restore() == Replayed(withdrawn=1)


def test_nothing_in_it_leads_to_a_person() -> None:
    registration = sign_up(email=ZOE, newsletter=True)
    erasure.ask_for_erasure(registration)
    text = erasure_journal.path().read_text()
    values = [registration.uid, registration.manage_code, registration.join_code, ZOE, registration.last_name]
    assert [value for value in values if value in text] == []
    assert {len(line.split(" ")[2]) for line in text.splitlines()} == {64}


def test_a_new_secret_key_forgets_nobody(settings: Settings, committed: Committed) -> None:
    leaving, returning = sign_up(), sign_up()
    backup = Backup()
    for registration in (leaving, returning):
        signup.withdraw(registration)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    with committed():
        signup.come_back(returning)
    assert backup.restore() == Replayed(withdrawn=1)
    assert statuses() == ["cancelled", "confirmed"]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ([("10", "withdrawn")], [("11", "returned")], "confirmed"),
        ([("11", "returned")], [("10", "withdrawn")], "confirmed"),
        ([("10", "returned")], [("11", "withdrawn")], "cancelled"),
        ([("10", "withdrawn"), ("12", "silenced")], [("11", "lifted"), ("13", "unsubscribed")], "cancelled"),
        ([("10", "withdrawn"), ("11", "promised")], [("12", "returned again")], "cancelled"),  # of a newer version
        ([], [("10", "promised")], "confirmed"),
    ],
)
def test_of_the_journals_of_several_machines_the_last_word_of_its_kind_counts(
    tmp_path: Path, first: list[tuple[str, str]], second: list[tuple[str, str]], status: str
) -> None:
    [name] = decisions.names_of(sign_up().uid)
    journals = [tmp_path / "first.log", tmp_path / "second.log"]
    for journal, lines in zip(journals, (first, second), strict=True):
        journal.write_text("".join(f"2026-05-13T{hour}:00:00.000000Z {word} {name}\n" for hour, word in lines))
    call_command("replay_erasures", *journals, "--backup-at", "2026-05-13T12:00")
    assert statuses() == [status]
