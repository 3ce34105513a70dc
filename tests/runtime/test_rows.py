"""Rows in chunks, also when the connection is lost on the way."""

import pytest
from django.db import OperationalError, connection

from registrations.models import Registration
from registrations.runtime.rows import in_chunks
from tests.factories import make_event, make_registration
from tests.threads import together


def end_backend(pid: int) -> None:
    """As a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.mark.django_db(transaction=True)
def test_a_worker_ends_because_the_database_restarts_while_it_reads_many_rows() -> None:
    event = make_event()
    people = [make_registration(event) for _ in range(3)]
    rows = in_chunks(Registration.objects.order_by("pk"), 1)
    assert next(rows) == people[0]
    if connection.vendor == "sqlite":  # it has no server
        assert list(rows) == people[1:]
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    assert together([lambda: end_backend(pid)]) == []
    with pytest.raises(OperationalError):
        list(rows)
    connection.close()
