"""Who may see, restart and run a background job."""

import time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from registrations.models import AuditEntry, Delivery, Job, Registration, WorkerPresence
from registrations.security import second_factor
from tests.admin_client import EVENTS, act, logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration
from tests.worker.queued_jobs import JOBS, ask_for_mails, page_of, people, run_next_job, sign_in_sheet

pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture
def organiser() -> Client:
    client = with_fresh_password(logged_in())
    WorkerPresence.objects.note("one")
    return client


def bulk_mails() -> list[Any]:
    found = AuditEntry.objects.filter(action=AuditEntry.Action.BULK_MAIL).order_by("pk")
    return list(found.values_list("actor", "detail"))


def test_an_account_without_the_permission_sees_neither_the_job_nor_its_document(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    job = run_next_job()
    User.objects.update(username="organisatrice")
    reader = logged_in("view_event", "change_event", "view_registration", "change_registration")
    session = reader.session
    session[second_factor.PASSWORD_AT] = time.time()
    session.save()
    assert [reader.get(path).status_code for path in (page_of(job), f"{JOBS}{job.pk}/document/")] == [404, 404]
    assert reader.post(page_of(job)).status_code == 404
    assert "Feuille d’émargement" not in reader.get(JOBS).text
    assert "Opérations des" not in reader.get(f"{EVENTS}{event.pk}/change/").text
    User.objects.filter(username="equipe").update(username="lectrice")
    nobody = logged_in("view_event")
    assert [nobody.get(path).status_code for path in (JOBS, page_of(job))] == [403, 403]


def test_downloading_the_document_asks_for_the_password_again(organiser: Client, all_jobs_are_queued: None) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    job = run_next_job()
    session = organiser.session
    session[second_factor.PASSWORD_AT] = 0
    session.save()
    assert organiser.get(f"{JOBS}{job.pk}/document/")["Location"].startswith("/admin/confirm/")


def test_a_job_of_a_deactivated_account_fails(organiser: Client, all_jobs_are_queued: None) -> None:
    ask_for_mails(organiser, 1)
    User.objects.update(is_active=False)
    job = run_next_job()
    assert (job.state, job.error) == (State.FAILED, "La personne qui l’avait demandée n’y est plus autorisée.")
    assert not Delivery.objects.exists()


def test_a_person_who_has_withdrawn_meanwhile_gets_no_mail(organiser: Client, all_jobs_are_queued: None) -> None:
    rows = ask_for_mails(organiser, 2)
    Registration.objects.filter(pk=rows[0].pk).update(status="cancelled", cancelled_at=timezone.now())
    assert run_next_job().told == [["success", "1 courriel est en route."]]


# Restarting


def stopped_job(organiser: Client, *rows: Registration) -> Job:
    act(organiser, "send_again", *rows)
    Job.objects.update(state=State.FAILED, error="x", ended_at=timezone.now())
    return Job.objects.get()


def colleague(*permissions: str) -> Client:
    User.objects.filter(username="equipe").update(username="premiere")
    return with_fresh_password(logged_in(*permissions))


def test_a_restarted_job_runs_in_the_name_of_the_account_that_restarted_it(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    rows = people(2)
    job = stopped_job(organiser, *rows)
    User.objects.update(is_active=False)  # the account that asked for the job
    second = colleague("change_registration", "view_registration")
    second.post(page_of(job))
    assert run_next_job().state == State.DONE
    account = User.objects.get(username="equipe")
    assert set(LogEntry.objects.values_list("user", flat=True)) == {account.pk}
    assert [actor for actor, _detail in bulk_mails()] == [account.pk]
    assert "equipe" in second.get("/admin/registrations/job/").text


def test_restarting_needs_the_permission_of_the_job(organiser: Client, all_jobs_are_queued: None) -> None:
    job = stopped_job(organiser, *people(1))
    assert colleague("export_registration").post(page_of(job)).status_code == 404
    assert Job.objects.get().state == State.FAILED


def test_a_job_fails_when_the_permission_was_removed_meanwhile(organiser: Client, all_jobs_are_queued: None) -> None:
    job = stopped_job(organiser, *people(1))
    colleague("change_registration").post(page_of(job))
    User.objects.get(username="equipe").user_permissions.set(Permission.objects.none())
    assert (run_next_job().state, Delivery.objects.count()) == (State.FAILED, 0)


def test_restarting_asks_for_the_password_again(organiser: Client, all_jobs_are_queued: None) -> None:
    job = stopped_job(organiser, *people(1))
    second = colleague("change_registration")
    session = second.session
    session[second_factor.PASSWORD_AT] = 0
    session.save()
    assert second.post(page_of(job))["Location"].startswith("/admin/confirm/")
    assert Job.objects.get().state == State.FAILED


def test_a_job_is_not_restarted_when_the_restarting_account_has_the_same_one(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    rows = people(1)
    job = stopped_job(organiser, *rows)
    second = colleague("change_registration", "view_registration")
    act(second, "send_again", *rows)
    page = second.post(page_of(job), follow=True)
    assert messages(page) == ["La même opération a été redemandée entre-temps et elle est en cours."]
    assert sorted(Job.objects.values_list("state", flat=True)) == [State.FAILED, State.WAITING]
