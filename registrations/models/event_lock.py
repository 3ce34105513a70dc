"""Locks on an event and on what belongs to it, held until the transaction ends.

Locks are taken in this order everywhere, so that two transactions never wait for each other:

1. the event, `joined` by a sign-up or `locked` by everything else; several events in the order of their numbers;
2. its registrations;
3. the counts of mails, of the mailbox and then of the event (`rate_limits.mail_due`).

A `joined` event can be joined by other sign-ups at the same time; nobody locks it meanwhile. On PostgreSQL both wait
in one queue: once a transaction waits to lock the event, later sign-ups wait behind it. So a stream of sign-ups does
not keep an organiser waiting. SQLite lets one transaction write at a time, and needs none of this.

Rows are locked FOR NO KEY UPDATE. At its COMMIT, a transaction that added a mail asks for a KEY SHARE of the mail's
event and registration, whoever has locked them: FOR UPDATE would make it wait, against the order above.
"""

from typing import Any, cast

from django.apps import apps
from django.db import connection, models

from registrations.models.prepared import Parameter, PreparedQuery, rows_of

# The two keys of PostgreSQL's advisory locks (section 13.3.5 of its manual) are one of these and an event's number.
# Unlike locks on rows, advisory locks are granted in the order in which they were requested.
EVENTS, SEATS = 0x6576656E, 0x73656174


class LocksEvents[Row: models.Model](models.QuerySet[Row]):
    """For the QuerySet of events. Both methods return the event as it is once the lock is held."""

    def locked(self, event: Row) -> Row:
        """Lock the event alone: one transaction at a time decides on seats and dates. Raises Event.DoesNotExist."""
        locked: Row = _LOCKED.get(pk=event.pk)
        return locked

    def joined(self, event: Row) -> Row:
        """Share the event with other sign-ups; where seats are limited, one sign-up at a time goes on.

        Raises Event.DoesNotExist.
        """
        joined: Any = _JOINED.get(pk=event.pk)
        if joined.capacity is not None and connection.vendor == "postgresql":
            rows_of("SELECT 1 FROM pg_advisory_xact_lock(%s, %s::int)", [SEATS, joined.pk])
        return cast(Row, joined)


class LocksRows[Row: models.Model](models.QuerySet[Row]):
    """Of the QuerySet of a model whose rows belong to an event."""

    def locked(self, row: Row) -> Row:
        """The row as it is once its lock is held, with its event, which is not locked. Raises DoesNotExist."""
        return self.select_for_update(of=("self",), no_key=True).select_related("event").get(pk=row.pk)


class _Locking(Parameter):
    """The number of an event. PostgreSQL calls `function`, which takes the advisory lock, before it reads the row."""

    def __init__(self, function: str) -> None:
        super().__init__("pk", models.BigAutoField())
        self.function = function

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return f"(SELECT %s::bigint FROM {self.function}({EVENTS}, %s::int))", (self, self)  # noqa: S608 - our own names


def _events() -> Any:
    return apps.get_model("registrations", "Event").objects  # its module imports this one


# The row is locked as well: a transaction that waited reads it as it is then.
_LOCKED = PreparedQuery[Any](
    lambda: _events().select_for_update(no_key=True).filter(pk=_Locking("pg_advisory_xact_lock"))
)
_JOINED = PreparedQuery[Any](lambda: _events().filter(pk=_Locking("pg_advisory_xact_lock_shared")), share_lock=True)
