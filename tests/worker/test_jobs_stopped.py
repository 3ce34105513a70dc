"""Background jobs with problems: a person who fails, a worker that stops, a database outage."""

import os
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from registrations.admin.people import bulk_actions
from registrations.admin.shared import jobs as admin_jobs
from registrations.domain import erasure
from registrations.models import AuditEntry, Delivery, Job, Registration
from registrations.models.job import ATTEMPTS_MAX, HEARTBEAT_TIMEOUT
from registrations.worker import job_runner, jobs
from registrations.worker.job_runner import JobRunner
from registrations.worker.worker import MailWorker
from tests.admin_client import act, logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration
from tests.worker.queued_jobs import page_of, people, run_next_job

pytestmark = pytest.mark.django_db
State = Job.State
FAILED_FOR_ONE = (
    "1 personne n’a pas pu être traitée_: Martin Ada. Cochez-la et recommencez_; "
    "si l’échec se répète, prévenez l’exploitant·e."
)


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


class Killed(BaseException):
    """Not caught by `except Exception`, like the end of the process."""


def three_people() -> list[Registration]:
    """In the order of the admin's list: the newest first."""
    event = make_event(report=False)
    ada = make_registration(event, last_name="Martin", first_name="Ada", email="ada@example.org")
    return [make_registration(event), ada, make_registration(event, created_at=ada.created_at - timedelta(days=1))]


def fails_for(monkeypatch: pytest.MonkeyPatch, broken: Registration, error: BaseException | None = None) -> None:
    """Make the bulk action raise for this person."""
    bulk_action = bulk_actions.BULK_ACTIONS["send_again"]

    def do(registration: Registration) -> None:
        bulk_action.do(registration)
        if registration == broken:
            raise error or ValueError(f"{registration} <{registration.email}>")

    monkeypatch.setitem(bulk_actions.BULK_ACTIONS, "send_again", bulk_action._replace(do=do))


def written_to() -> list[Any]:
    return sorted(Delivery.objects.values_list("registration", flat=True))


def bulk_mails() -> list[Any]:
    found = AuditEntry.objects.filter(action=AuditEntry.Action.BULK_MAIL).order_by("pk")
    return list(found.values_list("actor", "detail"))


def plain(sentence: str) -> str:
    return sentence.replace("\u00a0", "_").replace("\u202f", "_")


# One person fails


