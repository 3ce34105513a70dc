"""Database triggers that update the live counts, the event of each mail, who attended, and the search index.

They are not in migrations, since SQLite drops the triggers of a table that a migration rebuilds. `install` runs after
each `migrate`: when a trigger is missing or differs from its definition here, it creates all of them and recounts.
Names that start with `desk_` are names in the database: a new name would rebuild the trigger.
"""

from typing import Any

from django.db import connection, transaction
from django.db.utils import DatabaseError

from registrations.models import Registration
from registrations.models.delivery import BATCH
from registrations.models.search import START

REGISTRATIONS = "registrations_registration"
DELIVERIES = "registrations_delivery"
ATTENDANCES = "registrations_attendance"
SEARCH = "registrations_search"  # table, on SQLite only
SEARCH_INDEX = "registration_search"  # index, on PostgreSQL only

REPLACED_SCHEMA_PREFIX = "before_restore_"  # of schemas in which a restore keeps the replaced tables

IS_DRY_RUN = f"SELECT 1 FROM {REGISTRATIONS} WHERE id = {{row}}.registration_id AND is_trial"
IS_COUNTED = {REGISTRATIONS: "NOT {row}.is_trial", DELIVERIES: f"NOT EXISTS ({IS_DRY_RUN})"}  # {row}: alias of a row
SCHEDULED_KINDS = "'reminder_day', 'reminder_hour', 'follow_up'"
COUNTS = {  # table of counts: (table whose rows are counted, {column: SQL expression of a counted row})
    "registrations_peopletally": (
        REGISTRATIONS,
        {name: f"{{row}}.{name}" for name in ("event_id", "status", "territory", "newsletter", "language", "came")},
    ),
    "registrations_signuptally": (REGISTRATIONS, {"event_id": "{row}.event_id", "quarter": "{quarter}"}),
    "registrations_mailtally": (
        DELIVERIES,
        {
            "event_id": "{event}",
            "broadcast_id": "{row}.broadcast_id",
            "kind": "{row}.kind",
            "state": "{row}.state",
            "provider_status": "{row}.provider_status",
            "not_after": "CASE WHEN {row}.kind IN ('reminder_day', 'reminder_hour') THEN {row}.not_after END",
            "error": f"CASE WHEN {{row}}.kind IN ({SCHEDULED_KINDS}) AND {{row}}.state IN ('cancelled', 'expired') "
            "THEN {row}.error ELSE '' END",
        },
    ),
}
EVENT_OF_REGISTRATION = f"(SELECT event_id FROM {REGISTRATIONS} WHERE id = {{row}}.registration_id)"
HAS_ATTENDANCE = f"EXISTS (SELECT 1 FROM {ATTENDANCES} WHERE registration_id = {{row}}.id)"


def drop_before_migrate(*, plan: Any, **_signal: Any) -> None:
    """SQLite cannot rebuild a table that a trigger of another table refers to."""
    if plan and (connection.vendor == "sqlite" or any(backwards for _migration, backwards in plan)):
        drop()


def install(**_signal: Any) -> None:
    """Create all triggers and recount, unless they are installed as defined here."""
    if "registrations_mailtally" not in connection.introspection.table_names():
        return  # migrated back to a state before these tables
    with transaction.atomic():
        defined = _definitions()
        if _installed(defined) != defined:
            drop()
            _execute([*_locks(), *_recompute_columns(), *defined.values(), *_recount()])
    _create_search_index()
    fill_search()


def drop() -> None:
    with connection.cursor() as cursor:
        for name in _installed(_definitions()):
            kind, _space, table = name.partition(" ")
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP {kind} IF EXISTS {table}")
            else:
                cursor.execute(f"DROP FUNCTION {table} CASCADE")


