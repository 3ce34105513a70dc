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
from psycopg.errors import OperationalError, error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
KEPT = 200  # statements: some fifty are usual
PLACEHOLDER = re.compile(r"%(?:%|s|\((\w+)\)s)")

UNFIT = {b"0A000", b"26000"}  # a column became another type since it was prepared; somebody threw it away

type Key = tuple[bytes, tuple[int, ...]]  # SQL, and the types of its parameters
type Parameters = Sequence[Any] | Mapping[str, Any]


class Statements:
    def __init__(self, connection: Connection[Any]) -> None:
        self.connection, self.libpq = connection, connection.pgconn
        self.values = Transformer(connection)
        self.names: dict[Key, bytes] = {}
        self.prepared = 0  # so many in all

    def rows_of(self, sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """What the statement returns. Begins the transaction, where one is meant to be.

        Raises psycopg's errors. Ctrl-C is heard when the server has answered.
        """
        query, order = numbered(sql)
        plain = [parameters[name] for name in order] if isinstance(parameters, Mapping) else parameters
        written: Any = self.values.dump_sequence(plain, [PyFormat.AUTO] * len(plain))
        key = (query, self.values.types or ())
        if not self.connection.autocommit and self._is_idle():
            self._good(self.libpq.exec_(b"BEGIN"))
        result = self.libpq.exec_prepared(self._name(key), written, self.values.formats)
        if result.error_field(DiagnosticField.SQLSTATE) in UNFIT:
            del self.names[key]
            if self._is_idle():
                result = self.libpq.exec_prepared(self._name(key), written, self.values.formats)
        self.values.set_pgresult(self._good(result))
        return self.values.load_rows(0, result.ntuples, tuple)

    def _name(self, key: Key) -> bytes:
        name = self.names.get(key)
        if name is None:
            if len(self.names) >= KEPT:
                self._good(self.libpq.exec_(b"DEALLOCATE ALL"))
                self.names.clear()
            self.prepared += 1
            name = b"webinar_%d" % self.prepared
            self._good(self.libpq.prepare(name, *key))
            self.names[key] = name
        return name

    def _is_idle(self) -> bool:
        return self.libpq.transaction_status == TransactionStatus.IDLE

    def _good(self, result: PGresult) -> PGresult:
        if result.status in GOOD:
            return result
        if self.libpq.status == ConnStatus.BAD:  # libpq says so itself, and gives no SQLSTATE
            raise OperationalError(result.get_error_message())
        raise error_from_result(result)


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
