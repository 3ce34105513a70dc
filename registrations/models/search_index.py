"""The index of searches in the admin: a full-text table with its triggers on SQLite, trigrams on PostgreSQL.

It is not in migrations, since SQLite drops the triggers of a table that a migration rebuilds, and since a PostgreSQL
may lack the extension. `install` runs after each `migrate`.
"""

from typing import Any

from django.db import connection, transaction
from django.db.utils import DatabaseError

from registrations.models.registration import Registration
from registrations.models.search import START

REGISTRATIONS = Registration._meta.db_table
TABLE = "registrations_search"  # on SQLite only
INDEX = "registration_search"  # on PostgreSQL only
BATCH = 500
REPLACED_SCHEMA_PREFIX = "before_restore_"  # of schemas in which a restore keeps the replaced tables

ADD = f"INSERT INTO {TABLE} (rowid, search) VALUES (NEW.id, NEW.search);\n"  # noqa: S608 - our own names
REMOVE = f"INSERT INTO {TABLE} ({TABLE}, rowid, search) VALUES ('delete', OLD.id, OLD.search);\n"  # noqa: S608
SQLITE = {  # CREATE statements by name
    TABLE: f"CREATE VIRTUAL TABLE {TABLE} USING fts5 "
    f"(search, content='{REGISTRATIONS}', content_rowid='id', tokenize='trigram')",
    **{
        f"{TABLE}_{operation}": (
            f"CREATE TRIGGER {TABLE}_{operation} AFTER {when} ON {REGISTRATIONS}\nBEGIN\n{body}END"
        )
        for operation, when, body in [
            ("insert", "INSERT", ADD),
            ("delete", "DELETE", REMOVE),
            ("update", "UPDATE OF search", REMOVE + ADD),
        ]
    },
}


def install(**_signal: Any) -> None:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, REGISTRATIONS)
    if "search" not in {column.name for column in columns}:
        return  # migrated back to a state before this column
    _install_on_postgresql() if connection.vendor == "postgresql" else _install_on_sqlite()
    fill()


def fill() -> None:
    """Fill the search column of rows written by an older version of the program."""
    last, stale = 0, Registration.objects.exclude(search__startswith=START).order_by("pk")
    while rows := list(stale.filter(pk__gt=last)[:BATCH]):
        last = rows[-1].pk
        for registration in rows:
            Registration._meta.get_field("search").pre_save(registration, False)
        Registration.objects.bulk_update(rows, ["search"])


def _install_on_sqlite() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE %s", [f"{TABLE}%"])
        there = {name: sql for name, sql in cursor.fetchall() if name in SQLITE}
        if there == SQLITE:
            return
        for name in there:
            cursor.execute(f"DROP {'TABLE' if name == TABLE else 'TRIGGER'} {name}")
        for statement in SQLITE.values():
            cursor.execute(statement)
        cursor.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('rebuild')")  # noqa: S608 - our own names


def _install_on_postgresql() -> None:
    """Create a trigram index, when the extension can be created; without it, a search reads the whole column."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
            [schema] = cursor.fetchone()
            if schema.startswith(REPLACED_SCHEMA_PREFIX):  # a restore has moved it with the replaced tables
                cursor.execute("ALTER EXTENSION pg_trgm SET SCHEMA public")
                schema = "public"
            method = f"gin (search {schema}.gin_trgm_ops)"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {INDEX} ON {REGISTRATIONS} USING {method}")
    except DatabaseError:
        return