def fill_search() -> None:
    """Fill the search column of rows written by an older version of the program."""
    last, stale = 0, Registration.objects.exclude(search__startswith=START).order_by("pk")
    while rows := list(stale.filter(pk__gt=last)[:BATCH]):
        last = rows[-1].pk
        for registration in rows:
            Registration._meta.get_field("search").pre_save(registration, False)
        Registration.objects.bulk_update(rows, ["search"])


def _execute(statements: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _definitions() -> dict[str, str]:
    """CREATE statements by « KIND name », for example « TRIGGER attendance_is_noted »."""
    return _sqlite_definitions() if connection.vendor == "sqlite" else _postgresql_definitions()


def _installed(defined: dict[str, str]) -> dict[str, str]:
    """Those of the defined objects that exist in the database, with their statements there."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'table')")
            found = {f"{kind.upper()} {name}": sql for kind, name, sql in cursor.fetchall()}
            return {name: sql for name, sql in found.items() if name in defined}
        cursor.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'desk\\_%%' "
            "AND pronamespace = current_schema()::regnamespace",
            [],
        )
        sources = dict(cursor.fetchall())
    found = {name: sources[function] for name in defined if (function := name.partition(" ")[2]) in sources}
    return {name: defined[name] if source == _body(defined[name]) else source for name, source in found.items()}


def _values(table: str, row: str, *, event: str, quarter: str) -> tuple[list[str], list[str]]:
    """Columns of a table of counts, and the SQL expressions of their values for the counted row `row`."""
    columns = COUNTS[table][1]
    return list(columns), [f"({value.format(row=row, event=event, quarter=quarter)})" for value in columns.values()]


def _body(statement: str) -> str:
    return statement.split("$$")[1]


# SQLite


def _sqlite_values(table: str, row: str) -> tuple[list[str], list[str]]:
    moment = f"{row}.created_at"
    minute = f"printf('%02d:00', strftime('%M', {moment}) / 15 * 15)"
    quarter = f"(strftime('%Y-%m-%d %H:', {moment}) || {minute})"
    return _values(table, row, event=EVENT_OF_REGISTRATION.format(row=row), quarter=quarter)


def _sqlite_add(table: str, row: str, number: int) -> str:
    """Statements that add `number` to the count of the row's group: insert the group if new, delete it at 0."""
    columns, values = _sqlite_values(table, row)
    same = " AND ".join(f"{column} IS {value}" for column, value in zip(columns, values, strict=True))
    counted = IS_COUNTED[COUNTS[table][0]].format(row=row)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}, number) SELECT {', '.join(values)}, 0 WHERE {counted} "
        f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE {same});\n"
        f"UPDATE {table} SET number = number + {number} WHERE {counted} AND {same};\n"
        f"DELETE FROM {table} WHERE number = 0 AND {same};\n"
    )


def _sqlite_update_event(columns: list[str]) -> str:
    """The UPDATE event, limited to rows whose group changes."""
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"UPDATE OF {', '.join(columns)} WHEN ({old}) IS NOT ({new})"


