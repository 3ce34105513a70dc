"""Background jobs: run at once when they are short, by a worker when they are long, with the same function.

An admin page makes a `Job(kind=…, parameters=…)`; the function that executes a kind is registered with `handler`.
Either the whole job is one transaction, which also marks it as done, or each row is a transaction, which also records
the progress. So after a crash a job is done completely, not at all, or up to a known row.
"""

import logging
import sqlite3
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from registrations.models import Job
from registrations.models.job import ATTEMPTS_MAX, JobTakenOver, Outcome
from registrations.runtime import liveness, progress, write_queue
from registrations.security import audit

logger = logging.getLogger(__name__)

SQLITE_OUTAGE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN}


class Refused(Exception):
    """The job cannot be executed; the message tells the organiser why."""


class Handler(NamedTuple):
    do: Callable[[Job], Outcome]
    short: int  # up to this many rows, the job is run in the request (about two seconds)
    is_one_transaction: bool
    note: Callable[[Job], None] | None = None  # writes to the audit log what was done before the job stopped

    def transaction(self) -> AbstractContextManager[Any]:
        return transaction.atomic() if self.is_one_transaction else nullcontext()


HANDLERS: dict[str, Handler] = {}


def handler(
    kind: Job.Kind, *, short: int, is_one_transaction: bool, note: Callable[[Job], None] | None = None
) -> Callable[[Callable[[Job], Outcome]], Callable[[Job], Outcome]]:
    def register(do: Callable[[Job], Outcome]) -> Callable[[Job], Outcome]:
        HANDLERS[kind] = Handler(do, short, is_one_transaction, note)
        return do

    return register


def is_short(job: Job) -> bool:
    return job.total <= HANDLERS[job.kind].short


def perform(job: Job) -> Outcome:
    """Execute the job in this process. Raises Refused."""
    of_kind = HANDLERS[job.kind]
    try:
        with of_kind.transaction():
            outcome = of_kind.do(job)
            job.finish(outcome)
    except (OperationalError, InterfaceError):
        raise  # the job is resumed later, and audited when it ends
    except Exception:
        with suppress(DatabaseError, JobTakenOver):
            _audit_partial(job)
        raise
    return outcome


def enqueue(job: Job) -> Job:
    """Save the job for a worker. When the same job waits or runs already, return that one instead."""
    job.mark = job.fingerprint()
    fields = {field.attname: getattr(job, field.attname) for field in Job._meta.fields if field.attname != "id"}
    saved, _is_new = Job.objects.under_way().get_or_create(mark=job.mark, defaults=fields)
    return saved


def run(job: Job) -> None:
    """Execute a claimed job in the name of the account that asked for it, and save its result."""
    try:
        _run(job)
    except JobTakenOver:
        logger.warning("Operation %s: taken over by another worker, or called off", job.pk)
    else:
        job.delete_progress()


def _run(job: Job) -> None:
    account = get_user_model().objects.filter(pk=job.asked_by, is_active=True).first()
    try:
        if account is None or not account.has_perm(job.permission):
            raise Refused(_("Who asked for this may not do it any more."))
        with audit.acting(account), progress.reported_to(job.write_progress):
            perform(job)
    except JobTakenOver:
        raise
    except Refused as reason:
        _stop(job, str(reason))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the job is released and tried again
    except Exception:
        logger.exception("Operation %s failed", job.pk)
        _stop(job, _("Something unexpected happened. Start it again; if it stops once more, tell the operator."))


def is_outage(error: OperationalError | InterfaceError) -> bool:
    """Whether the database was unreachable or locked. Otherwise it has refused a statement: no retry helps."""
    if connection.vendor == "sqlite":
        return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF in SQLITE_OUTAGE
    return not connection.is_usable()


@transaction.atomic
def _stop(job: Job, reason: str) -> None:
    """Mark the job as failed. Rows done before stay done, and are audited. Raises JobTakenOver."""
    job.refresh_from_db(fields=["done", "count", "detail"])
    _audit_partial(job)
    job.fail(reason)


@transaction.atomic
def _audit_partial(job: Job) -> None:
    note = HANDLERS[job.kind].note
    if note and job.count:
        with audit.acting(get_user_model()(pk=job.asked_by)):
            note(job)


def restart(job: Job, *, by: int) -> bool:
    """Let workers resume a failed job, in the name of the account `by`. Rows done before are not repeated.

    False when the same job was asked for again and is under way.
    """
    if Job.objects.under_way().filter(mark=job.mark).exists():
        return False
    job.asked_by = by
    stopped = Job.objects.filter(pk=job.pk, state=Job.State.FAILED)
    fresh = {"state": Job.State.WAITING, "attempts": 0, "error": "", "worker": "", "ended_at": None}
    try:
        with transaction.atomic():
            stopped.update(**fresh, asked_by=by, mark=job.fingerprint())
    except IntegrityError:
        return False
    return True


def each[T](job: Job, rows: Sequence[T], do: Callable[[T], bool | None], words: Any = "") -> int:
    """Apply `do` to each remaining row. Each row and the job's progress are committed together.

    So a restart resumes at the right row. `do` returns False when there was nothing to change. A row for which `do`
    raises is added to `job.skipped`, and the others go on. Returns the number of rows changed since the job began.
    """
    for number in range(job.done, len(rows)):
        began, before = time.monotonic(), job.count
        try:
            with transaction.atomic():
                is_changed = do(rows[number]) is not False
                job.advance(done=number + 1, count=before + is_changed)
        except (JobTakenOver, Refused, OperationalError, InterfaceError):
            job.done, job.count = number, before  # as in the database: the row is repeated when the job is resumed
            raise
        except Exception as error:
            logger.error("Operation %s: number %s passed over: %s", job.pk or "at once", number + 1, _where(error))
            job.skip(rows[number], done=number + 1, count=before)
        progress.report(number + 1, len(rows), words)
        if number + 1 < len(rows):
            write_queue.pause_for_other_writers(since=began)
    return job.count


def _where(error: Exception) -> str:
    """Type and place of an error, without its message, which may name a person."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, {last.filename}:{last.lineno}"


def release_lost(*, timeouts: bool = True) -> None:
    """Release the jobs of ended workers of this machine and, if `timeouts`, of workers without a heartbeat."""
    unresponsive = set(Job.objects.unresponsive().values_list("pk", flat=True)) if timeouts else set()
    for job in Job.objects.running().defer("document", "parameters"):
        if job.pk in unresponsive or liveness.is_dead(job.worker):
            logger.warning("Operation %s: its worker was lost", job.pk)
            release(job)


def release(job: Job, *, counts: bool = True) -> None:
    """Let another worker resume the job, or mark it as failed after ATTEMPTS_MAX counted attempts.

    `counts`: the process was killed or failed. Attempts that were stopped, or that lost the database, do not count.
    """
    try:
        if counts and job.attempts >= ATTEMPTS_MAX:
            _stop(job, str(_("The worker was lost with it several times. Tell the operator.")))
        else:
            job.release(counts=counts)
    except JobTakenOver:
        logger.info("Operation %s has ended", job.pk)


def delete_old() -> None:
    for job in Job.objects.old().only("pk"):
        job.delete_progress()
        job.delete()