def test_when_one_person_fails_the_others_are_done_and_the_person_is_named(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, ada, last = three_people()
    fails_for(monkeypatch, ada)
    act(organiser, "send_again", first, ada, last)
    job = run_next_job()
    assert (job.state, job.done, job.count) == (State.DONE, 3, 2)
    assert end_of(organiser, job) == [("success", "2 courriels sont en route."), ("error", FAILED_FOR_ONE)]
    assert FAILED_FOR_ONE in plain(organiser.get(page_of(job)).text)
    assert written_to() == sorted([first.pk, last.pk])
    assert bulk_mails() == [(User.objects.get().pk, {"deed": "send_again", "count": 2, "passed_over": 1})]
    assert re.search(r"Operation \d+: number \d passed over: ValueError in do, ", caplog.text)
    assert [word for word in ("Martin", "ada@") if word in caplog.text] == []


def end_of(organiser: Client, job: Job) -> list[tuple[str, str]]:
    return [(level, plain(words)) for level, words in organiser.get(page_of(job)).context["told"]]


def test_a_failed_person_who_is_erased_later_is_named_nowhere(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    fails_for(monkeypatch, ada)
    act(organiser, "send_again", first, ada, last)
    job = run_next_job()
    assert "Martin" not in str(Job.objects.values().get())
    erasure.erase(ada)
    gone = "Les personnes qui n’ont pas pu être traitées ne sont plus dans les listes."
    assert end_of(organiser, job) == [("success", "2 courriels sont en route."), ("info", gone)]


def test_a_short_job_names_the_failed_person_too(organiser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first, ada, last = three_people()
    fails_for(monkeypatch, ada)
    page = act(organiser, "send_again", first, ada, last)
    assert [plain(words) for words in messages(page)] == ["2 courriels sont en route.", FAILED_FOR_ONE]
    assert written_to() == sorted([first.pk, last.pk])


def test_when_all_fail_no_success_is_reported(organiser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    _first, ada, _last = three_people()
    fails_for(monkeypatch, ada)
    assert [plain(words) for words in messages(act(organiser, "send_again", ada))] == [FAILED_FOR_ONE]


def test_only_the_first_of_many_names_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = people(3)
    monkeypatch.setattr(admin_jobs, "NAMES_SHOWN", 2)
    [(_level, sentence)] = admin_jobs.outcome_messages(Job(detail={"passed_over": [row.pk for row in rows]}), [])
    assert f"\u202f: {rows[0]}, {rows[1]}, …. " in sentence.replace("\u00a0:", "\u202f:")


def test_a_person_who_failed_before_a_crash_is_still_named_at_the_end(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    act(organiser, "send_again", first, ada, last)
    with monkeypatch.context() as patched:
        fails_for(patched, ada)
        fails_for(patched, last, Killed())
        with pytest.raises(Killed):
            run_next_job()
    jobs.release(Job.objects.get())
    job = run_next_job()
    assert end_of(organiser, job) == [("success", "2 courriels sont en route."), ("error", FAILED_FOR_ONE)]
    assert written_to() == sorted([first.pk, last.pk])


def test_a_job_that_fails_half_way_is_audited_once_with_its_count(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    act(organiser, "send_again", first, ada, last)
    with monkeypatch.context() as patched:
        fails_for(patched, last, Killed())
        for _ in range(ATTEMPTS_MAX):
            claimed = Job.objects.claim("one")
            assert claimed
            with pytest.raises(Killed):
                jobs.run(claimed)
            jobs.release(claimed)
    me = User.objects.get().pk
    assert Job.objects.get().state == State.FAILED
    assert bulk_mails() == [(me, {"deed": "send_again", "count": 2})]
    organiser.post(page_of(Job.objects.get()))
    assert run_next_job().told == [["success", "3 courriels sont en route."]]
    assert [detail["count"] for _actor, detail in bulk_mails()] == [2, 1]


def test_a_database_outage_skips_nobody(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    act(organiser, "send_again", first, ada, last)
    with monkeypatch.context() as broken:
        fails_for(broken, ada, OperationalError("server closed the connection unexpectedly"))
        with pytest.raises(OperationalError):
            run_next_job()
    job = Job.objects.get()
    assert (job.state, job.done, job.skipped) == (State.RUNNING, 1, [])
    jobs.release(job, counts=False)
    assert run_next_job().told == [["success", "3 courriels sont en route."]]
    assert sum(detail["count"] for _actor, detail in bulk_mails()) == 3


# Attempts that count, and others that do not


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Callable[[str], object]:
    """Writes the shell script that replaces the `job` command."""
    settings.BASE_DIR, settings.DATA_DIR = tmp_path, tmp_path
    monkeypatch.setattr(job_runner, "AFTER_OUTAGE", 0)
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    return (tmp_path / "manage.py").write_text


def attempt(runner: JobRunner | None = None) -> tuple[str, int]:
    job = Job.objects.claim("one")
    assert job
    (runner or JobRunner("one")).run_job(job)
    job.refresh_from_db()
    return job.state, job.attempts


@pytest.mark.parametrize("end", ["kill -TERM $$", f"exit {os.EX_TEMPFAIL}"])
def test_stops_and_database_outages_are_not_counted_as_attempts(
    end: str, child: Callable[[str], object], organiser: Client, all_jobs_are_queued: None
) -> None:
    act(organiser, "send_again", *people(1))
    child(end)
    assert [attempt() for _ in range(ATTEMPTS_MAX + 2)] == [(State.WAITING, 0)] * (ATTEMPTS_MAX + 2)


@pytest.mark.parametrize("end", ["kill -KILL $$", "exit 1"])
def test_a_killed_or_failed_child_is_tried_three_times(
    end: str, child: Callable[[str], object], organiser: Client, all_jobs_are_queued: None
) -> None:
    act(organiser, "send_again", *people(1))
    child(end)
    assert [attempt() for _ in range(ATTEMPTS_MAX)] == [(State.WAITING, 1), (State.WAITING, 2), (State.FAILED, 3)]


def test_a_stopped_worker_releases_its_job_without_counting_the_attempt(
    child: Callable[[str], object], organiser: Client, all_jobs_are_queued: None
) -> None:
    act(organiser, "send_again", *people(1))
    child("sleep 60")
    runner = JobRunner("one")
    runner.stopping.set()
    assert attempt(runner) == (State.WAITING, 0)


@pytest.mark.django_db(transaction=True)
def test_a_signal_during_a_transaction_closes_it_before_the_job_is_released(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(os, "setpriority", lambda *args: None)
    monkeypatch.setattr(MailWorker, "configure_signals", lambda worker: None)
    monkeypatch.setattr(MailWorker, "work", lambda worker: cut_short())
    monkeypatch.setattr(JobRunner, "start", lambda runner: None)
    locks: list[Any] = []
    monkeypatch.setattr(JobRunner, "stop", lambda runner: locks.append(connection.connection))
    with pytest.raises(SystemExit):
        call_command("worker")
    assert locks == [None]


def cut_short() -> None:
    connection.cursor().execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
    raise SystemExit(0)


def test_a_job_is_released_after_the_outage_without_counting_the_attempt(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    act(organiser, "send_again", *people(1))
    Job.objects.claim("one")
    JobRunner("one").heartbeat(current=None)
    assert list(Job.objects.values_list("state", "attempts")) == [(State.WAITING, 0)]


def test_heartbeats_missed_during_an_outage_are_ignored(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    act(organiser, "send_again", *people(1))
    Job.objects.claim("another machine's")
    Job.objects.update(heard_at=timezone.now() - HEARTBEAT_TIMEOUT * 2)
    runner = JobRunner("one")
    runner.database_is_away()
    runner.heartbeat(current=None)
    assert Job.objects.get().state == State.RUNNING
    runner.timeouts_valid_from = runner.next_heartbeat = 0
    runner.heartbeat(current=None)
    assert Job.objects.get().state == State.WAITING


def end_of_command(job: Job) -> Any:
    with pytest.raises((SystemExit, OperationalError)) as end:
        call_command("job", str(job.pk), f"--parent={os.getppid()}")
    return end.value


def test_the_exit_status_of_the_job_command_tells_an_outage_from_an_error(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "nice", lambda step: 0)
    monkeypatch.setattr("registrations.management.processes.die_with_parent", lambda parent: None)
    [person] = people(1)
    act(organiser, "send_again", person)
    job = Job.objects.claim("one")
    assert job
    refused = OperationalError("disk full")
    refused.__cause__ = OSError()
    fails_for(monkeypatch, person, refused)
    assert end_of_command(job) is refused
    monkeypatch.setattr(jobs, "is_outage", lambda error: True)
    assert end_of_command(job).code == os.EX_TEMPFAIL


@pytest.mark.django_db(transaction=True)
def test_a_lock_or_a_lost_connection_is_an_outage_and_a_refused_statement_is_not() -> None:
    statements = {
        "postgresql": "DO $$ BEGIN RAISE 'no' USING ERRCODE = 'disk_full'; END $$",
        "sqlite": "SELECT missing",
    }
    with connection.cursor() as cursor, pytest.raises(OperationalError) as refused:
        cursor.execute(statements[connection.vendor])
    assert not jobs.is_outage(refused.value)
    assert jobs.is_outage(outage())
    connection.close()


def outage() -> OperationalError:
    """The error of a locked database (SQLite) or of a closed connection (PostgreSQL)."""
    if connection.vendor == "sqlite":
        locked = OperationalError("database is locked")
        locked.__cause__ = type("Busy", (Exception,), {"sqlite_errorcode": 5})()
        return locked
    with connection.cursor() as cursor, pytest.raises(OperationalError) as ended:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return ended.value
