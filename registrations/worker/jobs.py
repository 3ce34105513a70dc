"""Long acts: done at once when they are short, by a worker when they are not; either way by the same function.

A page of the desk says `Job(kind=…, parameters=…)`. The function that does a kind's work is named with `work`; what is
one transaction stays one, with the end of the job in it; what goes person by person writes down each in the
transaction that deals with them. So a killed worker has done an act wholly, not at all, or up to a known person.
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

SQLITE_AWAY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN}


class Refused(Exception):
    """The act cannot be done; the sentence says why, to the organiser."""


class Work(NamedTuple):
    do: Callable[[Job], Outcome]
    short: int  # with at most so many people, it is done while the page is awaited (about two seconds)
    is_one_transaction: bool
    note: Callable[[Job], None] | None = None  # in the audit log: what was done of one that has stopped half-way

    def transaction(self) -> AbstractContextManager[Any]:
        return transaction.atomic() if self.is_one_transaction else nullcontext()


WORKS: dict[str, Work] = {}


def work(
    kind: Job.Kind, *, short: int, is_one_transaction: bool, note: Callable[[Job], None] | None = None
) -> Callable[[Callable[[Job], Outcome]], Callable[[Job], Outcome]]:
    def named(do: Callable[[Job], Outcome]) -> Callable[[Job], Outcome]:
        WORKS[kind] = Work(do, short, is_one_transaction, note)
        return do

    return named


def is_short(job: Job) -> bool:
    return job.total <= WORKS[job.kind].short


def perform(job: Job) -> Outcome:
    """Do it here and now. Raises Refused."""
    of_kind = WORKS[job.kind]
    try:
        with of_kind.transaction():
            outcome = of_kind.do(job)
            job.finish(outcome)
    except (OperationalError, InterfaceError):
        raise  # who goes on notes it
    except Exception:
        with suppress(DatabaseError, JobTakenOver):
            _note_half(job)
        raise
    return outcome


def leave_to_a_worker(job: Job) -> Job:
    """The same act asked twice is done once, as long as it is under way."""
    job.mark = job.fingerprint()
    fields = {field.attname: getattr(job, field.attname) for field in Job._meta.fields if field.attname != "id"}
    kept, _is_new = Job.objects.under_way().get_or_create(mark=job.mark, defaults=fields)
    return kept


def run(job: Job) -> None:
    """A worker's part: do it as the person who asked for it, and write down how it ended."""
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
        raise  # the database is away: the job is given back, and tried again
    except Exception:
        logger.exception("Operation %s failed", job.pk)
        _stop(job, _("Something unexpected happened. Start it again; if it stops once more, tell the operator."))


def is_outage(error: OperationalError | InterfaceError) -> bool:
    """Whether the database itself was away or locked; else it has refused one statement, and will again."""
    if connection.vendor == "sqlite":
        return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF in SQLITE_AWAY
    return not connection.is_usable()


@transaction.atomic
def _stop(job: Job, reason: str) -> None:
    """What was done before stays done, and the audit log says so. Raises JobTakenOver."""
    job.refresh_from_db(fields=["done", "count", "detail"])
    _note_half(job)
    job.fail(reason)


@transaction.atomic
def _note_half(job: Job) -> None:
    note = WORKS[job.kind].note
    if note and job.count:
        with audit.acting(get_user_model()(pk=job.asked_by)):
            note(job)


def start_again(job: Job, *, by: int) -> bool:
    """One that has stopped, in the name of who says so now; what was done stays done.

    False when the same was asked anew, and is under way.
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
    """Do it to all not dealt with yet, each in a transaction that also keeps how far one has come.

    `do` answers False where there was nothing to do; returns to how many there was, since the job began. Where it
    fails the others are dealt with, and `job.skipped` tells with whom it did.
    """
    for number in range(job.done, len(rows)):
        began, before = time.monotonic(), job.count
        try:
            with transaction.atomic():
                found = do(rows[number]) is not False
                job.advance(done=number + 1, count=before + found)
        except (JobTakenOver, Refused, OperationalError, InterfaceError):
            job.done, job.count = number, before  # as in the database: this one is dealt with by who goes on
            raise
        except Exception as error:
            logger.error("Operation %s: number %s passed over: %s", job.pk or "at once", number + 1, _where(error))
            job.skip(rows[number], done=number + 1, count=before)
        progress.report(number + 1, len(rows), words)
        if number + 1 < len(rows):
            write_queue.pause_for_other_writers(since=began)
    return job.count


def _where(error: Exception) -> str:
    """Without its words, which may name a person."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, {last.filename}:{last.lineno}"


def give_back_lost(*, silent_too: bool = True) -> None:
    """Those of dead workers of this machine, and of those not heard of for minutes."""
    silent = set(Job.objects.unresponsive().values_list("pk", flat=True)) if silent_too else set()
    for job in Job.objects.running().defer("document", "parameters"):
        if job.pk in silent or liveness.is_dead(job.worker):
            logger.warning("Operation %s: its worker was lost", job.pk)
            give_back(job)


def give_back(job: Job, *, counts: bool = True) -> None:
    """To the next worker, or to nobody when several were lost with it; unless it has ended meanwhile.

    `counts`: its process died. One that was asked to end, or whose database was away, may be tried for ever.
    """
    try:
        if counts and job.attempts >= ATTEMPTS_MAX:
            _stop(job, str(_("The worker was lost with it several times. Tell the operator.")))
        else:
            job.release(counts=counts)
    except JobTakenOver:
        logger.info("Operation %s has ended", job.pk)


def throw_old_away() -> None:
    old = Job.objects.old().only("pk")
    for job in old:
        job.delete_progress()
        job.delete()
