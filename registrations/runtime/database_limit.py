"""How long the connections of this process wait for an answer of PostgreSQL, see webinar/postgresql/base.py."""

from django.db import connection, connections


def answer_within(seconds: int) -> None:
    """SQLite has a time-out of its own for its lock, and no server that could hang."""
    if connection.vendor == "postgresql":
        connections.databases["default"]["OPTIONS"]["answer_within"] = seconds
        connection.close()  # of the checks at the start, without this limit
