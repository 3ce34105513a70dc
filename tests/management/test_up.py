"""The site starts together with its database, or while that restarts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from registrations.management.commands import up


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
