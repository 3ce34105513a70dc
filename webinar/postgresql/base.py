"""Django's PostgreSQL; the server keeps some statements prepared, and a connection is looked at instead of asked."""

import select
import time
from typing import Any

from django.db.backends.postgresql import base

from webinar.postgresql.statements import Parameters, Statements

ASKED_AFTER = 10  # seconds
GROWN = """
    SELECT quote_ident(relname) FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_live_tup > 200 AND n_mod_since_analyze > n_live_tup / 2
"""


class DatabaseWrapper(base.DatabaseWrapper):
    known_usable_at = 0.0  # by the monotonic clock
    statements: Statements | None = None  # of the connection that is open

    def rows_of(self, sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """What one of the few statements returns that are executed all the time: parsed once in each connection.

        By a cursor for who looks at the queries.
        """
        if self.queries_logged or self.execute_wrappers:
            with self.cursor() as cursor:
                cursor.execute(sql, parameters)
                return list(cursor.fetchall())
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            connection: Any = self.connection
            if self.statements is None or self.statements.connection is not connection:
                self.statements = Statements(connection)
            return self.statements.rows_of(sql, parameters)

    def analyse_what_has_grown(self) -> None:
        """Have statements that were prepared while a table was small planned anew: the server does so by itself, but
        a minute late, in which a new site may have its first rush. Returns at once where another process does it."""
        with self.cursor() as cursor:
            cursor.execute(GROWN)
            if tables := ", ".join(name for (name,) in cursor.fetchall()):
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {tables}")

    def is_usable(self) -> bool:
        """Used just now, and nothing has come from the server since: it has not closed the connection. Else it is
        asked, since a server that lost its power closes nothing."""
        if self.connection is None or self.connection.closed:
            return False
        rested = time.monotonic() - self.known_usable_at
        if rested < ASKED_AFTER and not self._has_news():
            return True
        if usable := super().is_usable():
            self.known_usable_at = time.monotonic()
        return usable

    def _has_news(self) -> bool:
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        return bool(socket.poll(0))
