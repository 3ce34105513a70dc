"""A PostgreSQL that hangs: pages end within seconds, and the site is well again when the server is."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection, connections
from django.db.utils import ConnectionHandler

from registrations.management.commands import up
from registrations.monitoring import status
from tests.site import wait_for
from webinar.postgresql.base import DatabaseWrapper

LIMIT = 1  # second


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A server that takes connections and never says a word, as a frozen one does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def _nothing_is_known_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DatabaseWrapper, "away_until", 0.0)


def limited(**changes: Any) -> Any:
    """A connection of its own, with a limit for each answer."""
    default = connections.databases["default"]
    options = {key: value for key, value in default["OPTIONS"].items() if default["ENGINE"] == "webinar.postgresql"}
    config = {**default, "ENGINE": "webinar.postgresql", "OPTIONS": {**options, "answer_within": LIMIT}, **changes}
    return ConnectionHandler({"default": config})["default"]


@pytest.mark.django_db
def test_a_server_that_takes_connections_and_says_nothing_is_away_within_seconds(mute_port: int) -> None:
    frozen = {"NAME": "webinar", "USER": "webinar", "HOST": "127.0.0.1", "PORT": str(mute_port)}
    began = time.monotonic()
    with pytest.raises(OperationalError):
        limited(**frozen).ensure_connection()
    first = time.monotonic()
    assert first - began < 30
    with pytest.raises(OperationalError, match="a moment ago"):
        limited(**frozen).ensure_connection()


def test_readyz_and_the_watch_wait_no_longer_than_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answers = threading.Event(), threading.Event()

    def hangs() -> tuple[list[str], list[str]]:
        asked.set()
        answers.wait()
        return [], []

    monkeypatch.setattr(status, "_ask", hangs)
    try:
        for _ in range(3):  # nobody waits for the one before either
            assert status.promptly(within=0.05) == (["The database does not answer."], [])
        assert asked.is_set()
    finally:
        answers.set()
    assert status.promptly(within=30) == ([], [])


@pytest.mark.django_db
def test_a_statement_without_an_answer_is_given_up_and_the_next_request_is_served() -> None:
    if connection.vendor != "postgresql":
        return  # SQLite has no server
    wrapper = limited()
    with wrapper.cursor() as cursor, pytest.raises(OperationalError, match="did not answer within 1 seconds"):
        cursor.execute("SELECT pg_sleep(2)")
    DatabaseWrapper.away_until = 0.0
    wrapper.close_if_unusable_or_obsolete()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
        wait_for(lambda: not sleeping(cursor), "the end of the statement that was given up")
    wrapper.close()


def sleeping(cursor: Any) -> int:
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'")
    return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_start_that_may_need_more_connections_than_there_are_says_how_many() -> None:
    up.require_connections(webs=2, workers=1)
    if connection.vendor == "postgresql":
        with pytest.raises(CommandError, match=r"PostgreSQL allows this site \d+ connections, and it may need 50012"):
            up.require_connections(webs=2, workers=10_000)
