"""Long acts that meet an obstacle: one person who fails, a worker that ends, a database away, another who goes on."""

import os
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from registrations.admin.people import bulk_actions
from registrations.admin.shared import jobs as desk_jobs
from registrations.domain import erasure
from registrations.models import AuditEntry, Delivery, Job, Registration
from registrations.models.job import ATTEMPTS_MAX, HEARTBEAT_TIMEOUT
from registrations.security import second_factor
from registrations.worker import job_runner, jobs
from registrations.worker.job_runner import JobRunner
from registrations.worker.worker import MailWorker
from tests.desk import act, logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration
from tests.worker.test_jobs import carry_out, page_of, people

pytestmark = pytest.mark.django_db
State = Job.State
FAILED_FOR_ONE = (
    "1 personne n’a pas pu être traitée_: Martin Ada. Cochez-la et recommencez_; "
    "si l’échec se répète, prévenez l’exploitant."
)


@pytest.fixture(autouse=True)
def _files_of_their_own(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


@pytest.fixture
def all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, work in jobs.WORKS.items():
        monkeypatch.setitem(jobs.WORKS, kind, work._replace(short=0))


class Killed(BaseException):
    """Nothing catches it."""


def three_people() -> list[Registration]:
    """In the order of the desk's list: who came last stands first."""
    event = make_event(report=False)
    ada = make_registration(event, last_name="Martin", first_name="Ada", email="ada@example.org")
    return [make_registration(event), ada, make_registration(event, created_at=ada.created_at - timedelta(days=1))]


def fails_for(monkeypatch: pytest.MonkeyPatch, broken: Registration, error: BaseException | None = None) -> None:
    """As a defect would that only the row of this person shows."""
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


# One person for whom it fails


def test_one_who_fails_keeps_nobody_else_from_being_dealt_with_and_is_named(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, ada, last = three_people()
    fails_for(monkeypatch, ada)
    act(organiser, "send_again", first, ada, last)
    job = carry_out()
    assert (job.state, job.done, job.count) == (State.DONE, 3, 2)
    assert end_of(organiser, job) == [("success", "2 courriels sont en route."), ("error", FAILED_FOR_ONE)]
    assert FAILED_FOR_ONE in plain(organiser.get(page_of(job)).text)
    assert written_to() == sorted([first.pk, last.pk])
    assert bulk_mails() == [(User.objects.get().pk, {"act": "Renvoyer la confirmation", "count": 2, "passed_over": 1})]
    assert re.search(r"Operation \d+: number \d passed over: ValueError in do, ", caplog.text)
    assert [word for word in ("Martin", "ada@") if word in caplog.text] == []


def end_of(organiser: Client, job: Job) -> list[tuple[str, str]]:
    return [(level, plain(words)) for level, words in organiser.get(page_of(job)).context["told"]]


def test_who_is_erased_later_is_named_nowhere_any_more(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    fails_for(monkeypatch, ada)
    act(organiser, "send_again", first, ada, last)
    job = carry_out()
    assert "Martin" not in str(Job.objects.values().get())
    erasure.erase(ada)
    gone = "Les personnes qui n’ont pas pu être traitées ne sont plus dans les listes."
    assert end_of(organiser, job) == [("success", "2 courriels sont en route."), ("info", gone)]


def test_the_same_when_it_is_done_at_once(organiser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first, ada, last = three_people()
    fails_for(monkeypatch, ada)
    page = act(organiser, "send_again", first, ada, last)
    assert [plain(words) for words in messages(page)] == ["2 courriels sont en route.", FAILED_FOR_ONE]
    assert written_to() == sorted([first.pk, last.pk])


def test_when_it_fails_for_all_nothing_is_said_to_be_on_its_way(
    organiser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _first, ada, _last = three_people()
    fails_for(monkeypatch, ada)
    assert [plain(words) for words in messages(act(organiser, "send_again", ada))] == [FAILED_FOR_ONE]


def test_only_the_first_of_many_names_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = people(3)
    monkeypatch.setattr(desk_jobs, "NAMES_SHOWN", 2)
    [(_level, sentence)] = desk_jobs.told(Job(detail={"passed_over": [row.pk for row in rows]}), [])
    assert f"\u202f: {rows[0]}, {rows[1]}, …. " in sentence.replace("\u00a0:", "\u202f:")


def test_who_was_passed_over_before_a_worker_was_lost_is_still_named_at_the_end(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    act(organiser, "send_again", first, ada, last)
    with monkeypatch.context() as mortal:
        fails_for(mortal, ada)
        fails_for(mortal, last, Killed())
        with pytest.raises(Killed):
            carry_out()
    jobs.give_back(Job.objects.get())
    job = carry_out()
    assert end_of(organiser, job) == [("success", "2 courriels sont en route."), ("error", FAILED_FOR_ONE)]
    assert written_to() == sorted([first.pk, last.pk])


def test_an_act_that_stops_half_way_is_in_the_audit_log_with_what_was_done_and_once(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    act(organiser, "send_again", first, ada, last)
    with monkeypatch.context() as mortal:
        fails_for(mortal, last, Killed())
        for _ in range(ATTEMPTS_MAX):
            claimed = Job.objects.claim("one")
            assert claimed
            with pytest.raises(Killed):
                jobs.run(claimed)
            jobs.give_back(claimed)
    me = User.objects.get().pk
    assert Job.objects.get().state == State.FAILED
    assert bulk_mails() == [(me, {"act": "Renvoyer la confirmation", "count": 2})]
    organiser.post(page_of(Job.objects.get()))
    assert carry_out().told == [["success", "3 courriels sont en route."]]
    assert [detail["count"] for _actor, detail in bulk_mails()] == [2, 1]


def test_a_database_that_goes_away_half_way_is_no_fault_of_the_person(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ada, last = three_people()
    act(organiser, "send_again", first, ada, last)
    with monkeypatch.context() as broken:
        fails_for(broken, ada, OperationalError("server closed the connection unexpectedly"))
        with pytest.raises(OperationalError):
            carry_out()
    job = Job.objects.get()
    assert (job.state, job.done, job.skipped) == (State.RUNNING, 1, [])
    jobs.give_back(job, counts=False)
    assert carry_out().told == [["success", "3 courriels sont en route."]]
    assert sum(detail["count"] for _actor, detail in bulk_mails()) == 3


# Whoever presses « Recommencer »


def stopped_job(organiser: Client, *rows: Registration) -> Job:
    act(organiser, "send_again", *rows)
    Job.objects.update(state=State.FAILED, error="x", ended_at=timezone.now())
    return Job.objects.get()


def colleague(*permissions: str) -> Client:
    User.objects.filter(username="equipe").update(username="premiere")
    return with_fresh_password(logged_in(*permissions))


def test_it_goes_on_in_the_name_of_who_starts_it_again(organiser: Client, all_is_long: None) -> None:
    rows = people(2)
    job = stopped_job(organiser, *rows)
    User.objects.update(is_active=False)  # who had asked for it has left
    second = colleague("change_registration", "view_registration")
    second.post(page_of(job))
    assert carry_out().state == State.DONE
    account = User.objects.get(username="equipe")
    assert set(LogEntry.objects.values_list("user", flat=True)) == {account.pk}
    assert [actor for actor, _detail in bulk_mails()] == [account.pk]
    assert "equipe" in second.get("/admin/registrations/job/").text


def test_who_may_not_do_it_does_not_start_it_again(organiser: Client, all_is_long: None) -> None:
    job = stopped_job(organiser, *people(1))
    assert colleague("export_registration").post(page_of(job)).status_code == 404
    assert Job.objects.get().state == State.FAILED


def test_a_permission_lost_between_the_button_and_the_worker_stops_it(organiser: Client, all_is_long: None) -> None:
    job = stopped_job(organiser, *people(1))
    colleague("change_registration").post(page_of(job))
    User.objects.get(username="equipe").user_permissions.set(Permission.objects.none())
    assert (carry_out().state, Delivery.objects.count()) == (State.FAILED, 0)


def test_starting_again_asks_for_the_password_of_who_does_it(organiser: Client, all_is_long: None) -> None:
    job = stopped_job(organiser, *people(1))
    second = colleague("change_registration")
    session = second.session
    session[second_factor.PASSWORD_AT] = 0
    session.save()
    assert second.post(page_of(job))["Location"].startswith("/admin/confirm/")
    assert Job.objects.get().state == State.FAILED


def test_it_is_not_started_beside_the_same_one_of_either_of_them(organiser: Client, all_is_long: None) -> None:
    rows = people(1)
    job = stopped_job(organiser, *rows)
    second = colleague("change_registration", "view_registration")
    act(second, "send_again", *rows)
    page = second.post(page_of(job), follow=True)
    assert messages(page) == ["La même opération a été redemandée entre-temps et elle est en cours."]
    assert sorted(Job.objects.values_list("state", flat=True)) == [State.FAILED, State.WAITING]


# Ends of a worker that count, and others


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Callable[[str], object]:
    """In place of the program that does the work, a few lines of shell."""
    settings.BASE_DIR, settings.DATA_DIR = tmp_path, tmp_path
    monkeypatch.setattr(job_runner, "AFTER_OUTAGE", 0)
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    return (tmp_path / "manage.py").write_text


def attempt(runner: JobRunner | None = None) -> tuple[str, int]:
    job = Job.objects.claim("one")
    assert job
    (runner or JobRunner("one")).carry_out(job)
    job.refresh_from_db()
    return job.state, job.attempts


@pytest.mark.parametrize("end", ["kill -TERM $$", f"exit {os.EX_TEMPFAIL}"])
def test_a_deployment_or_a_database_away_may_come_any_number_of_times(
    end: str, child: Callable[[str], object], organiser: Client, all_is_long: None
) -> None:
    act(organiser, "send_again", *people(1))
    child(end)
    assert [attempt() for _ in range(ATTEMPTS_MAX + 2)] == [(State.WAITING, 0)] * (ATTEMPTS_MAX + 2)


@pytest.mark.parametrize("end", ["kill -KILL $$", "exit 1"])
def test_a_child_that_is_killed_or_breaks_is_tried_three_times(
    end: str, child: Callable[[str], object], organiser: Client, all_is_long: None
) -> None:
    act(organiser, "send_again", *people(1))
    child(end)
    assert [attempt() for _ in range(ATTEMPTS_MAX)] == [(State.WAITING, 1), (State.WAITING, 2), (State.FAILED, 3)]


def test_a_worker_that_is_asked_to_end_gives_back_what_it_has_in_hand_uncounted(
    child: Callable[[str], object], organiser: Client, all_is_long: None
) -> None:
    act(organiser, "send_again", *people(1))
    child("sleep 60")
    runner = JobRunner("one")
    runner.stopping.set()
    assert attempt(runner) == (State.WAITING, 0)


@pytest.mark.django_db(transaction=True)
def test_a_signal_in_the_middle_of_a_transaction_leaves_no_lock_in_the_way_of_giving_back(
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


def test_what_could_not_be_given_back_while_the_database_was_away_is_given_back_uncounted(
    organiser: Client, all_is_long: None
) -> None:
    act(organiser, "send_again", *people(1))
    Job.objects.claim("one")
    JobRunner("one").tend(in_hand=None)
    assert list(Job.objects.values_list("state", "attempts")) == [(State.WAITING, 0)]


def test_after_an_outage_nobody_is_taken_for_dead_because_they_could_not_say_that_they_live(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    act(organiser, "send_again", *people(1))
    Job.objects.claim("another machine's")
    Job.objects.update(heard_at=timezone.now() - HEARTBEAT_TIMEOUT * 2)
    runner = JobRunner("one")
    runner.database_is_away()
    runner.tend(in_hand=None)
    assert Job.objects.get().state == State.RUNNING
    runner.silence_counts_from = runner.next_tending = 0
    runner.tend(in_hand=None)
    assert Job.objects.get().state == State.WAITING


def end_of_the_program(job: Job) -> Any:
    with pytest.raises((SystemExit, OperationalError)) as end:
        call_command("job", str(job.pk), f"--parent={os.getppid()}")
    return end.value


def test_the_program_tells_a_database_that_is_away_from_a_statement_that_is_refused(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "nice", lambda step: 0)
    monkeypatch.setattr("registrations.management.processes.die_with_parent", lambda: None)
    [person] = people(1)
    act(organiser, "send_again", person)
    job = Job.objects.claim("one")
    assert job
    refused = OperationalError("disk full")
    refused.__cause__ = OSError()
    fails_for(monkeypatch, person, refused)
    assert end_of_the_program(job) is refused
    monkeypatch.setattr(jobs, "is_outage", lambda error: True)
    assert end_of_the_program(job).code == os.EX_TEMPFAIL


@pytest.mark.django_db(transaction=True)
def test_a_lock_or_a_lost_connection_is_an_outage_and_a_statement_that_is_refused_is_none() -> None:
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
    """Of a database that is locked by another program, or that has closed the connection."""
    if connection.vendor == "sqlite":
        locked = OperationalError("database is locked")
        locked.__cause__ = type("Busy", (Exception,), {"sqlite_errorcode": 5})()
        return locked
    with connection.cursor() as cursor, pytest.raises(OperationalError) as ended:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return ended.value
