"""Rows in chunks, also when the connection is lost on the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection

from registrations.models import Registration
from registrations.runtime.rows import in_chunks
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


class CutAfterTheLastRow:
    """In place of a query: what psycopg raises when Django closes the cursor of a lost connection."""

    def iterator(self, *, chunk_size: int) -> Iterator[int]:
        yield chunk_size
        psycopg_or_sqlite3: Any = connection
        raise psycopg_or_sqlite3.Database.OperationalError("the connection is closed")


def test_all_rows_come_in_their_order() -> None:
    event = make_event()
    people = [make_registration(event) for _ in range(3)]
    assert list(in_chunks(Registration.objects.order_by("pk"), 1)) == people


def test_a_worker_ends_because_the_database_restarts_while_it_reads_many_rows() -> None:
    query: Any = CutAfterTheLastRow()
    with pytest.raises(OperationalError, match="closed"):
        list(in_chunks(query))
