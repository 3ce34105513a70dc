"""A clock that is wrong, or a site that was off for long, erases nobody and loses no reminder."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import ProgrammingError
from django.test import Client
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from pytest_django import Settings

from registrations.domain import signup
from registrations.mailing import clock_set_back, outbox
from registrations.models import AnonymousRegistration, AuditEntry, Delivery, Registration, WorkerPresence, clock_mark
from registrations.monitoring import status
from registrations.worker import housekeeping
from registrations.worker.worker import HOUSEKEEPING_PUT_OFF, MailWorker
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
IN_2038 = timezone.now().replace(year=2038)


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def people() -> None:
    event = make_event(starts_in=7 * DAY)
    for _ in range(3):
        make_registration(event)


def said(*command: str) -> str:
    told = StringIO()
    call_command(*command, stdout=told)
    return told.getvalue()


def test_one_start_with_the_clock_in_2038_erases_nobody_and_is_told(admin_client: Client) -> None:
    people()
    housekeeping.purge()  # an ordinary day
    with time_machine.travel(IN_2038):
        housekeeping.purge()
        assert Registration.objects.count() == 3
        (told,) = status.waits_for_somebody()
        assert told.startswith("The purge waits. ")
        assert "2038-" in told
        with pytest.raises(CommandError, match="2038-"):
            call_command("purge")
        assert "2038-" in said("purge", "--dry-run")
    assert status.waits_for_somebody() == []  # the clock is right again: nothing to confirm
    housekeeping.purge()
    assert Registration.objects.count() == 3


def test_a_wrong_clock_removes_nothing_from_the_audit_log() -> None:
    people()
    housekeeping.run()  # an ordinary day
    entry = AuditEntry.objects.create(action=AuditEntry.Action.LOGGED_IN)
    with time_machine.travel(IN_2038):
        housekeeping.run()
    assert list(AuditEntry.objects.all()) == [entry]


def test_mails_leave_though_the_database_refuses_the_housekeeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the audit log does on a server for whose clock nothing is old yet."""
    signup.register(make_event(report=False), language="fr", **answers())
    worker = MailWorker("one")
    worker.next_housekeeping -= 2 * HOUSEKEEPING_PUT_OFF
    monkeypatch.setattr(housekeeping, "run", refused)
    monkeypatch.setattr(Worker, "run", lambda worker: outbox.drain())  # without its end of connections
    with pytest.raises(ProgrammingError):
        worker.work()
    worker.work()
    assert Delivery.objects.filter(kind__startswith="confirmation").get().state == "sent"


def refused() -> None:
    raise ProgrammingError("The audit log is not changed, and kept for a year.")


def test_a_site_that_has_never_noted_its_clock_compares_it_with_its_newest_row() -> None:
    people()
    with time_machine.travel(IN_2038):
        housekeeping.purge()
    assert Registration.objects.count() == 3
    housekeeping.purge()
    assert status.waits_for_somebody() == []


def test_a_sign_up_under_the_wrong_clock_does_not_vouch_for_it() -> None:
    people()
    with time_machine.travel(IN_2038):
        make_registration(make_event(starts_in=7 * DAY))
        housekeeping.purge()
    assert Registration.objects.count() == 4


def test_a_clock_that_runs_backwards_is_told() -> None:
    people()
    housekeeping.purge()
    with time_machine.travel(timezone.now() - 2 * DAY):
        assert "déjà" in clock_mark.doubt()
        housekeeping.purge()
        assert status.waits_for_somebody()


def test_after_a_long_pause_the_operator_says_that_the_clock_is_right() -> None:
    people()
    housekeeping.purge()
    with time_machine.travel(timezone.now() + 400 * DAY):
        housekeeping.purge()
        assert Registration.objects.count() == 3
        assert "anonymous: 3" in said("purge", "--confirm")
        assert (Registration.objects.count(), AnonymousRegistration.objects.count()) == (0, 3)
        assert status.waits_for_somebody() == []


def test_a_week_without_the_site_is_no_long_pause() -> None:
    housekeeping.purge()
    with time_machine.travel(timezone.now() + 6 * DAY):
        assert clock_mark.doubt() == ""


def test_most_people_of_several_events_at_once_are_asked_about_and_those_of_one_event_are_not() -> None:
    for _ in range(2):
        event = make_event(starts_in=-90 * DAY, retention_months=1)
        for _ in range(15):
            make_registration(event, created_at=timezone.now() - 100 * DAY)
    clock_mark.move_on()
    housekeeping.purge()
    assert Registration.objects.count() == 30
    assert "30 of 30 registrations" in status.waits_for_somebody()[0]
    event.registrations.all().delete()
    housekeeping.purge()
    assert Registration.objects.count() == 0
    assert status.waits_for_somebody() == []


def test_the_desk_says_that_the_purge_waits(admin_client: Client) -> None:
    people()
    housekeeping.purge()
    with time_machine.travel(timezone.now() - 2 * DAY):
        WorkerPresence.objects.note("one")
        page = admin_client.get("/admin/")
    assert "L’horloge de cette machine indique" in page.text
    assert "Prévenez-la" in page.text


def test_a_reminder_neither_leaves_nor_is_given_up_by_a_clock_in_doubt() -> None:
    registration = make_registration(make_event(starts_in=7 * DAY, report=False))
    reminder = Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_DAY, not_after=timezone.now() + 7 * DAY)
    clock_mark.move_on()
    with time_machine.travel(IN_2038):
        outbox.drain()
    reminder.refresh_from_db()
    assert (reminder.state, reminder.attempts) == ("pending", 1)
    clock_set_back.put_right()
    outbox.drain()
    reminder.refresh_from_db()
    assert reminder.state == "sent"


def test_a_confirmation_of_2038_leaves_once_the_clock_is_right() -> None:
    with time_machine.travel(IN_2038):
        signup.register(make_event(report=False), language="fr", **answers())
        WorkerPresence.objects.note("one")
    clock_set_back.put_right()
    outbox.drain()
    assert Delivery.objects.filter(kind__startswith="confirmation").get().state == "sent"
    assert not WorkerPresence.objects.exists()


def test_a_reminder_tried_in_2038_still_waits_for_its_hour_and_for_that_of_a_new_date() -> None:
    registration = make_registration(make_event(starts_in=7 * DAY, report=False))
    hour = timezone.now() + 6 * DAY
    reminder = Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_DAY, send_at=hour)
    clock_mark.move_on()
    with time_machine.travel(IN_2038):
        outbox.drain()
    clock_set_back.put_right()
    reminder.refresh_from_db()
    assert reminder.send_at == hour
    Delivery.objects.update(send_at=hour + DAY, error="")  # as an event that moves does
    clock_set_back.put_right()
    reminder.refresh_from_db()
    assert reminder.send_at == hour + DAY


def test_a_worker_looks_at_the_clock_at_its_start_and_when_it_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr(clock_set_back, "put_right", lambda: looks.append("put right"))
    worker = MailWorker("one")
    worker.next_housekeeping = float("inf")
    for moment in (timezone.now(), timezone.now() + DAY, timezone.now()):
        worker.next_sweep = min(worker.next_sweep, 1)
        with time_machine.travel(moment):
            worker.work()
    assert looks == ["put right", "put right"]
