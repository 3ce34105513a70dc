"""Statements that are executed all the time, by libpq itself: each is prepared once in each connection.

psycopg makes a cursor and three generators for a statement, which cost more than the statement. Here remain its
wrapper of libpq, and its adaptation of values to the server's types and back.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
KEPT = 200  # statements: some fifty are usual
PLACEHOLDER = re.compile(r"%(?:%|s|\((\w+)\)s)")

type Parameters = Sequence[Any] | Mapping[str, Any]


class Statements:
    def __init__(self, connection: Connection[Any]) -> None:
        self.connection, self.libpq = connection, connection.pgconn
        self.values = Transformer(connection)
        self.names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}  # by SQL and the types of its parameters

    def rows_of(self, sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """What the statement returns. Raises psycopg's errors; begins the transaction, where one is meant to be."""
        query, order = numbered(sql)
        plain = [parameters[name] for name in order] if isinstance(parameters, Mapping) else parameters
        written: Any = self.values.dump_sequence(plain, [PyFormat.AUTO] * len(plain))
        self._begin()
        name = self._name(query, self.values.types or ())
        result = _good(self.libpq.exec_prepared(name, written, self.values.formats))
        self.values.set_pgresult(result)
        return self.values.load_rows(0, result.ntuples, tuple)

    def _name(self, query: bytes, types: tuple[int, ...]) -> bytes:
        name = self.names.get((query, types))
        if name is None:
            if len(self.names) >= KEPT:
                _good(self.libpq.exec_(b"DEALLOCATE ALL"))
                self.names.clear()
            name = b"webinar_%d" % len(self.names)
            _good(self.libpq.prepare(name, query, types))
            self.names[query, types] = name
        return name

    def _begin(self) -> None:
        if not self.connection.autocommit and self.libpq.transaction_status == TransactionStatus.IDLE:
            _good(self.libpq.exec_(b"BEGIN"))


def _good(result: Any) -> Any:
    if result.status not in GOOD:
        raise error_from_result(result)
    return result


@lru_cache(2 * KEPT)
def numbered(sql: str) -> tuple[bytes, list[str]]:
    """The SQL as the server numbers its parameters, and their names in this order when they have names."""
    order: list[str] = []
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] == "%%":
            return "%"
        if found[1] is None:
            count += 1
            return f"${count}"
        if found[1] not in order:
            order.append(found[1])
        return f"${order.index(found[1]) + 1}"

    return PLACEHOLDER.sub(number, sql).encode(), order
