"""Queries whose SQL is compiled once per process, for the few queries that every visitor's request makes.

On PostgreSQL, psycopg keeps them prepared in each connection, too (`prepare_threshold`). SQLite's driver caches
statements itself.

Rows of a sign-up are inserted by SQL that is kept as well. With `bulk_create`, which returns no primary key when it
ignores conflicts, the POST takes a third more CPU (tests/load/README.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.signals import pre_save
from django.db.transaction import TransactionManagementError

GROWN = """
    SELECT quote_ident(relname) FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_live_tup > 200 AND n_mod_since_analyze > n_live_tup / 2
"""


def rows_of(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of a frequent statement.

    When the type of a column has changed since the statement was prepared, PostgreSQL refuses it once in each
    connection: this raises NotSupportedError.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def analyse_grown_tables() -> None:
    """Have statements that were prepared while a table was small planned anew.

    PostgreSQL does so by itself, but a minute late, in which a new site may have its first rush. Where another process
    does it, this does not wait.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(GROWN)
            if tables := ", ".join(name for (name,) in cursor.fetchall()):
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {tables}")


class Parameter(Expression):
    """Placeholder in a prepared query for a value that is given on execution; `field` converts the value."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)


class Statement(NamedTuple):
    sql: str
    parameters: list[Any]
    columns: list[str]
    annotations: list[str]
    converters: dict[int, Any]  # by index of the column: from the database's value to Python's
    locks: bool  # whether the rows are locked until the transaction ends


class PreparedQuery[Row: Model]:
    """`build` returns a QuerySet of whole rows, with a `Parameter` for each value that changes.

    The SQL is compiled once; results are not cached. `share_lock`: lock the rows with FOR SHARE, for which Django has
    no method.
    """

    def __init__(self, build: Callable[[], QuerySet[Row]], *, share_lock: bool = False) -> None:
        self.build, self.share_lock = build, share_lock

    def all(self, **values: Any) -> list[Row]:
        return self._models(self._fetch(values))

    def count(self, **values: Any) -> int:
        """Number of rows. They are fetched, and locked, as by `all`."""
        return len(self._fetch(values))

    def first(self, **values: Any) -> Row | None:
        return next(iter(self.all(**values)), None)

    def get(self, **values: Any) -> Row:
        """Raises the model's DoesNotExist."""
        if (row := self.first(**values)) is None:
            raise self._model.DoesNotExist  # type: ignore[attr-defined] # every model has it
        return row

    def _fetch(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        if self._statement.locks and connection.get_autocommit():
            raise TransactionManagementError("Rows can be locked in a transaction only.")
        return rows_of(self._statement.sql, tuple(_filled(self._statement.parameters, values)))

    def _models(self, found: list[tuple[Any, ...]]) -> list[Row]:
        columns, annotations = self._statement.columns, self._statement.annotations
        rows = []
        for values in map(self._converted, found):
            row = self._model.from_db(connection.alias, columns, values[: len(columns)])
            for name, value in zip(annotations, values[len(columns) :], strict=True):
                setattr(row, name, value)
            rows.append(row)
        return rows

    def _converted(self, found: tuple[Any, ...]) -> list[Any]:
        values = list(found)
        for place, (functions, column) in self._statement.converters.items():
            for function in functions:
                values[place] = function(values[place], column, connection)
        return values

    @cached_property
    def _model(self) -> type[Row]:
        return self.build().model

    @cached_property
    def _statement(self) -> Statement:
        query = self.build()
        columns = [field.attname for field in query.model._meta.concrete_fields]
        annotations = list(query.query.annotation_select)
        compiler = query.values_list(*columns, *annotations).query.get_compiler(query.db)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        locks = connection.features.has_select_for_update and (query.query.select_for_update or self.share_lock)
        sql += " FOR SHARE" if locks and self.share_lock else ""
        return Statement(sql, list(parameters), columns, annotations, converters, locks)


def _filled(parameters: Iterable[Any], values: Mapping[str, Any]) -> Iterator[Any]:
    for one in parameters:
        is_open = isinstance(one, Parameter)
        yield one.output_field.get_db_prep_value(values[one.name], connection) if is_open else one


def insert(*rows: Model) -> None:
    """Insert new rows of one model in one statement, like `bulk_create`, with cached SQL. Raises IntegrityError."""
    _inserted(rows)


def insert_or_ignore(row: Model) -> bool:
    """Insert the row unless a unique constraint forbids it; return whether it was inserted."""
    return _inserted([row], "ON CONFLICT DO NOTHING") == 1


def _inserted(rows: Sequence[Model], otherwise: str = "") -> int:
    """Insert rows and return their number. A value that is the same in all rows is sent once.

    Receivers of `pre_save` see each row, as they do when a row is saved.
    """
    model, places, values = type(rows[0]), [], dict[str, Any]()
    for row in rows:
        pre_save.send(model, instance=row, raw=False, using=connection.alias, update_fields=None)
    for field in _columns(model):
        of_rows = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows]
        is_same = all(value == of_rows[0] for value in of_rows)
        names = [f"{field.column}_{0 if is_same else number}" for number in range(len(rows))]
        values.update(zip(names, of_rows, strict=True))
        places.append(tuple(names))
    written = rows_of(_insertion(model, tuple(places), otherwise), values)
    for row, (pk,) in zip(rows, written, strict=False):
        row.pk, row._state.adding, row._state.db = pk, False, connection.alias
    return len(written)


@cache
def _columns(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.local_concrete_fields if field is not model._meta.auto_field]


@lru_cache(200)
def _insertion(model: type[Model], places: tuple[tuple[str, ...], ...], otherwise: str) -> str:
    """`places`: for each column, the parameter names of its values, row by row."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in _columns(model))
    rows = ", ".join(f"({', '.join(f'%({name})s' for name in row)})" for row in zip(*places, strict=True))
    table, number = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    return f"INSERT INTO {table} ({columns}) VALUES {rows} {otherwise} RETURNING {number}"  # noqa: S608 - our own names
