"""Django's PostgreSQL; the server keeps some statements prepared, and a connection is looked at instead of asked."""

import select
import time
from typing import Any

from django.db.backends.postgresql import base, operations

ASKED_AFTER = 10  # seconds
GROWN = """
    SELECT quote_ident(relname) FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_live_tup > 200 AND n_mod_since_analyze > n_live_tup / 2
"""


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """As it reads with its values, of a prepared one too; asked while queries are captured."""
        if isinstance(cursor, base.ServerBindingCursor):
            return str(self.compose_sql(sql, params))
        return str(super().last_executed_query(cursor, sql, params))


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    known_usable_at = 0.0  # by the monotonic clock

    def get_connection_params(self) -> dict[str, Any]:
        """What a prepared cursor executes is prepared at its first use; Django's own cursors never prepare."""
        return {**super().get_connection_params(), "prepare_threshold": 0}

    def prepared_cursor(self) -> Any:
        """For the few statements that are executed all the time: parsed and planned once in each connection."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor: Any = base.ServerBindingCursor
            return self._prepare_cursor(cursor(self.connection))  # type: ignore[attr-defined] # not in the stubs

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
