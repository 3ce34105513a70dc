"""Background jobs of workers that were lost are resumed by others."""

import pytest
from django.test import Client
from django.utils import timezone

from registrations.admin.people import bulk_actions
from registrations.models import Delivery, Job, Registration, WorkerPresence
from registrations.models.job import HEARTBEAT_TIMEOUT, JobTakenOver
from registrations.runtime import liveness
from registrations.worker import jobs
from registrations.worker.job_runner import JobRunner
from tests.admin_client import logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration
from tests.worker.queued_jobs import ask_for_mails, page_of, run_next_job, sign_in_sheet

pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture
def organiser() -> Client:
    client = with_fresh_password(logged_in())
    WorkerPresence.objects.note("one")
    return client


def test_after_a_crash_the_next_worker_does_the_rest_and_nobody_gets_two_mails(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ask_for_mails(organiser, 5)

    class Killed(BaseException):
        pass

    bulk_action, calls = bulk_actions.BULK_ACTIONS["send_again"], []

    def do(registration: Registration) -> None:
        calls.append(registration)
        bulk_action.do(registration)
        if len(calls) == 3:
            raise Killed  # the mail of the third is written, and not committed

    with monkeypatch.context() as patched:
        patched.setitem(bulk_actions.BULK_ACTIONS, "send_again", bulk_action._replace(do=do))
        with pytest.raises(Killed):
            run_next_job()
    assert Job.objects.get().done == Delivery.objects.count() == 2

    Job.objects.update(heard_at=timezone.now() - HEARTBEAT_TIMEOUT * 2)
    jobs.release_lost()
    assert Job.objects.get().state == State.WAITING
    job = run_next_job()
    assert job.told == [["success", "5 courriels sont en route."]]
    assert sorted(Delivery.objects.values_list("registration", flat=True)) == sorted(row.pk for row in rows)


def test_the_job_of_an_ended_worker_of_this_machine_is_released_at_once(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    ask_for_mails(organiser, 1)
    with liveness.alive_process() as living:
        assert Job.objects.claim(living)
        jobs.release_lost()
        assert Job.objects.get().state == State.RUNNING
    jobs.release_lost()
    assert Job.objects.get().state == State.WAITING


def test_a_worker_whose_job_was_taken_over_writes_nothing(organiser: Client, all_jobs_are_queued: None) -> None:
    ask_for_mails(organiser, 2)
    slow = Job.objects.claim("slow")
    assert slow
    Job.objects.update(worker="quick")
    jobs.run(slow)
    assert not Delivery.objects.exists()
    with pytest.raises(JobTakenOver):
        slow.fail("too late")
    assert Job.objects.get().state == State.RUNNING


def test_a_job_fails_after_three_lost_workers_and_can_be_restarted(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    ask_for_mails(organiser, 1)
    for _ in range(3):
        job = Job.objects.claim("one")
        assert job
        jobs.release(job)
    job = Job.objects.get()
    assert job.state == State.FAILED
    page = organiser.get(page_of(job))
    assert "s’est arrêté plusieurs fois" in page.text
    assert "Rien n’a été modifié." in page.text
    organiser.post(page_of(job))
    assert run_next_job().state == State.DONE


def test_a_failed_job_is_not_restarted_when_the_same_was_asked_for_again(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    stopped = Job.objects.get()
    Job.objects.update(state=State.FAILED, error="x")
    sign_in_sheet(organiser, event)
    page = organiser.post(page_of(stopped), follow=True)
    assert messages(page) == ["La même opération a été redemandée entre-temps et elle est en cours."]
    assert sorted(Job.objects.values_list("state", flat=True)) == [State.FAILED, State.WAITING]


def test_a_job_is_claimed_by_one_of_two_workers(organiser: Client, all_jobs_are_queued: None) -> None:
    ask_for_mails(organiser, 1)
    assert Job.objects.claim("one")
    assert Job.objects.claim("two") is None


def test_a_runner_releases_its_job_that_has_no_process(organiser: Client, all_jobs_are_queued: None) -> None:
    ask_for_mails(organiser, 1)
    assert Job.objects.claim("one")
    with liveness.alive_process() as name:
        Job.objects.update(worker=name)
        JobRunner(name).heartbeat(current=None)
    assert Job.objects.get().state == State.WAITING
