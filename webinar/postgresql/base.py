"""Django's PostgreSQL backend with an end to each wait.

A server that hangs, frozen or behind a cut cable, answers nothing and closes nothing. Its own time-outs do not run
then, and without one of ours each request keeps its thread until no page of the site answers. The option
`answer_within` (seconds) of DATABASES limits each statement, COMMIT included, and so its wait for a lock.

A server that is well is told a little less: it ends the statement itself, which would otherwise go on after its page
and keep its locks. The answer says what it was, and other requests are served meanwhile.
"""

import logging
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base

logger = logging.getLogger(__name__)

AWAY_FOR = 2.0  # seconds after a wait that was given up in which no request tries again
LOCK_SHARE, STATEMENT_SHARE = 0.85, 0.95  # of `answer_within`
REFUSED_BY_A_POOLER = "unsupported startup parameter"  # pgbouncer, unless `ignore_startup_parameters` has `options`


class DatabaseWrapper(base.DatabaseWrapper):
    away_until = 0.0  # on the monotonic clock, for all threads of the process
    takes_time_outs = True  # what stands between the site and the server; for all threads too

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        params = dict(conn_params)
        limit = params.pop("answer_within", None)
        if limit is None:
            return super().get_new_connection(params)
        if time.monotonic() < DatabaseWrapper.away_until:
            raise psycopg.OperationalError("the database did not answer a moment ago")
        try:
            connection = self._connected({"connect_timeout": limit, **params}, limit)
        except psycopg.errors.ConnectionTimeout:
            _is_away()
            raise
        wait = connection.wait

        def wait_within(gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return wait(gen, interval, timeout or limit)
            except psycopg.errors._WaitTimeout as error:
                connection.pgconn.finish()  # it may answer later, and must not be taken for the next answer
                _is_away()
                raise psycopg.OperationalError(f"the database did not answer within {limit} seconds") from error

        connection.wait = wait_within
        return connection

    def _connected(self, params: dict[str, Any], limit: float) -> Any:
        """A connection whose server ends long statements; without that, where a pooler does not pass it on."""
        try:
            if DatabaseWrapper.takes_time_outs:
                return super().get_new_connection({**params, "options": _time_outs(params.get("options", ""), limit)})
        except psycopg.OperationalError as error:
            if REFUSED_BY_A_POOLER not in str(error):
                raise
            logger.warning("The pooler does not pass time-outs on: a statement that is given up goes on at the server")
            DatabaseWrapper.takes_time_outs = False
        return super().get_new_connection(params)


def _time_outs(options: str, limit: float) -> str:
    """Those of the operator come last, and win."""
    lock, statement = int(limit * 1000 * LOCK_SHARE), int(limit * 1000 * STATEMENT_SHARE)
    return f"-c lock_timeout={lock} -c statement_timeout={statement} {options}".strip()


def _is_away() -> None:
    DatabaseWrapper.away_until = time.monotonic() + AWAY_FOR
