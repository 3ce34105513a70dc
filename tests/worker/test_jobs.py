"""Background jobs: queued for a worker, followed on an admin page, done once."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from registrations.admin.events import change_jobs
from registrations.admin.imports import attendance
from registrations.admin.people import bulk_actions
from registrations.documents import pdf
from registrations.models import AuditEntry, Delivery, Event, Job, Registration, WorkerPresence
from registrations.models.job import RETENTION
from registrations.spreadsheets.attendance_report import Participant
from registrations.worker import jobs
from tests.admin_client import EVENTS, PEOPLE, act, logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration
from tests.worker.queued_jobs import JOBS, page_of, people, run_next_job, sign_in_sheet

pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture
def organiser() -> Client:
    client = with_fresh_password(logged_in())
    WorkerPresence.objects.note("one")
    return client


# Long and short


def test_a_short_job_is_done_at_once_and_not_stored(organiser: Client) -> None:
    page = act(organiser, "send_again", *people(3))
    assert messages(page) == ["3 courriels sont en route."]
    assert not Job.objects.exists()


def test_a_long_job_has_a_page_with_its_progress_and_then_its_result(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    rows = people(3)
    page = act(organiser, "send_again", *rows)
    job = Job.objects.get()
    assert page.redirect_chain[-1][0] == page_of(job)
    assert "En attente" in page.text
    assert not Delivery.objects.exists()

    Job.objects.update(done=1, total=3)
    page = organiser.get(page_of(job))
    assert '<progress class="progress" id="job-progress" value="1" max="3">' in page.text
    assert "1 sur 3 (33\u00a0%)" in page.text
    Job.objects.update(done=0)

    job = run_next_job()
    assert (job.state, job.done, job.count, job.parameters) == (State.DONE, 3, 3, {})
    assert Delivery.objects.count() == 3
    page = organiser.get(page_of(job))
    assert "3 courriels sont en route." in page.text
    assert "refresh" not in page.text
    me = User.objects.get()
    bulk = AuditEntry.objects.get(action=AuditEntry.Action.BULK_MAIL)
    assert (bulk.actor, bulk.detail) == (me.pk, {"deed": "send_again", "count": 3})
    history = LogEntry.objects.values_list("user", "object_repr", "change_message")
    assert sorted(history) == sorted((me.pk, f"n° {row.pk}", "Renvoyer la confirmation") for row in rows)


def test_the_page_refreshes_itself_without_javascript_while_the_job_is_under_way(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    page = act(organiser, "send_again", *people(1))
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text


def test_two_clicks_on_the_same_button_are_one_job(organiser: Client, all_jobs_are_queued: None) -> None:
    event = make_event()
    make_registration(event)
    first, second = sign_in_sheet(organiser, event), sign_in_sheet(organiser, event)
    assert first["Location"] == second["Location"] == page_of(Job.objects.get())
    run_next_job()
    assert sign_in_sheet(organiser, event)["Location"] != first["Location"]  # the new sheet may have more people


def test_the_database_refuses_the_same_job_twice() -> None:
    Job.objects.create(mark="same", asked_by=1, total=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(mark="same", asked_by=1, total=1)
    Job.objects.update(state=State.DONE)
    Job.objects.create(mark="same", asked_by=1, total=1)


def test_the_page_of_the_event_lists_its_last_jobs(organiser: Client, all_jobs_are_queued: None) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    page = organiser.get(f"{EVENTS}{event.pk}/")
    assert f'href="{page_of(Job.objects.get())}">Feuille d’émargement</a>' in page.text


# Each kind of job


@pytest.mark.typesetting
def test_a_sheet_is_typeset_by_a_worker_and_downloaded_from_its_page(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    job = run_next_job()
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED).exists()
    assert "Télécharger feuille-emargement.pdf" in organiser.get(page_of(job)).text
    answer = organiser.get(f"{JOBS}{job.pk}/document/")
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == 'attachment; filename="feuille-emargement.pdf"'
    taken = AuditEntry.objects.get(action=AuditEntry.Action.EXPORTED)
    assert taken.detail == {"list": "sign-in sheet", "rows": 1}


@pytest.mark.typesetting
def test_a_sheet_that_cannot_be_typeset_says_so_and_can_be_restarted(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    with monkeypatch.context() as broken:
        broken.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
        job = run_next_job()
    page = organiser.get(page_of(job))
    assert (job.state, "Ce document ne peut pas être produit pour le moment." in page.text) == (State.FAILED, True)
    assert organiser.get(f"{JOBS}{job.pk}/document/").status_code == 404
    organiser.post(page_of(job))
    assert run_next_job().state == State.DONE


def test_an_import_and_the_end_of_its_job_are_one_transaction(
    organiser: Client, all_jobs_are_queued: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_event()
    rows = [[name.replace("_", " ") for name in typed(0)], *(list(typed(number).values()) for number in range(3))]
    file = SimpleUploadedFile("liste.csv", "\n".join(";".join(row) for row in rows).encode())
    page: Any = organiser.post(path := f"{EVENTS}{event.pk}/registrants/", {"people": file})
    organiser.post(path, {"state": page.context["state"], "mail": "with"})
    with monkeypatch.context() as broken:
        broken.setattr(Job, "finish", lambda *args: 1 / 0)
        job = run_next_job()
    assert (job.state, Registration.objects.count(), Delivery.objects.count()) == (State.FAILED, 0, 0)
    assert "Un incident imprévu s’est produit." in organiser.get(page_of(job)).text
    organiser.post(page_of(job))
    job = run_next_job()
    assert job.told == [["success", "3 personnes sont inscrites ou en attente."]]
    assert Registration.objects.count() == 3


def typed(number: int) -> dict[str, str]:
    return {
        "first_name": "Zoë",
        "last_name": "Durand",
        "email": f"n{number}@example.org",
        "organisation": "Ville de Nulle-Part",
        "job_title": "Cheffe",
    }


def test_attendances_and_deletions_are_done_by_a_worker(organiser: Client, all_jobs_are_queued: None) -> None:
    one, other = people(2)
    organiser.post(PEOPLE, {"action": "note_presence", "_selected_action": [one.pk, other.pk], "confirmed": "yes"})
    assert run_next_job().told == [["success", "2 présences sont notées."]]
    chosen = {"action": "delete_selected", "_selected_action": [other.pk], "confirmed": 1}
    organiser.post(PEOPLE, {**chosen, "typed": f"{other.first_name} {other.last_name}"})
    assert Registration.objects.count() == 2
    assert run_next_job().told == [["success", "1 inscription est supprimée."]]
    assert list(Registration.objects.all()) == [one]
    assert AuditEntry.objects.filter(action=AuditEntry.Action.DELETED, actor=User.objects.get().pk).count() == 1


def test_attendances_of_a_report_are_recorded_by_a_worker(organiser: Client, all_jobs_are_queued: None) -> None:
    [one] = people(1)
    seen = [Participant("Zoë", one.email, 75)]
    state = attendance.packed(one.event, seen)
    organiser.post(f"{EVENTS}{one.event.pk}/presences/", {"state": state, "presence-0": one.pk})
    assert run_next_job().told == [["success", "1 présence est notée."]]
    assert list(one.attendances.values_list("origin", "minutes")) == [("import", 75)]


def change_to_confirm(client: Client, event: Event) -> dict[str, Any]:
    path = f"{EVENTS}{event.pk}/cancel/"
    form = client.get(path)
    page = client.post(path, {**dict(form.context["hidden"]), "words": "Désolés."})
    return dict(page.context["hidden"])


def test_a_change_of_the_event_is_made_and_announced_by_a_worker(organiser: Client, all_jobs_are_queued: None) -> None:
    rows = people(2)
    event = rows[0].event
    organiser.post(f"{EVENTS}{event.pk}/cancel/", change_to_confirm(organiser, event))
    event.refresh_from_db()
    assert event.status == Event.Status.PUBLISHED
    job = run_next_job()
    event.refresh_from_db()
    assert (event.status, event.organiser_words) == (Event.Status.CANCELLED, "Désolés.")
    assert job.told == [["success", "C’est enregistré. 2 personnes sont prévenues par courriel."]]


def test_a_change_of_an_event_that_was_changed_meanwhile_is_refused(
    organiser: Client, all_jobs_are_queued: None
) -> None:
    event = people(2)[0].event
    organiser.post(f"{EVENTS}{event.pk}/cancel/", change_to_confirm(organiser, event))
    Event.objects.update(organiser_words="Autre chose")
    job = run_next_job()
    assert job.state == State.FAILED
    assert job.error.startswith("Quelqu’un a changé ce webinaire entre-temps")
    assert not Delivery.objects.exists()


def test_every_kind_of_job_has_a_handler() -> None:
    assert set(jobs.HANDLERS) == set(Job.Kind.values)
    assert change_jobs.SHORT > bulk_actions.SHORT


# Stored data


def test_progress_is_in_a_file_that_is_deleted_with_the_job(settings: Any) -> None:
    job = Job.objects.create(mark="x", asked_by=1, total=10, worker="one", state=State.RUNNING)
    job.write_progress(3, 8, "Courriels")
    assert Job.objects.get().progress == (3, 8, "Courriels")
    job.write_progress(4, 8, "Courriels")
    assert Job.objects.get().progress == (3, 8, "Courriels")  # not more than three times a second
    [file] = (Path(settings.MEDIA_ROOT) / "progress").iterdir()
    assert json.loads(file.read_text("utf-8")) == [3, 8, "Courriels"]
    job.delete_progress()
    assert Job.objects.get().progress == (0, 10, "")


def test_a_job_is_deleted_a_day_after_its_end_and_never_before() -> None:
    long_ago = timezone.now() - RETENTION * 2
    for state in State.values:
        Job.objects.create(mark=state, asked_by=1, state=state, created_at=long_ago, ended_at=long_ago)
    recent = Job.objects.create(mark="recent", asked_by=1, state=State.DONE, ended_at=timezone.now())
    jobs.delete_old()
    assert set(Job.objects.values_list("mark", flat=True)) == {State.WAITING, State.RUNNING, recent.mark}


def test_the_list_needs_the_same_queries_for_three_jobs_as_for_one(
    organiser: Client, django_assert_num_queries: Any, all_jobs_are_queued: None
) -> None:
    for number in range(3):
        sign_in_sheet(organiser, make_registration(make_event()).event)
        if number == 0:
            with django_assert_num_queries(5):
                organiser.get(JOBS)
    with django_assert_num_queries(5):
        organiser.get(JOBS)


def test_the_page_says_when_no_worker_runs(organiser: Client, all_jobs_are_queued: None) -> None:
    page = act(organiser, "send_again", *people(1))
    assert "Aucun programme de fond" not in page.text
    WorkerPresence.objects.all().delete()
    assert "Aucun programme de fond n’a donné signe de vie" in organiser.get(page_of(Job.objects.get())).text
