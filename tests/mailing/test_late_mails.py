"""Mails that are tried again and again are late all the same, and leave at once when the obstacle is gone."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from registrations.mailing import outbox
from registrations.models import Delivery, WorkerPresence
from registrations.monitoring import metrics, status
from registrations.statistics import dashboard
from registrations.worker.worker import MailWorker
from tests.mailing.queued_mails import MINUTE, enqueue
from tests.smtp import Handler, smtp_server

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=30)


def drain_for(minutes: int) -> None:
    """As a worker that is there all the time does; the clock of the test does not move."""
    WorkerPresence.objects.note("one")
    for number in range(int(minutes * MINUTE / STEP) + 1):
        with time_machine.travel(timezone.now() + number * STEP):
            outbox.drain()


def told_after(minutes: int) -> tuple[list[str], list[str]]:
    """What makes the site not ready, and what waits for somebody."""
    with time_machine.travel(timezone.now() + minutes * MINUTE):
        WorkerPresence.objects.note("one")
        return status.not_ready(), status.waits_for_somebody()


@pytest.fixture
def no_server(settings: Settings) -> None:
    with smtp_server() as (_handler, mailers):
        settings.MAILERS = mailers


@pytest.mark.usefixtures("no_server")
def test_a_closed_port_is_told_within_ten_minutes_although_each_retry_is_quick() -> None:
    for _ in range(3):
        enqueue()
    drain_for(14)
    assert not Delivery.objects.filter(send_at__lte=timezone.now() + 10 * MINUTE - timedelta(seconds=1)).exists()
    assert told_after(14) == (["The oldest mail is 14 minutes overdue."], [])
    with time_machine.travel(timezone.now() + 14 * MINUTE):
        assert "webinar_oldest_mail_due_seconds 840." in metrics.text()
        assert "webinar_mails_late 3" in metrics.text()
        assert sum(found.late for found in dashboard.problems().values()) == 3
        assert status.status().late == 3


def test_a_wrong_password_is_told_too(server: Handler) -> None:
    server.mail_from = "535 5.7.8 bad credentials"
    enqueue()
    drain_for(11)
    assert told_after(11)[0] == ["The oldest mail is 11 minutes overdue."]
    assert told_after(9)[0] == []


def test_a_full_mailbox_is_told_and_does_not_stop_the_site(server: Handler) -> None:
    server.rcpt_to = "452 4.2.2 mailbox full"
    enqueue()
    drain_for(11)
    assert told_after(11) == ([], ["Mails put off by the mailbox of their recipient for ten minutes or more: 1."])
    with time_machine.travel(timezone.now() + 11 * MINUTE):
        assert "webinar_mails_put_off 1" in metrics.text()
        assert sum(found.late for found in dashboard.problems().values()) == 1


def test_a_server_without_room_is_no_full_mailbox(server: Handler) -> None:
    server.rcpt_to = "452 4.3.1 insufficient system storage"
    enqueue()
    drain_for(11)
    assert told_after(11)[0] == ["The oldest mail is 11 minutes overdue."]


def test_a_final_failure_asks_for_attention_for_a_week(server: Handler) -> None:
    server.rcpt_to = "550 5.1.1 no such user"
    enqueue()
    outbox.drain()
    assert told_after(0) == ([], ["Mails that failed within a week: 1. The desk's list of mails says why."])
    assert status.status().attention == ["Mails that failed within a week: 1. The desk's list of mails says why."]
    assert told_after(8 * 24 * 60) == ([], [])


def test_a_mail_of_a_draft_is_never_late() -> None:
    delivery = enqueue()
    event = delivery.related_event
    assert event
    event.status = event.Status.DRAFT
    event.save()
    drain_for(11)
    assert told_after(11)[0] == []


def test_the_first_success_after_an_outage_makes_all_the_others_due_at_once(
    server: Handler, settings: Settings
) -> None:
    works = settings.MAILERS
    waiting = [enqueue() for _ in range(3)]
    with smtp_server() as (_handler, mailers):
        settings.MAILERS = mailers
    drain_for(14)
    settings.MAILERS = works
    with time_machine.travel(timezone.now() + 14 * MINUTE):
        new = enqueue()
        outbox.drain()
        assert set(Delivery.objects.values_list("state", "owed_since", "obstacle")) == {("sent", None, "")}
    assert len(server.mails) == len([*waiting, new])


def test_a_password_that_was_put_right_lets_all_mails_leave_when_the_worker_starts(server: Handler) -> None:
    server.mail_from = "530 5.7.0 authentication required"
    for _ in range(3):
        enqueue()
    drain_for(14)
    server.mail_from = "250 OK"
    with time_machine.travel(timezone.now() + 14 * MINUTE):
        worker = MailWorker("one")
        worker.running = False
        worker.next_housekeeping = float("inf")
        worker.work()
        outbox.drain()
        assert set(Delivery.objects.values_list("state", "obstacle")) == {("sent", "")}


def test_after_an_outage_a_mail_that_may_have_left_and_a_full_mailbox_wait_as_before(server: Handler) -> None:
    later = timezone.now() + 9 * MINUTE
    owed = {"state": "pending", "attempts": 1, "owed_since": timezone.now() - MINUTE, "send_at": later}
    kept = [enqueue(obstacle=obstacle, **owed) for obstacle in ("mail", "recipient")]
    enqueue()
    outbox.drain()
    for delivery in kept:
        delivery.refresh_from_db()
        assert delivery.send_at == later
