"""A PostgreSQL that hangs: pages end within seconds, and the site is well again when the server is."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection, connections
from django.db.backends.postgresql import base
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


def limited(*, by_itself: bool = True, **changes: Any) -> Any:
    """A connection of its own, with a limit for each answer; `by_itself`: the server keeps to it too."""
    default = connections.databases["default"]
    options = {key: value for key, value in default["OPTIONS"].items() if default["ENGINE"] == "webinar.postgresql"}
    options |= {"answer_within": LIMIT} | (
        {} if by_itself else {"options": "-c statement_timeout=0 -c lock_timeout=0"}
    )
    config = {**default, "ENGINE": "webinar.postgresql", "OPTIONS": options, **changes}
    return ConnectionHandler({"default": config})["default"]


@pytest.mark.django_db
def test_a_server_that_takes_connections_and_says_nothing_is_away_within_seconds(mute_port: int) -> None:
    frozen: dict[str, Any] = {"NAME": "webinar", "USER": "webinar", "HOST": "127.0.0.1", "PORT": str(mute_port)}
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
    wrapper = limited(by_itself=False)
    with wrapper.cursor() as cursor, pytest.raises(OperationalError, match="did not answer within 1 seconds"):
        cursor.execute("SELECT pg_sleep(2)")
    DatabaseWrapper.away_until = 0.0
    wrapper.close_if_unusable_or_obsolete()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
        wait_for(lambda: not sleeping(cursor), "the end of the statement that was given up")
    wrapper.close()


@pytest.mark.django_db
def test_a_long_statement_is_ended_by_the_server_and_no_other_request_is_refused_for_it() -> None:
    if connection.vendor != "postgresql":
        return
    wrapper = limited()
    with wrapper.cursor() as cursor, pytest.raises(OperationalError, match="statement timeout"):
        cursor.execute("SELECT pg_sleep(2)")
    with wrapper.cursor() as cursor:
        assert not sleeping(cursor)
    wrapper.close()


@pytest.mark.django_db
def test_a_wait_for_a_lock_ends_at_the_server_too_and_says_what_it_was() -> None:
    if connection.vendor != "postgresql":
        return
    holder, waiting = limited(), limited()
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(19)")
    with waiting.cursor() as cursor, pytest.raises(OperationalError, match="lock timeout"):
        cursor.execute("SELECT pg_advisory_lock(19)")
    holder.close()
    with waiting.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(19)")
    waiting.close()


@pytest.mark.django_db
def test_behind_a_pooler_that_passes_no_time_outs_the_site_works_without_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if connection.vendor != "postgresql":
        return
    connect = base.DatabaseWrapper.get_new_connection

    def pooler(self: Any, params: dict[str, Any]) -> Any:
        if "options" in params:
            raise psycopg.OperationalError("FATAL:  unsupported startup parameter: options")
        return connect(self, params)

    monkeypatch.setattr(base.DatabaseWrapper, "get_new_connection", pooler)
    monkeypatch.setattr(DatabaseWrapper, "takes_time_outs", True)
    for _ in range(2):
        wrapper = limited()
        with wrapper.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)
        wrapper.close()
    assert caplog.text.count("does not pass time-outs on") == 1


def sleeping(cursor: Any) -> int:
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'")
    return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_start_that_may_need_more_connections_than_there_are_says_how_many() -> None:
    up.require_connections(webs=2, workers=1)
    if connection.vendor == "postgresql":
        with pytest.raises(CommandError, match=r"PostgreSQL allows this site \d+ connections, and it may need 50012"):
            up.require_connections(webs=2, workers=10_000)
