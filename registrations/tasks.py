"""Background work for django.tasks. A task is only a wake-up: it may come twice, late or never.

The truth is in the Delivery table. `sweep` makes up for every wake-up that was lost.
"""

import threading

from django.tasks import task
from django_tasks_db.models import DBTaskResult

from registrations.models import Delivery

WAKE_UPS_AT_MOST = 4

stopping = threading.Event()  # set when this process is asked to end: the mail in hand is the last one


@task
def send_due_mail() -> None:
    from registrations import (
        outbox,
    )  # here: the web process enqueues this task, and must not load what builds a mail

    outbox.drain(stop=stopping.is_set)


def sweep() -> None:
    """Wake the workers up for whatever is due: first tries, retries, reminders, expired leases, lost wake-ups."""
    due = Delivery.objects.due()[:WAKE_UPS_AT_MOST].count()
    waiting = DBTaskResult.objects.ready().filter(task_path=send_due_mail.module_path)[:WAKE_UPS_AT_MOST].count()
    for _ in range(due - waiting):
        send_due_mail.enqueue()
