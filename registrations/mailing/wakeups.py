"""Wake-ups for workers: tasks of django.tasks without arguments, which may run twice, late or never.

The mails to send are in the Delivery table. `sweep` replaces lost wake-ups.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from django.tasks import TaskContext, TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from registrations.models import Delivery
from registrations.models.prepared import PreparedQuery, analyse_grown_tables
from registrations.runtime import liveness

WAKE_UPS_AT_MOST = 4
MANY = 20  # mails
DRAIN_AT_MOST = 10  # seconds, so that the sweep also runs under constant load; it wakes a worker up for the rest

_asked_to_stop: ContextVar[Callable[[], bool]] = ContextVar("asked_to_stop", default=lambda: False)


@contextmanager
def stopping_when(asked_to_stop: Callable[[], bool]) -> Iterator[None]:
    """Inside the block, no further mail is claimed once `asked_to_stop()` is true."""
    token = _asked_to_stop.set(asked_to_stop)
    try:
        yield
    finally:
        _asked_to_stop.reset(token)


@task(takes_context=True)
def send_due_mail(context: "TaskContext[..., None]") -> None:
    """The task behind a wake-up. The last of `worker_ids` is the worker that runs it."""
    send_for_a_while(holder=context.task_result.worker_ids[-1])


def send_for_a_while(*, holder: str = "") -> None:
    """Send due mails for ten seconds at most. If many are due, wake another worker up."""
    # here: the web process imports this module to enqueue the task, and must not load the composer
    from registrations.mailing import outbox

    if Delivery.objects.due()[:MANY].count() == MANY:
        with transaction.atomic():
            wake_up()
    asked_to_stop, ends_at = _asked_to_stop.get(), time.monotonic() + DRAIN_AT_MOST
    outbox.drain(holder=holder, stop=lambda: asked_to_stop() or time.monotonic() >= ends_at)


def wake_up() -> None:
    """Have the mails of this transaction sent right after its commit. Call it last in the transaction.

    One wake-up is enough for many mails. If one is waiting, it is locked until the commit, so that the worker that
    takes it afterwards finds these mails too.
    """
    if not _WAITING_LOCKED.count():
        send_due_mail.enqueue()


def _waiting() -> Any:
    return DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=send_due_mail.module_path).order_by()


_WAITING_LOCKED = PreparedQuery(lambda: _waiting().select_for_update(skip_locked=True)[:1])


def sweep() -> None:
    """Wake workers up for all due mails: first tries, retries, reminders, expired leases, lost wake-ups."""
    analyse_grown_tables()
    for holder in Delivery.objects.holders():
        if holder and liveness.is_dead(holder):
            Delivery.objects.free(holder)
    due = Delivery.objects.due()[:WAKE_UPS_AT_MOST].count()
    for _ in range(due - _waiting()[:WAKE_UPS_AT_MOST].count()):
        send_due_mail.enqueue()
