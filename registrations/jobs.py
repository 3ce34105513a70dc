"""Long acts: done at once when they are short, by a worker when they are not; either way by the same function.

A page of the desk says `Job(kind=…, parameters=…)`. The function that does a kind's work is named with `work`; what is
one transaction stays one, with the end of the job in it; what goes person by person writes down each in the
transaction that deals with them. So a killed worker has done an act wholly, not at all, or up to a known person.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from registrations import audit, lifeline, progress, turns
from registrations.models import Job
from registrations.models.job import NoLongerOurs, Outcome

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The act cannot be done; the sentence says why, to the organiser."""


class Work(NamedTuple):
    do: Callable[[Job], Outcome]
    short: int  # with at most so many people, it is done while the page is awaited (about two seconds)
    is_one_transaction: bool

    def transaction(self) -> AbstractContextManager[Any]:
        return transaction.atomic() if self.is_one_transaction else nullcontext()


WORKS: dict[str, Work] = {}


def work(
    kind: Job.Kind, *, short: int, is_one_transaction: bool
) -> Callable[[Callable[[Job], Outcome]], Callable[[Job], Outcome]]:
    def named(do: Callable[[Job], Outcome]) -> Callable[[Job], Outcome]:
        WORKS[kind] = Work(do, short, is_one_transaction)
        return do

    return named


def is_short(job: Job) -> bool:
    return job.total <= WORKS[job.kind].short


def perform(job: Job) -> Outcome:
    """Do it here and now. Raises Refused."""
    of_kind = WORKS[job.kind]
    with of_kind.transaction():
        outcome = of_kind.do(job)
        job.finish(outcome)
    return outcome


def leave_to_a_worker(job: Job) -> Job:
    """The same act asked twice is done once, as long as it is under way."""
    job.mark = job.marked()
    fields = {field.attname: getattr(job, field.attname) for field in Job._meta.fields if field.attname != "id"}
    kept, _is_new = Job.objects.under_way().get_or_create(mark=job.mark, defaults=fields)
    return kept


def run(job: Job) -> None:
    """A worker's part: do it as the person who asked for it, and write down how it ended."""
    account = get_user_model().objects.filter(pk=job.asked_by, is_active=True).first()
    try:
        if account is None or not account.has_perm(job.permission):
            raise Refused(_("Who asked for this may not do it any more."))
        with audit.acting(account), progress.told_to(job.note_steps):
            perform(job)
    except NoLongerOurs:
        logger.warning("Operation %s: taken over by another worker", job.pk)
        return
    except Refused as reason:
        job.fail(str(reason))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the job is given back, and tried again
    except Exception:
        logger.exception("Operation %s failed", job.pk)
        job.fail(_("Something unexpected happened. Start it again; if it stops once more, tell the operator."))
    job.forget_steps()


def start_again(job: Job) -> bool:
    """Of one that has stopped: what was done stays done. False when the same was asked anew, and is under way."""
    stopped = Job.objects.filter(pk=job.pk, state=Job.State.FAILED)
    try:
        with transaction.atomic():
            stopped.update(state=Job.State.WAITING, attempts=0, error="", worker="", ended_at=None)
    except IntegrityError:
        return False
    return True


def each[T](job: Job, rows: Sequence[T], do: Callable[[T], bool | None], words: Any = "") -> int:
    """Do it to all not dealt with yet, each in a transaction that also keeps how far one has come.

    `do` answers False where there was nothing to do; returns to how many there was, since the job began.
    """
    for number in range(job.done, len(rows)):
        with transaction.atomic():
            found = do(rows[number]) is not False
            job.advance(done=number + 1, count=job.count + found)
        progress.report(number + 1, len(rows), words)
        turns.let_others_write()
    return job.count


def give_back_lost() -> None:
    """Those of dead workers of this machine, and of those not heard of for minutes."""
    silent = set(Job.objects.silent().values_list("pk", flat=True))
    for job in Job.objects.running().defer("document", "parameters"):
        if job.pk in silent or lifeline.is_dead(job.worker):
            logger.warning("Operation %s: its worker was lost", job.pk)
            give_back(job)


def give_back(job: Job) -> None:
    """Unless it has ended meanwhile."""
    try:
        job.give_back()
    except NoLongerOurs:
        logger.info("Operation %s has ended", job.pk)


def throw_old_away() -> None:
    old = Job.objects.old().only("pk")
    for job in old:
        job.forget_steps()
        job.delete()
