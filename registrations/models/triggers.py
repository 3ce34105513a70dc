"""What the database does by itself: keep the tallies, each mail's event, who came, and the index of the search.

Not in a migration, since SQLite loses the triggers of a table that a migration makes anew. `keep` runs after each
`migrate`: when a trigger is missing or reads otherwise than here, it puts all of them in and counts everything anew.
"""

from typing import Any

from django.db import connection, transaction
from django.db.utils import DatabaseError

from registrations.models import Registration
from registrations.models.delivery import BATCH
from registrations.models.mail_kinds import SCHEDULES
from registrations.models.search import START

PEOPLE = "registrations_registration"
MAILS = "registrations_delivery"
SIGNS = "registrations_attendance"
SEARCH = "registrations_search"  # SQLite alone
WORDS = "registration_search"  # PostgreSQL alone

KEPT_ASIDE = "before_restore_"  # beginning of the schemas in which a restore keeps what it has replaced

IS_TRIAL = f"SELECT 1 FROM {PEOPLE} WHERE id = {{row}}.registration_id AND is_trial"
COUNTED = {PEOPLE: "NOT {row}.is_trial", MAILS: f"NOT EXISTS ({IS_TRIAL})"}  # {row}: one of the table's
SCHEDULED = ", ".join(f"'{kind}'" for kind in SCHEDULES)
USELESS_AFTER_START = ", ".join(f"'{kind}'" for kind, schedule in SCHEDULES.items() if schedule.useless_after_start)
GROUPS = {
    "registrations_peopletally": (
        PEOPLE,
        {name: f"{{row}}.{name}" for name in ("event_id", "status", "territory", "newsletter", "language", "came")},
    ),
    "registrations_signuptally": (PEOPLE, {"event_id": "{row}.event_id", "quarter": "{quarter}"}),
    "registrations_mailtally": (
        MAILS,
        {
            "event_id": "{event}",
            "broadcast_id": "{row}.broadcast_id",
            "kind": "{row}.kind",
            "state": "{row}.state",
            "provider_status": "{row}.provider_status",
            "not_after": f"CASE WHEN {{row}}.kind IN ({USELESS_AFTER_START}) THEN {{row}}.not_after END",
            "error": f"CASE WHEN {{row}}.kind IN ({SCHEDULED}) AND {{row}}.state IN ('cancelled', 'expired') "
            "THEN {row}.error ELSE '' END",
        },
    ),
}
EVENT_OF_MAIL = (  # the registration's; a mail to the contact address of an event has its own
    f"COALESCE((SELECT event_id FROM {PEOPLE} WHERE id = {{row}}.registration_id), {{row}}.event_id)"
)
CAME = f"EXISTS (SELECT 1 FROM {SIGNS} WHERE registration_id = {{row}}.id)"


def make_way(*, plan: Any, **_signal: Any) -> None:
    """Before tables change: SQLite makes no table anew while triggers speak of it."""
    if plan and (connection.vendor == "sqlite" or any(backwards for _migration, backwards in plan)):
        drop()


def keep(**_signal: Any) -> None:
    """Put in what is missing; what is there already is left in peace."""
    if "registrations_mailtally" not in connection.introspection.table_names():
        return  # migrated back to before there were any
    with transaction.atomic():
        known = _parts()
        if _found(known) != known:
            drop()
            _run([*_locks(), *_filled_columns(), *known.values(), *_fresh_counts()])
    _index_words()
    fill_search()


def drop() -> None:
    with connection.cursor() as cursor:
        for name in _found(_parts()):
            kind, _space, table = name.partition(" ")
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP {kind} IF EXISTS {table}")
            else:
                cursor.execute(f"DROP FUNCTION {table} CASCADE")


def fill_search() -> None:
    """For rows that a program wrote which did not know of it yet, or kept it otherwise."""
    last, stale = 0, Registration.objects.exclude(search__startswith=START).order_by("pk")
    while rows := list(stale.filter(pk__gt=last)[:BATCH]):
        last = rows[-1].pk
        for registration in rows:
            Registration._meta.get_field("search").pre_save(registration, False)
        Registration.objects.bulk_update(rows, ["search"])


