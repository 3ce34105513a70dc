"""Rows of a query in chunks, so that they need not all be in memory."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet

CHUNK = 2000  # rows, as Django's


def in_chunks[Row](query: QuerySet[Any, Row], size: int = CHUNK) -> Iterator[Row]:
    """Like `iterator()`. When the connection is lost, closing the cursor is an OperationalError of Django too.

    Django closes PostgreSQL's cursor without wrapping psycopg's errors: they would end a worker, which waits for a
    database that is away.
    """
    with connection.wrap_database_errors:
        yield from query.iterator(chunk_size=size)
