"""Wake-ups for workers, over django.tasks. A wake-up carries nothing: it may come twice, late or never.

What is owed stands in the Delivery table. `sweep` makes up for every wake-up that was lost.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction
from django.tasks import TaskContext, TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from registrations.models import Delivery
from registrations.models.live_count import merge_live_counts
from registrations.models.prepared import PreparedQuery
from registrations.runtime import liveness

WAKE_UPS_AT_MOST = 4
MANY = 20  # mails
DRAIN_AT_MOST = 10  # seconds: under constant load the sweep gets its turn too, and wakes a worker up for the rest

_asked_to_stop: ContextVar[Callable[[], bool]] = ContextVar("asked_to_stop", default=lambda: False)


@contextmanager
def stopping_when(asked_to_stop: Callable[[], bool]) -> Iterator[None]:
    """Inside the block no further mail is taken as soon as `asked_to_stop()` is true."""
    token = _asked_to_stop.set(asked_to_stop)
    try:
        yield
    finally:
        _asked_to_stop.reset(token)


@task(takes_context=True)
def send_due_mail(context: "TaskContext[..., None]") -> None:
    """The task behind a wake-up; the name of the worker that runs it is the last of its `worker_ids`."""
    send_for_a_while(holder=context.task_result.worker_ids[-1])


def send_for_a_while(*, holder: str = "") -> None:
    """Send what is due, for ten seconds at most. Many due mails wake another worker up."""
    # here, because the web process enqueues this task and must not load what builds a mail
    from registrations.mailing import outbox

    if Delivery.objects.due()[:MANY].count() == MANY:
        with transaction.atomic():
            wake_up()
    asked_to_stop, ends_at = _asked_to_stop.get(), time.monotonic() + DRAIN_AT_MOST
    outbox.drain(holder=holder, stop=lambda: asked_to_stop() or time.monotonic() >= ends_at)


def wake_up() -> None:
    """Have the mails that this transaction owes sent right after its commit. Call it last in the transaction.

    One wake-up is enough for many mails: a waiting one is locked until the commit, so that the worker which takes it
    afterwards finds these mails too.
    """
    if not _WAITING_LOCKED.count():
        send_due_mail.enqueue()


def _waiting() -> Any:
    return DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=send_due_mail.module_path).order_by()


_WAITING_LOCKED = PreparedQuery(lambda: _waiting().select_for_update(skip_locked=True)[:1])


def sweep() -> None:
    """Wake the workers up for whatever is due: first tries, retries, reminders, expired leases, lost wake-ups."""
    merge_live_counts()
    if connection.vendor == "postgresql":
        connection.analyse_what_has_grown()  # type: ignore[attr-defined] # of webinar.postgresql
    for holder in Delivery.objects.holders():
        if holder and liveness.is_dead(holder):
            Delivery.objects.free(holder)
    due = Delivery.objects.due()[:WAKE_UPS_AT_MOST].count()
    for _ in range(due - _waiting()[:WAKE_UPS_AT_MOST].count()):
        send_due_mail.enqueue()