def _run(statements: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _parts() -> dict[str, str]:
    """Statements by « KIND name »."""
    return _sqlite_parts() if connection.vendor == "sqlite" else _postgresql_parts()


def _found(known: dict[str, str]) -> dict[str, str]:
    """Those of them that are there, as they are there."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'table')")
            found = {f"{kind.upper()} {name}": sql for kind, name, sql in cursor.fetchall()}
            return {name: sql for name, sql in found.items() if name in known}
        cursor.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'desk\\_%%' "
            "AND pronamespace = current_schema()::regnamespace",
            [],
        )
        sources = dict(cursor.fetchall())
    there = {name: sources[function] for name in known if (function := name.partition(" ")[2]) in sources}
    return {name: known[name] if source == _body(known[name]) else source for name, source in there.items()}


def _values(table: str, row: str, *, event: str, quarter: str) -> tuple[list[str], list[str]]:
    """The columns of a tally, and what a row of the table that it counts puts into them."""
    columns = GROUPS[table][1]
    return list(columns), [f"({value.format(row=row, event=event, quarter=quarter)})" for value in columns.values()]


def _body(statement: str) -> str:
    return statement.split("$$")[1]


# SQLite


def _sqlite_values(table: str, row: str) -> tuple[list[str], list[str]]:
    moment = f"{row}.created_at"
    minute = f"printf('%02d:00', strftime('%M', {moment}) / 15 * 15)"
    quarter = f"(strftime('%Y-%m-%d %H:', {moment}) || {minute})"
    return _values(table, row, event=EVENT_OF_MAIL.format(row=row), quarter=quarter)


def _sqlite_step(table: str, row: str, number: int) -> str:
    """Add to the row of a group, which is made first, and taken away when it counts nothing any more."""
    columns, values = _sqlite_values(table, row)
    same = " AND ".join(f"{column} IS {value}" for column, value in zip(columns, values, strict=True))
    counted = COUNTED[GROUPS[table][0]].format(row=row)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}, number) SELECT {', '.join(values)}, 0 WHERE {counted} "
        f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE {same});\n"
        f"UPDATE {table} SET number = number + {number} WHERE {counted} AND {same};\n"
        f"DELETE FROM {table} WHERE number = 0 AND {same};\n"
    )


def _sqlite_move(columns: list[str]) -> str:
    """Only what really moves from one group to another is counted anew."""
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"UPDATE OF {', '.join(columns)} WHEN ({old}) IS NOT ({new})"


def _sqlite_parts() -> dict[str, str]:
    bodies: dict[str, str] = {}
    for table, (source, columns) in GROUPS.items():
        read = [name for name in columns if name not in {"event_id", "quarter"}] or ["created_at"]
        acts = {
            "INSERT": _sqlite_step(table, "NEW", 1),
            "DELETE": _sqlite_step(table, "OLD", -1),
            _sqlite_move(read): _sqlite_step(table, "OLD", -1) + _sqlite_step(table, "NEW", 1),
        }
        for act, body in acts.items():
            head = act.replace(" WHEN", f" ON {source} WHEN") if " WHEN" in act else f"{act} ON {source}"
            bodies[f"{table}_{act.partition(' ')[0].lower()} AFTER {head}"] = body
    event = EVENT_OF_MAIL.format(row="NEW")
    bodies[f"delivery_has_its_event AFTER INSERT ON {MAILS}"] = (
        f"UPDATE {MAILS} SET event_id = {event} WHERE id = NEW.id;\n"
    )
    bodies[f"delivery_keeps_its_event AFTER UPDATE OF event_id ON {MAILS} WHEN NEW.event_id IS NOT {event}"] = (
        f"UPDATE {MAILS} SET event_id = {event} WHERE id = NEW.id;\n"
    )
    came = CAME.format(row="NEW")
    bodies[f"registration_knows_who_came AFTER UPDATE OF came ON {PEOPLE} WHEN NEW.came <> {came}"] = (
        f"UPDATE {PEOPLE} SET came = {came} WHERE id = NEW.id;\n"
    )
    bodies[f"attendance_is_noted AFTER INSERT ON {SIGNS}"] = (
        f"UPDATE {PEOPLE} SET came = 1 WHERE id = NEW.registration_id AND NOT came;\n"
    )
    bodies[f"attendance_is_taken_back AFTER DELETE ON {SIGNS}"] = (
        f"UPDATE {PEOPLE} SET came = 0 WHERE id = OLD.registration_id AND came AND NOT {CAME.format(row=PEOPLE)};\n"
    )
    old = f"INSERT INTO {SEARCH} ({SEARCH}, rowid, search) VALUES ('delete', OLD.id, OLD.search);\n"
    new = f"INSERT INTO {SEARCH} (rowid, search) VALUES (NEW.id, NEW.search);\n"
    bodies[f"{SEARCH}_insert AFTER INSERT ON {PEOPLE}"] = new
    bodies[f"{SEARCH}_delete AFTER DELETE ON {PEOPLE}"] = old
    bodies[f"{SEARCH}_update AFTER UPDATE OF search ON {PEOPLE}"] = old + new
    words = (
        f"CREATE VIRTUAL TABLE {SEARCH} USING fts5 "
        f"(search, content='{PEOPLE}', content_rowid='id', tokenize='trigram')"
    )
    triggers = {
        f"TRIGGER {head.partition(' ')[0]}": f"CREATE TRIGGER {head}\nBEGIN\n{body}END"
        for head, body in bodies.items()
    }
    return {f"TABLE {SEARCH}": words, **triggers}


# PostgreSQL


def _postgresql_values(table: str, row: str) -> tuple[list[str], list[str]]:
    quarter = f"to_timestamp(floor(extract(epoch FROM {row}.created_at) / 900) * 900)"
    return _values(table, row, event=f"{row}.event_id", quarter=quarter)


def _postgresql_change(tables: list[str], rows: dict[str, int]) -> str:
    """Append, for each group, by how many a statement has changed it."""
    statements = []
    for table in tables:
        names, filled = _postgresql_values(table, "one")
        columns, values = ", ".join(names), ", ".join(filled)
        counted = COUNTED[GROUPS[table][0]].format(row="one")
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
    made = "; ".join(
        f"CREATE TRIGGER {name}_{number} {trigger} EXECUTE FUNCTION {name}()"
        for number, trigger in enumerate(triggers)
    )
    return {f"FUNCTION {name}": f"{head}; {made}"}


def _postgresql_parts() -> dict[str, str]:
    parts: dict[str, str] = {}
    for source in (PEOPLE, MAILS):
        tables = [table for table, (counted, _columns) in GROUPS.items() if counted == source]
        acts = {
            "INSERT": ("NEW TABLE AS new_rows", {"new_rows": 1}),
            "DELETE": ("OLD TABLE AS old_rows", {"old_rows": -1}),
            "UPDATE": ("OLD TABLE AS old_rows NEW TABLE AS new_rows", {"old_rows": -1, "new_rows": 1}),
        }
        for act, (seen, rows) in acts.items():
            name = f"desk_counts_{source.partition('_')[2]}_{act.lower()}"
            trigger = f"AFTER {act} ON {source} REFERENCING {seen} FOR EACH STATEMENT"
            parts |= _function(name, _postgresql_change(tables, rows), "NULL", trigger)
    event = EVENT_OF_MAIL.format(row="NEW")
    parts |= _function(
        "desk_event_of_mail",
        f"NEW.event_id := {event};",
        "NEW",
        f"BEFORE INSERT OR UPDATE OF event_id ON {MAILS} FOR EACH ROW",
    )
    parts |= _function(
        "desk_who_came",
        f"NEW.came := {CAME.format(row='NEW')};",
        "NEW",
        f"BEFORE UPDATE OF came ON {PEOPLE} FOR EACH ROW",
    )
    parts |= _function(
        "desk_sign_of_presence",
        f"UPDATE {PEOPLE} SET came = came WHERE id IN (SELECT registration_id FROM signs);",
        "NULL",
        f"AFTER INSERT ON {SIGNS} REFERENCING NEW TABLE AS signs FOR EACH STATEMENT",
        f"AFTER DELETE ON {SIGNS} REFERENCING OLD TABLE AS signs FOR EACH STATEMENT",
    )
    return parts


def _index_words() -> None:
    """Any part of a word is found by an index where the extension may be had; else by reading the whole column."""
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
            [schema] = cursor.fetchone()
            if schema.startswith(KEPT_ASIDE):  # it went along with the tables that a restore has replaced
                cursor.execute("ALTER EXTENSION pg_trgm SET SCHEMA public")
                schema = "public"
            way = f"gin (search {schema}.gin_trgm_ops)"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {WORDS} ON {PEOPLE} USING {way}")
    except DatabaseError:
        return


# Both


def _locks() -> list[str]:
    """Nobody writes what is being counted. SQLite has one writer anyway."""
    if connection.vendor == "sqlite":
        return []
    return [f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE" for table in (PEOPLE, MAILS, SIGNS)]


def _filled_columns() -> list[str]:
    came, event = CAME.format(row=PEOPLE), EVENT_OF_MAIL.format(row=MAILS)
    return [
        f"UPDATE {PEOPLE} SET came = NOT came WHERE came <> {came}",
        f"UPDATE {MAILS} SET event_id = {event} WHERE event_id IS NULL AND registration_id IS NOT NULL",
    ]


def _fresh_counts() -> list[str]:
    is_sqlite = connection.vendor == "sqlite"
    statements = [f"INSERT INTO {SEARCH} ({SEARCH}) VALUES ('rebuild')"] if is_sqlite else []
    for table, (source, _columns) in GROUPS.items():
        columns, values = (_sqlite_values if is_sqlite else _postgresql_values)(table, "one")
        places = ", ".join(str(number) for number in range(1, len(columns) + 1))
        statements += [
            f"DELETE FROM {table}",
            (
                f"INSERT INTO {table} ({', '.join(columns)}, number) SELECT {', '.join(values)}, COUNT(*) "
                f"FROM {source} AS one WHERE {COUNTED[source].format(row='one')} GROUP BY {places}"
            ),
        ]
    return statements