def _sqlite_definitions() -> dict[str, str]:
    bodies: dict[str, str] = {}
    for table, (source, columns) in COUNTS.items():
        read = [name for name in columns if name not in {"event_id", "quarter"}] or ["created_at"]
        operations = {
            "INSERT": _sqlite_add(table, "NEW", 1),
            "DELETE": _sqlite_add(table, "OLD", -1),
            _sqlite_update_event(read): _sqlite_add(table, "OLD", -1) + _sqlite_add(table, "NEW", 1),
        }
        for operation, body in operations.items():
            head = (
                operation.replace(" WHEN", f" ON {source} WHEN")
                if " WHEN" in operation
                else f"{operation} ON {source}"
            )
            bodies[f"{table}_{operation.partition(' ')[0].lower()} AFTER {head}"] = body
    event = EVENT_OF_REGISTRATION.format(row="NEW")
    bodies[f"delivery_has_its_event AFTER INSERT ON {DELIVERIES}"] = (
        f"UPDATE {DELIVERIES} SET event_id = {event} WHERE id = NEW.id;\n"
    )
    bodies[f"delivery_keeps_its_event AFTER UPDATE OF event_id ON {DELIVERIES} WHEN NEW.event_id IS NOT {event}"] = (
        f"UPDATE {DELIVERIES} SET event_id = {event} WHERE id = NEW.id;\n"
    )
    has_attendance = HAS_ATTENDANCE.format(row="NEW")
    bodies[
        f"registration_knows_who_came AFTER UPDATE OF came ON {REGISTRATIONS} WHEN NEW.came <> {has_attendance}"
    ] = f"UPDATE {REGISTRATIONS} SET came = {has_attendance} WHERE id = NEW.id;\n"
    bodies[f"attendance_is_noted AFTER INSERT ON {ATTENDANCES}"] = (
        f"UPDATE {REGISTRATIONS} SET came = 1 WHERE id = NEW.registration_id AND NOT came;\n"
    )
    bodies[f"attendance_is_taken_back AFTER DELETE ON {ATTENDANCES}"] = (
        f"UPDATE {REGISTRATIONS} SET came = 0 WHERE id = OLD.registration_id AND came "
        f"AND NOT {HAS_ATTENDANCE.format(row=REGISTRATIONS)};\n"
    )
    old = f"INSERT INTO {SEARCH} ({SEARCH}, rowid, search) VALUES ('delete', OLD.id, OLD.search);\n"
    new = f"INSERT INTO {SEARCH} (rowid, search) VALUES (NEW.id, NEW.search);\n"
    bodies[f"{SEARCH}_insert AFTER INSERT ON {REGISTRATIONS}"] = new
    bodies[f"{SEARCH}_delete AFTER DELETE ON {REGISTRATIONS}"] = old
    bodies[f"{SEARCH}_update AFTER UPDATE OF search ON {REGISTRATIONS}"] = old + new
    search_table = (
        f"CREATE VIRTUAL TABLE {SEARCH} USING fts5 "
        f"(search, content='{REGISTRATIONS}', content_rowid='id', tokenize='trigram')"
    )
    triggers = {
        f"TRIGGER {head.partition(' ')[0]}": f"CREATE TRIGGER {head}\nBEGIN\n{body}END"
        for head, body in bodies.items()
    }
    return {f"TABLE {SEARCH}": search_table, **triggers}


# PostgreSQL


def _postgresql_values(table: str, row: str) -> tuple[list[str], list[str]]:
    quarter = f"to_timestamp(floor(extract(epoch FROM {row}.created_at) / 900) * 900)"
    return _values(table, row, event=f"{row}.event_id", quarter=quarter)


def _postgresql_append(tables: list[str], rows: dict[str, int]) -> str:
    """Statements that append a row for each group: by how much the triggering statement has changed its count."""
    statements = []
    for table in tables:
        names, filled = _postgresql_values(table, "one")
        columns, values = ", ".join(names), ", ".join(filled)
        counted = IS_COUNTED[COUNTS[table][0]].format(row="one")
        changed = " UNION ALL ".join(
            f"SELECT {values}, {number} FROM {name} AS one WHERE {counted}" for name, number in rows.items()
        )
        statements.append(
            f"INSERT INTO {table} ({columns}, number) SELECT {columns}, SUM(number) "
            f"FROM ({changed}) AS changed ({columns}, number) GROUP BY {columns} HAVING SUM(number) <> 0;"
        )
    return " ".join(statements)


def _function(name: str, body: str, result: str, *triggers: str) -> dict[str, str]:
    head = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN {result}; END$$"
    create_triggers = "; ".join(
        f"CREATE TRIGGER {name}_{number} {trigger} EXECUTE FUNCTION {name}()"
        for number, trigger in enumerate(triggers)
    )
    return {f"FUNCTION {name}": f"{head}; {create_triggers}"}


