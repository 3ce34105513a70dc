"""Django's PostgreSQL backend with an end to each wait.

A server that hangs, frozen or behind a cut cable, answers nothing and closes nothing. Its own time-outs do not run
then, and without one of ours each request keeps its thread until no page of the site answers. The option
`answer_within` (seconds) of DATABASES limits each statement, COMMIT included, and so its wait for a lock.
"""

import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base

AWAY_FOR = 2.0  # seconds after a wait that was given up in which no request tries again


class DatabaseWrapper(base.DatabaseWrapper):
    away_until = 0.0  # on the monotonic clock, for all threads of the process

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        params = dict(conn_params)
        limit = params.pop("answer_within", None)
        if limit is None:
            return super().get_new_connection(params)
        if time.monotonic() < DatabaseWrapper.away_until:
            raise psycopg.OperationalError("the database did not answer a moment ago")
        try:
            connection = super().get_new_connection({"connect_timeout": limit, **params})
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


def _is_away() -> None:
    DatabaseWrapper.away_until = time.monotonic() + AWAY_FOR
