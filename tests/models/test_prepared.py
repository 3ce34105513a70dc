"""Prepared statements read and write as the ordinary ones do, now and after every change."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.db import (
    DatabaseError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    connection,
    models,
    transaction,
)
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import Delivery, Event, EventQuestion, Registration
from registrations.models.prepared import Parameter, PreparedQuery, insert, insert_unless_there, rows_of
from tests.factories import answers, make_event, make_registration
from tests.site import wait_for
from webinar.postgresql import base, statements
from webinar.postgresql.statements import numbered

pytestmark = pytest.mark.django_db

BY_SLUG = PreparedQuery(
    lambda: EventQuestion.objects.noted_on(Event.objects.published().knowing_their_report()).filter(
        slug=Parameter("slug", models.SlugField())
    )
)
LIVE_SESSIONS = PreparedQuery(
    lambda: Session.objects.filter(expire_date__gt=Parameter("now", models.DateTimeField())).order_by("session_key")
)


def everything(row: models.Model) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_every_column_and_annotation_is_read_as_ever() -> None:
    for event in [
        make_event(capacity=12, registration_closes_at=timezone.now(), connection_url="https://salle.example.org/"),
        make_event(reminder_day_time=None, description="Ça – œuvre ’ %s %(slug)s"),
    ]:
        ordinary = EventQuestion.objects.noted_on(Event.objects.published().knowing_their_report()).get(
            slug=event.slug
        )
        read = BY_SLUG.get(slug=event.slug)
        assert everything(read) == everything(ordinary)
        assert (read, read._state.adding, read._state.db) == (ordinary, False, "default")


def test_columns_of_json_too() -> None:
    registration = make_registration(own_answers={"7": ["un", "deux"]})
    by_number = PreparedQuery(lambda: Registration.everyone.filter(pk=Parameter("pk", models.BigAutoField())))
    assert everything(by_number.get(pk=registration.pk)) == everything(Registration.everyone.get(pk=registration.pk))


def test_the_database_is_asked_each_time() -> None:
    event = make_event(title="Avant")
    assert BY_SLUG.get(slug=event.slug).title == "Avant"
    Event.objects.update(title="Après")
    with CaptureQueriesContext(connection) as asked:
        assert BY_SLUG.get(slug=event.slug).title == "Après"
    assert len(asked) == 1


def test_a_row_may_be_changed_and_saved_without_touching_the_next_one() -> None:
    event = make_event(title="Avant")
    BY_SLUG.get(slug=event.slug).title = "Autre"
    assert BY_SLUG.get(slug=event.slug).title == "Avant"


def test_nothing_found() -> None:
    make_event(status="draft", slug="brouillon")
    assert BY_SLUG.first(slug="brouillon") is None
    assert BY_SLUG.all(slug="x' OR '1'='1") == []
    with pytest.raises(Event.DoesNotExist):
        BY_SLUG.get(slug="brouillon")


def test_several_rows_and_moments() -> None:
    now = timezone.now()
    hours = {"c": -1, "b": 1, "a": 2}
    for key, number in hours.items():
        Session.objects.create(session_key=key, expire_date=now + timedelta(hours=number))
    assert [session.session_key for session in LIVE_SESSIONS.all(now=now)] == ["a", "b"]


def test_a_row_is_held_until_the_end_of_the_transaction() -> None:
    event = make_event()
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert Event.objects.locked(event) == event
    [query] = asked.captured_queries
    assert ("FOR UPDATE" in query["sql"]) == connection.features.has_select_for_update


def test_how_many_there_are() -> None:
    for key in ("a", "b"):
        Session.objects.create(session_key=key, expire_date=timezone.now() + timedelta(hours=1))
    assert LIVE_SESSIONS.count(now=timezone.now()) == 2


def test_rows_are_written_as_ever_whatever_they_have_in_common() -> None:
    registration, now = make_registration(), timezone.now()
    alike: dict[str, Any] = {"registration": registration, "due": now, "error": "« % %s %(due_0)s »"}
    rows = [
        Delivery(kind="updated", **alike),
        Delivery(kind="changed", revision=7, not_after=now, sample={"à": [1]}, **alike),
    ]
    insert(*rows)
    assert all(row.pk and not row._state.adding for row in rows)
    written = [everything(Delivery.objects.get(pk=row.pk)) for row in rows]
    assert written == [{**everything(row), "event_id": registration.event_id} for row in rows]  # by a trigger


def test_a_person_who_is_there_already_is_not_written_again() -> None:
    event = make_event()
    first, second = (
        Registration(event=event, **answers(email=email)) for email in ("zoe@example.org", "ZOE@example.org")
    )
    assert [insert_unless_there(first), insert_unless_there(second)] == [True, False]
    assert list(event.registrations.all()) == [first]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(second)


def test_values_stand_in_the_order_of_their_names_and_percent_signs_stay() -> None:
    asked = "SELECT %(a)s || %(b)s || %(a)s, 100 %% 7, '%%s', %(number)s + 1, COALESCE(%(nothing)s, 'nothing')"
    for number in (1, 2**15, 2**31):  # each another type to PostgreSQL
        [row] = rows_of(asked, {"nothing": None, "number": number, "b": "« % »", "a": "à%s"})
        assert row == ("à%s« % »à%s", 2, "%s", number + 1, "nothing")
    assert rows_of("SELECT %s + %s", [1, 2]) == [(3,)]


def test_numbers_stand_for_names() -> None:
    assert numbered("SELECT %(a)s, %(b)s, %(a)s, '%%'") == (b"SELECT $1, $2, $1, '%'", ["a", "b"])
    assert numbered("SELECT %s, %s") == (b"SELECT $1, $2", [])


def test_only_so_many_statements_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "KEPT", 3)
    for number in [*range(10), *range(10)]:
        assert rows_of(f"SELECT {number} + %s", [1]) == [(number + 1,)]
    if connection.vendor == "postgresql":
        [(prepared,)] = rows_of("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'webinar%%'", [])
        assert 0 < prepared <= 3


def test_what_the_database_refuses_is_said_and_ends_the_transaction() -> None:
    with transaction.atomic():
        with contextlib.suppress(DatabaseError), transaction.atomic(savepoint=False):
            rows_of("SELECT no_such_column FROM registrations_event WHERE id = %s", [1])
        with pytest.raises(TransactionManagementError):
            rows_of("SELECT 1", [])
    assert rows_of("SELECT 1", []) == [(1,)]


@pytest.fixture
def title_of_another_type() -> Iterator[Callable[[], None]]:
    """Another process changes a column, as an upgrade may; afterwards it is as it was."""
    alter = "ALTER TABLE registrations_event ALTER COLUMN title TYPE varchar(%s)"
    length: Any = Event._meta.get_field("title").max_length

    def change() -> None:
        if connection.vendor == "postgresql":
            with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
                other.execute(alter % (length + 1))

    yield change
    if connection.vendor == "postgresql":
        connection.cursor().execute(alter % length)


@pytest.mark.django_db(transaction=True)
def test_a_column_of_another_type_is_read_by_a_process_that_knew_the_old_one(
    title_of_another_type: Callable[[], None],
) -> None:
    """PostgreSQL refuses the statement that it had prepared before."""
    event = make_event(title="Avant")
    assert BY_SLUG.get(slug=event.slug).title == "Avant"
    title_of_another_type()
    assert BY_SLUG.get(slug=event.slug).title == "Avant"


@pytest.mark.django_db(transaction=True)
def test_within_transactions_it_fails_one_of_them_and_no_more(title_of_another_type: Callable[[], None]) -> None:
    event = make_event(title="Avant")
    with transaction.atomic():
        Event.objects.joined(event)
    title_of_another_type()
    fails = connection.vendor == "postgresql"
    with pytest.raises(NotSupportedError) if fails else contextlib.nullcontext(), transaction.atomic():
        Event.objects.joined(event)
    with transaction.atomic():
        assert Event.objects.joined(event).title == "Avant"


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_somebody_threw_away_is_prepared_again() -> None:
    event = make_event()
    assert BY_SLUG.get(slug=event.slug) == event
    if connection.vendor == "postgresql":
        connection.cursor().execute("DEALLOCATE ALL")
    assert BY_SLUG.get(slug=event.slug) == event


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_lost_while_it_is_used_is_told_from_a_mistake() -> None:
    """Long acts go on where they were when the database is back, and end where they meet a mistake."""
    event = make_event()
    if connection.vendor == "postgresql":
        with contextlib.suppress(OperationalError), transaction.atomic():  # there is nothing left to roll back
            Event.objects.joined(event)
            with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
            with pytest.raises(OperationalError):
                Event.objects.joined(event)
        connection.close()
    with transaction.atomic():
        assert Event.objects.joined(event) == event


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_closed_is_not_usable() -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    if connection.vendor == "postgresql":
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        wait_for(lambda: not connection.is_usable(), "the end of the connection")
        connection.close()
    assert Event.objects.count() == 0


def test_a_connection_that_has_rested_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lost its power closes nothing."""
    if connection.vendor == "postgresql":
        monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.is_usable", lambda self: False)
        database: Any = connection
        database.known_usable_at = time.monotonic()
        assert database.is_usable()
        database.known_usable_at -= base.ASKED_AFTER
        assert not database.is_usable()
    assert Event.objects.count() == 0