def _postgresql_definitions() -> dict[str, str]:
    parts: dict[str, str] = {}
    for source in (REGISTRATIONS, DELIVERIES):
        tables = [table for table, (counted, _columns) in COUNTS.items() if counted == source]
        operations = {
            "INSERT": ("NEW TABLE AS new_rows", {"new_rows": 1}),
            "DELETE": ("OLD TABLE AS old_rows", {"old_rows": -1}),
            "UPDATE": ("OLD TABLE AS old_rows NEW TABLE AS new_rows", {"old_rows": -1, "new_rows": 1}),
        }
        for operation, (transition_tables, rows) in operations.items():
            name = f"desk_counts_{source.partition('_')[2]}_{operation.lower()}"
            trigger = f"AFTER {operation} ON {source} REFERENCING {transition_tables} FOR EACH STATEMENT"
            parts |= _function(name, _postgresql_append(tables, rows), "NULL", trigger)
    event = EVENT_OF_REGISTRATION.format(row="NEW")
    parts |= _function(
        "desk_event_of_mail",
        f"NEW.event_id := {event};",
        "NEW",
        f"BEFORE INSERT OR UPDATE OF event_id ON {DELIVERIES} FOR EACH ROW",
    )
    parts |= _function(
        "desk_who_came",
        f"NEW.came := {HAS_ATTENDANCE.format(row='NEW')};",
        "NEW",
        f"BEFORE UPDATE OF came ON {REGISTRATIONS} FOR EACH ROW",
    )
    parts |= _function(
        "desk_sign_of_presence",
        f"UPDATE {REGISTRATIONS} SET came = came WHERE id IN (SELECT registration_id FROM signs);",
        "NULL",
        f"AFTER INSERT ON {ATTENDANCES} REFERENCING NEW TABLE AS signs FOR EACH STATEMENT",
        f"AFTER DELETE ON {ATTENDANCES} REFERENCING OLD TABLE AS signs FOR EACH STATEMENT",
    )
    return parts


def _create_search_index() -> None:
    """Create a trigram index, when the extension can be created; without it, a search reads the whole column."""
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
            [schema] = cursor.fetchone()
            if schema.startswith(REPLACED_SCHEMA_PREFIX):  # a restore has moved it with the replaced tables
                cursor.execute("ALTER EXTENSION pg_trgm SET SCHEMA public")
                schema = "public"
            method = f"gin (search {schema}.gin_trgm_ops)"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {SEARCH_INDEX} ON {REGISTRATIONS} USING {method}")
    except DatabaseError:
        return


# Both


def _locks() -> list[str]:
    """Block writes to the counted tables while counting (PostgreSQL only: SQLite has a single writer)."""
    if connection.vendor == "sqlite":
        return []
    return [f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE" for table in (REGISTRATIONS, DELIVERIES, ATTENDANCES)]


def _recompute_columns() -> list[str]:
    has_attendance, event = HAS_ATTENDANCE.format(row=REGISTRATIONS), EVENT_OF_REGISTRATION.format(row=DELIVERIES)
    return [
        f"UPDATE {REGISTRATIONS} SET came = NOT came WHERE came <> {has_attendance}",
        f"UPDATE {DELIVERIES} SET event_id = {event} WHERE event_id IS NULL AND registration_id IS NOT NULL",
    ]


def _recount() -> list[str]:
    is_sqlite = connection.vendor == "sqlite"
    statements = [f"INSERT INTO {SEARCH} ({SEARCH}) VALUES ('rebuild')"] if is_sqlite else []
    for table, (source, _columns) in COUNTS.items():
        columns, values = (_sqlite_values if is_sqlite else _postgresql_values)(table, "one")
        positions = ", ".join(str(number) for number in range(1, len(columns) + 1))
        statements += [
            f"DELETE FROM {table}",
            (
                f"INSERT INTO {table} ({', '.join(columns)}, number) SELECT {', '.join(values)}, COUNT(*) "
                f"FROM {source} AS one WHERE {IS_COUNTED[source].format(row='one')} GROUP BY {positions}"
            ),
        ]
    return statements
