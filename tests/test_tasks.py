"""Wake-ups that the release before left in the task table."""

import pytest
from django_tasks_db.models import DBTaskResult

from registrations.mailing import wakeups
from registrations.models import Delivery
from registrations.worker.worker import MailWorker
from tests.factories import make_event, make_registration


@pytest.mark.django_db
def test_a_wake_up_of_the_release_before_is_understood() -> None:
    mail = Delivery.objects.enqueue(make_registration(make_event(report=False)), Delivery.Kind.UPDATED)
    wakeups.send_due_mail.enqueue()
    DBTaskResult.objects.update(task_path="registrations.tasks.send_due_mail")
    task = DBTaskResult.objects.get()
    task.claim("a worker")
    MailWorker("a worker").run_task(task)
    mail.refresh_from_db()
    assert (task.status, mail.state) == ("SUCCESSFUL", "sent")
