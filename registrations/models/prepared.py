"""Queries whose SQL is put together once in each process: for the few rows that every visitor's request reads."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.transaction import TransactionManagementError


class Parameter(Expression):
    """Stands in a prepared query for a value that is known when it runs; `field` says how it is written there."""

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
    converters: dict[int, Any]  # from what the database gives to what Python means
    holds: bool  # its rows, until the transaction ends


class PreparedQuery[Row: Model]:
    """`build` makes a query of whole rows, with a `Parameter` for each value that changes.

    It is always the database that answers; only what Django would do anew for each request is done once.
    """

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self.build = build

    def all(self, **values: Any) -> list[Row]:
        if self._statement.holds and connection.get_autocommit():
            raise TransactionManagementError("A row is held for a transaction, and there is none.")
        with connection.cursor() as cursor:
            cursor.execute(self._statement.sql, tuple(_filled(self._statement.parameters, values)))
            return self._rows(cursor.fetchall())

    def first(self, **values: Any) -> Row | None:
        return next(iter(self.all(**values)), None)

    def get(self, **values: Any) -> Row:
        """Raises the model's DoesNotExist."""
        if (row := self.first(**values)) is None:
            raise self._model.DoesNotExist  # type: ignore[attr-defined] # every model has it
        return row

    def _rows(self, found: list[tuple[Any, ...]]) -> list[Row]:
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
        holds = query.query.select_for_update and connection.features.has_select_for_update
        return Statement(sql, list(parameters), columns, annotations, converters, holds)


def _filled(parameters: Iterable[Any], values: Mapping[str, Any]) -> Iterator[Any]:
    for one in parameters:
        is_open = isinstance(one, Parameter)
        yield one.output_field.get_db_prep_value(values[one.name], connection) if is_open else one
