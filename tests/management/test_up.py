"""The site starts together with its database, or while that restarts."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection

from registrations.management.commands import up, web


def failing(times: int, error: Exception) -> Callable[..., None]:
    """In place of call_command: this error so many times, then success."""
    answers = iter([error] * times)

    def call_command(*command: Any, **options: Any) -> None:
        for failure in answers:
            raise failure

    return call_command


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "is_outage", lambda error: True)
    monkeypatch.setattr(up, "RETRY_EVERY", 0)
    monkeypatch.setattr(connection, "close", lambda: None)


@pytest.mark.usefixtures("database_away")
def test_the_site_does_not_start_because_its_database_restarts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(up, "call_command", failing(2, OperationalError("the database system is starting up")))
    up.migrate()
    assert caplog.messages == ["The database is away (OperationalError): tried again"] * 2


@pytest.mark.usefixtures("database_away")
def test_a_database_that_stays_away_stops_the_start_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "DATABASE_WITHIN", -1)
    monkeypatch.setattr(up, "call_command", failing(1, OperationalError("password authentication failed")))
    with pytest.raises(OperationalError, match="password"):
        up.migrate()


def test_a_migration_that_the_database_refuses_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "is_outage", lambda error: False)
    monkeypatch.setattr(up, "call_command", failing(1, OperationalError("no such column")))
    with pytest.raises(OperationalError, match="column"):
        up.migrate()


def test_up_begins_no_empty_site_where_a_database_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "db.sqlite3"
    monkeypatch.setattr(up, "_database_file", lambda: file)
    up.require_database_file()  # a first start
    file.touch()
    up.note_database_file()
    up.require_database_file()
    file.unlink()
    with pytest.raises(CommandError, match=r"Restore a backup with manage.py restore, or put the file back"):
        up.require_database_file()


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What the system allows, soft and hard; the last is what counts."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, wanted: found.append(wanted))
    return found


@pytest.mark.parametrize(
    ("soft", "hard", "connections"), [(1024, 1_048_576, 1000), (1024, 1024, 960), (256, 512, 448), (256, 256, 192)]
)
def test_a_web_process_takes_no_more_connections_than_files_may_be_open(
    limits: list[tuple[int, int]], soft: int, hard: int, connections: int
) -> None:
    limits.append((soft, hard))
    assert web.connection_limit() == connections


def test_a_web_process_does_not_start_to_spin_with_a_handful_of_files(limits: list[tuple[int, int]]) -> None:
    limits.append((64, 64))
    with pytest.raises(CommandError, match="Only 64 files may be open at once: allow 1064"):
        web.connection_limit()
