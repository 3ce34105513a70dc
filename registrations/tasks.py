"""Background work for django.tasks. A task is only a wake-up: it may come twice, late or never.

The truth is in the Delivery table. `sweep` makes up for every wake-up that was lost.
"""

import threading
import time
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from registrations import counting, lifeline
from registrations.models import AuditEntry, Delivery, Hit, WorkerPresence
from registrations.models.live_tally import fold_tallies
from registrations.models.prepared import PreparedQuery

WAKE_UPS_AT_MOST = 4
MANY = 20  # mails
DRAIN_AT_MOST = 10  # seconds: under a load that does not end, the sweep has its turn too, and wakes up for the rest
TASK_ROWS_KEPT = 1  # days

stopping = threading.Event()  # set when this process is asked to end: the mail in hand is the last one
worker_name = ""  # of this process, when it is a worker


@task
def send_due_mail() -> None:
    # here, because the web process enqueues this task and must not load what builds a mail
    from registrations import outbox

    if Delivery.objects.due()[:MANY].count() == MANY:  # another worker may help
        with transaction.atomic():
            wake_up()
    ends_at = time.monotonic() + DRAIN_AT_MOST
    outbox.drain(holder=worker_name, stop=lambda: stopping.is_set() or time.monotonic() >= ends_at)


def wake_up() -> None:
    """Have the mails that this transaction owes sent right after it. Call it last in the transaction.

    One wake-up is enough for many mails: one that waits already is held until the commit, so that whoever takes it
    then finds these mails too.
    """
    if not _HELD.count():
        send_due_mail.enqueue()


def _waiting() -> Any:
    return DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=send_due_mail.module_path).order_by()


_HELD = PreparedQuery(lambda: _waiting().select_for_update(skip_locked=True)[:1])


def sweep() -> None:
    """Wake the workers up for whatever is due: first tries, retries, reminders, expired leases, lost wake-ups."""
    fold_tallies()
    if connection.vendor == "postgresql":
        connection.analyse_what_has_grown()  # type: ignore[attr-defined] # of webinar.postgresql
    for holder in Delivery.objects.holders():
        if holder and lifeline.is_dead(holder):
            Delivery.objects.free(holder)
    due = Delivery.objects.due()[:WAKE_UPS_AT_MOST].count()
    for _ in range(due - _waiting()[:WAKE_UPS_AT_MOST].count()):
        send_due_mail.enqueue()


def keep_house() -> None:
    """Throw away finished wake-ups, expired sessions, workers of the past, old counts and a log older than a year."""
    lifeline.forget(but=Delivery.objects.holders())
    call_command("prune_db_task_results", min_age_days=TASK_ROWS_KEPT, verbosity=0)
    call_command("clearsessions")
    counting.fill_search()
    Hit.objects.old().delete()
    AuditEntry.objects.old().delete()
    WorkerPresence.objects.exclude(pk__in=WorkerPresence.objects.seen_lately()).delete()
