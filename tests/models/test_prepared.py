"""Prepared queries give the same results as ordinary ones, also after changes of the schema or the connection."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.core.signals import request_started
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
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import Delivery, Event, EventQuestion, Registration
from registrations.models.prepared import (
    Parameter,
    PreparedQuery,
    analyse_grown_tables,
    insert,
    insert_or_ignore,
    rows_of,
)
from tests.factories import answers, make_event, make_registration
from webinar.environment import PREPARED_AFTER

pytestmark = pytest.mark.django_db

BY_SLUG = PreparedQuery(
    lambda: EventQuestion.objects.annotate_events(Event.objects.published().annotate_has_report()).filter(
        slug=Parameter("slug", models.SlugField())
    )
)
LIVE_SESSIONS = PreparedQuery(
    lambda: Session.objects.filter(expire_date__gt=Parameter("now", models.DateTimeField())).order_by("session_key")
)


def everything(row: models.Model) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_every_column_and_annotation_is_the_same_as_in_an_ordinary_query() -> None:
    for event in [
        make_event(capacity=12, registration_closes_at=timezone.now(), connection_url="https://salle.example.org/"),
        make_event(reminder_day_time=None, description="Ça – œuvre ’ %s %(slug)s"),
    ]:
        ordinary = EventQuestion.objects.annotate_events(Event.objects.published().annotate_has_report()).get(
            slug=event.slug
        )
        read = BY_SLUG.get(slug=event.slug)
        assert everything(read) == everything(ordinary)
        assert (read, read._state.adding, read._state.db) == (ordinary, False, "default")


def test_json_columns_are_the_same_too() -> None:
    registration = make_registration(own_answers={"7": ["un", "deux"]})
    by_number = PreparedQuery(lambda: Registration.objects.filter(pk=Parameter("pk", models.BigAutoField())))
    assert everything(by_number.get(pk=registration.pk)) == everything(Registration.objects.get(pk=registration.pk))


def test_results_are_not_cached() -> None:
    event = make_event(title="Avant")
    assert BY_SLUG.get(slug=event.slug).title == "Avant"
    Event.objects.update(title="Après")
    with CaptureQueriesContext(connection) as asked:
        assert BY_SLUG.get(slug=event.slug).title == "Après"
    assert len(asked) == 1


def test_changing_a_row_does_not_change_the_next_result() -> None:
    event = make_event(title="Avant")
    BY_SLUG.get(slug=event.slug).title = "Autre"
    assert BY_SLUG.get(slug=event.slug).title == "Avant"


def test_no_row_is_found() -> None:
    make_event(status="draft", slug="brouillon")
    assert BY_SLUG.first(slug="brouillon") is None
    assert BY_SLUG.all(slug="x' OR '1'='1") == []
    with pytest.raises(Event.DoesNotExist):
        BY_SLUG.get(slug="brouillon")


def test_several_rows_are_found_by_a_datetime() -> None:
    now = timezone.now()
    hours = {"c": -1, "b": 1, "a": 2}
    for key, number in hours.items():
        Session.objects.create(session_key=key, expire_date=now + timedelta(hours=number))
    assert [session.session_key for session in LIVE_SESSIONS.all(now=now)] == ["a", "b"]


def test_a_row_is_locked_until_the_end_of_the_transaction() -> None:
    event = make_event()
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert Event.objects.locked(event) == event
    [query] = asked.captured_queries
    assert ("FOR NO KEY UPDATE" in query["sql"]) == connection.features.has_select_for_update


def test_rows_are_counted() -> None:
    for key in ("a", "b"):
        Session.objects.create(session_key=key, expire_date=timezone.now() + timedelta(hours=1))
    assert LIVE_SESSIONS.count(now=timezone.now()) == 2


def test_rows_are_inserted_with_their_common_and_their_own_values() -> None:
    registration, now = make_registration(), timezone.now()
    alike: dict[str, Any] = {"registration": registration, "send_at": now, "error": "« % %s %(due_0)s »"}
    rows = [
        Delivery(kind="updated", **alike),
        Delivery(kind="changed", revision=7, not_after=now, sample={"à": [1]}, **alike),
    ]
    insert(*rows)
    assert all(row.pk and not row._state.adding for row in rows)
    written = [everything(Delivery.objects.get(pk=row.pk)) for row in rows]
    assert written == [everything(row) for row in rows]


def test_a_registration_that_exists_is_not_inserted_again() -> None:
    event = make_event()
    first, second = (
        Registration(event=event, **answers(email=email)) for email in ("zoe@example.org", "ZOE@example.org")
    )
    assert [insert_or_ignore(first), insert_or_ignore(second)] == [True, False]
    assert list(event.registrations.all()) == [first]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(second)


def test_named_values_are_passed_in_order_and_percent_signs_stay() -> None:
    asked = "SELECT %(a)s || %(b)s || %(a)s, 100 %% 7, '%%s', %(number)s + 1, COALESCE(%(nothing)s, 'nothing')"
    for number in (1, 2**15, 2**31):  # each another type to PostgreSQL
        [row] = rows_of(asked, {"nothing": None, "number": number, "b": "« % »", "a": "à%s"})
        assert row == ("à%s« % »à%s", 2, "%s", number + 1, "nothing")
    assert rows_of("SELECT %s + %s", [1, 2]) == [(3,)]


def test_a_refused_statement_raises_and_breaks_the_transaction() -> None:
    with transaction.atomic():
        with contextlib.suppress(DatabaseError), transaction.atomic(savepoint=False):
            rows_of("SELECT no_such_column FROM registrations_event WHERE id = %s", [1])
        with pytest.raises(TransactionManagementError):
            rows_of("SELECT 1", [])
    assert rows_of("SELECT 1", []) == [(1,)]


@pytest.fixture
def title_of_another_type() -> Iterator[Callable[[], None]]:
    """A function that changes the type of a column, as an upgrade may; undone after the test."""
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
def test_after_a_change_of_type_a_single_transaction_fails(title_of_another_type: Callable[[], None]) -> None:
    event = make_event(title="Avant")
    for _ in range(PREPARED_AFTER + 1):
        with transaction.atomic():
            Event.objects.joined(event)
    title_of_another_type()
    fails = connection.vendor == "postgresql"
    with pytest.raises(NotSupportedError) if fails else contextlib.nullcontext(), transaction.atomic():
        Event.objects.joined(event)
    with transaction.atomic():
        assert Event.objects.joined(event).title == "Avant"


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_raises_operational_error() -> None:
    """Jobs retry after an OperationalError and stop at other errors."""
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
def test_the_first_page_after_a_restart_of_the_database_is_shown(client: Client) -> None:
    event = make_event()
    assert client.get(event.get_absolute_url()).status_code == 200
    if connection.vendor == "postgresql":
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    request_started.send(None)  # the test client does not close old connections, a server does
    assert client.get(event.get_absolute_url()).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_tables_that_have_grown_are_analysed_where_statements_are_prepared() -> None:
    if connection.vendor == "postgresql":
        Session.objects.bulk_create(
            Session(session_key=str(number), expire_date=timezone.now()) for number in range(300)
        )
        connection.cursor().execute("SELECT pg_stat_force_next_flush()")
        connection.close()
    with CaptureQueriesContext(connection) as asked:
        analyse_grown_tables()
    analysed = [query["sql"] for query in asked if query["sql"].startswith("ANALYZE")]
    assert ["django_session" in sql for sql in analysed] == [True] * (connection.vendor == "postgresql")
