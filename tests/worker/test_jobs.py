"""What takes longer than anyone waits for: left to a worker, followed on a page, done once whatever is killed."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from registrations.admin.events import change_jobs
from registrations.admin.imports import attendance
from registrations.admin.imports import people as people_import
from registrations.admin.people import bulk_actions
from registrations.documents import pdf
from registrations.models import AuditEntry, Delivery, Event, Job, Registration, WorkerPresence
from registrations.models.job import KEPT, SILENT_AFTER, NoLongerOurs
from registrations.runtime import liveness
from registrations.security import second_factor
from registrations.spreadsheets.attendance_report import Participant
from registrations.worker import jobs
from registrations.worker.job_runner import JobRunner
from tests.desk import EVENTS, PEOPLE, act, logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db
JOBS = "/admin/registrations/job/"
State = Job.State


@pytest.fixture(autouse=True)
def _files_of_their_own(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def organiser() -> Client:
    client = with_fresh_password(logged_in())
    WorkerPresence.objects.note("one")
    return client


@pytest.fixture
def all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for is left to a worker."""
    for kind, work in jobs.WORKS.items():
        monkeypatch.setitem(jobs.WORKS, kind, work._replace(short=0))


def page_of(job: Job) -> str:
    return f"{JOBS}{job.pk}/change/"


def carry_out() -> Job:
    """A worker's part, in this process."""
    job = Job.objects.claim("one")
    assert job
    jobs.run(job)
    job.refresh_from_db()
    return job


def sign_in_sheet(client: Client, event: Event) -> Any:
    return client.post(f"{EVENTS}{event.pk}/lists/", {"document": "sign-in-sheet"})


def people(count: int) -> list[Registration]:
    event = make_event(report=False)
    return [make_registration(event) for _ in range(count)]


# Long and short


def test_what_is_short_is_done_at_once_and_leaves_no_operation(organiser: Client) -> None:
    page = act(organiser, "send_again", *people(3))
    assert messages(page) == ["3 courriels sont en route."]
    assert not Job.objects.exists()


def test_a_long_act_leads_to_a_page_that_tells_how_far_it_is_and_then_what_it_has_done(
    organiser: Client, all_is_long: None
) -> None:
    rows = people(3)
    page = act(organiser, "send_again", *rows)
    job = Job.objects.get()
    assert page.redirect_chain[-1][0] == page_of(job)
    assert "En attente" in page.text
    assert not Delivery.objects.exists()

    Job.objects.update(done=1, total=3)
    page = organiser.get(page_of(job))
    assert '<progress class="desk-progress" id="job-progress" value="1" max="3">' in page.text
    assert "1 sur 3 (33\u00a0%)" in page.text
    Job.objects.update(done=0)

    job = carry_out()
    assert (job.state, job.done, job.count, job.parameters) == (State.DONE, 3, 3, {})
    assert Delivery.objects.count() == 3
    page = organiser.get(page_of(job))
    assert "3 courriels sont en route." in page.text
    assert "refresh" not in page.text
    me = User.objects.get()
    bulk = AuditEntry.objects.get(action=AuditEntry.Action.BULK_MAIL)
    assert (bulk.actor, bulk.detail) == (me.pk, {"act": "Renvoyer la confirmation", "count": 3})
    history = LogEntry.objects.values_list("user", "object_repr", "change_message")
    assert sorted(history) == sorted((me.pk, f"n° {row.pk}", "Renvoyer la confirmation") for row in rows)


def test_the_page_refreshes_itself_without_javascript_as_long_as_there_is_something_to_come(
    organiser: Client, all_is_long: None
) -> None:
    page = act(organiser, "send_again", *people(1))
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text


def test_two_clicks_on_the_same_act_are_one_operation(organiser: Client, all_is_long: None) -> None:
    event = make_event()
    make_registration(event)
    first, second = sign_in_sheet(organiser, event), sign_in_sheet(organiser, event)
    assert first["Location"] == second["Location"] == page_of(Job.objects.get())
    carry_out()
    assert sign_in_sheet(organiser, event)["Location"] != first["Location"]  # who comes later is on the new one


def test_the_database_itself_refuses_the_same_operation_twice() -> None:
    Job.objects.create(mark="same", asked_by=1, total=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(mark="same", asked_by=1, total=1)
    Job.objects.update(state=State.DONE)
    Job.objects.create(mark="same", asked_by=1, total=1)


def test_the_event_shows_its_last_operations(organiser: Client, all_is_long: None) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    page = organiser.get(f"{EVENTS}{event.pk}/change/")
    assert f'<a href="{page_of(Job.objects.get())}">Feuille d’émargement</a> (en attente)' in page.text


# Each kind of act


@pytest.mark.typesetting
def test_a_sheet_is_typeset_by_a_worker_and_downloaded_from_its_page(organiser: Client, all_is_long: None) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    job = carry_out()
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED).exists()
    assert "Télécharger feuille-emargement.pdf" in organiser.get(page_of(job)).text
    answer = organiser.get(f"{JOBS}{job.pk}/document/")
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == 'attachment; filename="feuille-emargement.pdf"'
    taken = AuditEntry.objects.get(action=AuditEntry.Action.EXPORTED)
    assert taken.detail == {"list": "sign-in sheet", "rows": 1}


@pytest.mark.typesetting
def test_a_sheet_that_cannot_be_made_says_so_and_is_started_again(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    with monkeypatch.context() as broken:
        broken.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
        job = carry_out()
    page = organiser.get(page_of(job))
    assert (job.state, "Ce document ne peut pas être produit pour le moment." in page.text) == (State.FAILED, True)
    assert organiser.get(f"{JOBS}{job.pk}/document/").status_code == 404
    organiser.post(page_of(job))
    assert carry_out().state == State.DONE


def test_an_import_is_one_transaction_with_the_end_of_its_operation(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_event()
    brought = [{**typed(number), "territory": "", "question": ""} for number in range(3)]
    state = people_import.packed(event, brought)
    organiser.post(f"{EVENTS}{event.pk}/registrants/", {"state": state, "mail": "with"})
    with monkeypatch.context() as broken:
        broken.setattr(Job, "finish", lambda *args: 1 / 0)
        job = carry_out()
    assert (job.state, Registration.objects.count(), Delivery.objects.count()) == (State.FAILED, 0, 0)
    assert "Un incident imprévu s’est produit." in organiser.get(page_of(job)).text
    organiser.post(page_of(job))
    job = carry_out()
    assert job.told == [["success", "3 personnes sont ajoutées."]]
    assert Registration.objects.count() == 3


def typed(number: int) -> dict[str, str]:
    return {
        "first_name": "Zoë",
        "last_name": f"N{number}",
        "email": f"n{number}@example.org",
        "organisation": "Ville de Nulle-Part",
        "job_title": "Cheffe",
    }


def test_presences_and_erasures_and_messages_go_the_same_way(organiser: Client, all_is_long: None) -> None:
    one, other = people(2)
    organiser.post(PEOPLE, {"action": "note_presence", "_selected_action": [one.pk, other.pk], "confirmed": "yes"})
    assert carry_out().told == [["success", "2 présences sont notées."]]
    organiser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [other.pk], "confirmed": 1})
    assert Registration.objects.count() == 2
    assert carry_out().told == [["success", "1 inscription est supprimée."]]
    assert list(Registration.objects.all()) == [one]
    assert AuditEntry.objects.filter(action=AuditEntry.Action.DELETED, actor=User.objects.get().pk).count() == 1


def test_presences_of_a_report_are_noted_by_a_worker(organiser: Client, all_is_long: None) -> None:
    [one] = people(1)
    seen = [Participant("Zoë", one.email, 75)]
    state = attendance.packed(one.event, seen)
    organiser.post(f"{EVENTS}{one.event.pk}/presences/", {"state": state, "presence-0": one.pk})
    assert carry_out().told == [["success", "1 présence est notée."]]
    assert list(one.attendances.values_list("origin", "minutes")) == [("import", 75)]


def change_to_confirm(client: Client, event: Event) -> dict[str, Any]:
    path = f"{EVENTS}{event.pk}/cancel/"
    form = client.get(path)
    page = client.post(path, {**dict(form.context["hidden"]), "words": "Désolés."})
    return dict(page.context["hidden"])


def test_a_change_of_the_event_tells_everyone_once_a_worker_has_made_it(organiser: Client, all_is_long: None) -> None:
    rows = people(2)
    event = rows[0].event
    organiser.post(f"{EVENTS}{event.pk}/cancel/", change_to_confirm(organiser, event))
    event.refresh_from_db()
    assert event.status == Event.Status.PUBLISHED
    job = carry_out()
    event.refresh_from_db()
    assert (event.status, event.organiser_words) == (Event.Status.CANCELLED, "Désolés.")
    assert job.told == [["success", "C’est enregistré. 2 personnes sont prévenues par courriel."]]


def test_a_change_of_an_event_that_someone_else_has_changed_meanwhile_tells_nobody(
    organiser: Client, all_is_long: None
) -> None:
    event = people(2)[0].event
    organiser.post(f"{EVENTS}{event.pk}/cancel/", change_to_confirm(organiser, event))
    Event.objects.update(organiser_words="Autre chose")
    job = carry_out()
    assert job.state == State.FAILED
    assert job.error.startswith("Quelqu’un a changé cet événement entre-temps")
    assert not Delivery.objects.exists()


def test_every_kind_has_its_work() -> None:
    assert set(jobs.WORKS) == set(Job.Kind.values)
    assert change_jobs.SHORT > bulk_actions.SHORT


# Crashes


def ask_for_mails(organiser: Client, count: int) -> list[Registration]:
    rows = people(count)
    act(organiser, "send_again", *rows)
    return rows


def test_a_worker_lost_in_the_middle_leaves_the_rest_to_the_next_and_nobody_is_written_to_twice(
    organiser: Client, all_is_long: None, monkeypatch: pytest.MonkeyPatch
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

    with monkeypatch.context() as mortal:
        mortal.setitem(bulk_actions.BULK_ACTIONS, "send_again", bulk_action._replace(do=do))
        with pytest.raises(Killed):
            carry_out()
    assert Job.objects.get().done == Delivery.objects.count() == 2

    Job.objects.update(heard_at=timezone.now() - SILENT_AFTER * 2)
    jobs.give_back_lost()
    assert Job.objects.get().state == State.WAITING
    job = carry_out()
    assert job.told == [["success", "5 courriels sont en route."]]
    assert sorted(Delivery.objects.values_list("registration", flat=True)) == sorted(row.pk for row in rows)


def test_the_job_of_a_dead_worker_of_this_machine_is_taken_over_at_once(organiser: Client, all_is_long: None) -> None:
    ask_for_mails(organiser, 1)
    with liveness.alive_process() as living:
        assert Job.objects.claim(living)
        jobs.give_back_lost()
        assert Job.objects.get().state == State.RUNNING
    jobs.give_back_lost()
    assert Job.objects.get().state == State.WAITING


def test_whoever_has_lost_a_job_writes_nothing_any_more(organiser: Client, all_is_long: None) -> None:
    ask_for_mails(organiser, 2)
    slow = Job.objects.claim("slow")
    assert slow
    Job.objects.update(worker="quick")
    jobs.run(slow)
    assert not Delivery.objects.exists()
    with pytest.raises(NoLongerOurs):
        slow.fail("too late")
    assert Job.objects.get().state == State.RUNNING


def test_a_job_that_loses_three_workers_has_failed_and_can_be_started_again(
    organiser: Client, all_is_long: None
) -> None:
    ask_for_mails(organiser, 1)
    for _ in range(3):
        job = Job.objects.claim("one")
        assert job
        jobs.give_back(job)
    job = Job.objects.get()
    assert job.state == State.FAILED
    page = organiser.get(page_of(job))
    assert "s’est arrêté plusieurs fois" in page.text
    assert "Rien n’a été modifié." in page.text
    organiser.post(page_of(job))
    assert carry_out().state == State.DONE


def test_one_that_has_stopped_is_not_started_beside_the_same_one_asked_anew(
    organiser: Client, all_is_long: None
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


def test_of_two_workers_one_takes_the_job(organiser: Client, all_is_long: None) -> None:
    ask_for_mails(organiser, 1)
    assert Job.objects.claim("one")
    assert Job.objects.claim("two") is None


def test_a_runner_gives_back_what_it_holds_without_a_process(organiser: Client, all_is_long: None) -> None:
    ask_for_mails(organiser, 1)
    assert Job.objects.claim("one")
    with liveness.alive_process() as name:
        Job.objects.update(worker=name)
        JobRunner(name).tend(in_hand=None)
    assert Job.objects.get().state == State.WAITING


# Who may


def test_who_may_not_do_it_neither_sees_nor_takes_it(organiser: Client, all_is_long: None) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    job = carry_out()
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


def test_a_document_asks_for_the_password_again(organiser: Client, all_is_long: None) -> None:
    event = make_event()
    make_registration(event)
    sign_in_sheet(organiser, event)
    job = carry_out()
    session = organiser.session
    session[second_factor.PASSWORD_AT] = 0
    session.save()
    assert organiser.get(f"{JOBS}{job.pk}/document/")["Location"].startswith("/admin/confirm/")


def test_an_account_that_was_closed_meanwhile_does_nothing_more(organiser: Client, all_is_long: None) -> None:
    ask_for_mails(organiser, 1)
    User.objects.update(is_active=False)
    job = carry_out()
    assert (job.state, job.error) == (State.FAILED, "La personne qui l’avait demandée n’y est plus autorisée.")
    assert not Delivery.objects.exists()


def test_a_person_who_has_withdrawn_meanwhile_is_passed_over(organiser: Client, all_is_long: None) -> None:
    rows = ask_for_mails(organiser, 2)
    Registration.objects.filter(pk=rows[0].pk).update(status="cancelled", cancelled_at=timezone.now())
    assert carry_out().told == [["success", "1 courriel est en route."]]


# What is kept


def test_the_steps_of_one_transaction_stand_in_a_file_that_goes_with_it(settings: Any) -> None:
    job = Job.objects.create(mark="x", asked_by=1, total=10, worker="one", state=State.RUNNING)
    job.note_steps(3, 8, "Courriels")
    assert Job.objects.get().steps == (3, 8, "Courriels")
    job.note_steps(4, 8, "Courriels")
    assert Job.objects.get().steps == (3, 8, "Courriels")  # not more than three times a second
    [file] = (Path(settings.MEDIA_ROOT) / "progress").iterdir()
    assert json.loads(file.read_text("utf-8")) == [3, 8, "Courriels"]
    job.forget_steps()
    assert Job.objects.get().steps == (0, 10, "")


def test_an_operation_is_thrown_away_a_day_after_its_end_and_never_before() -> None:
    long_ago = timezone.now() - KEPT * 2
    for state in State.values:
        Job.objects.create(mark=state, asked_by=1, state=state, created_at=long_ago, ended_at=long_ago)
    recent = Job.objects.create(mark="recent", asked_by=1, state=State.DONE, ended_at=timezone.now())
    jobs.throw_old_away()
    assert set(Job.objects.values_list("mark", flat=True)) == {State.WAITING, State.RUNNING, recent.mark}


def test_the_list_asks_as_much_for_three_as_for_one(
    organiser: Client, django_assert_num_queries: Any, all_is_long: None
) -> None:
    for number in range(3):
        sign_in_sheet(organiser, make_registration(make_event()).event)
        if number == 0:
            with django_assert_num_queries(5):
                organiser.get(JOBS)
    with django_assert_num_queries(5):
        organiser.get(JOBS)


def test_a_page_that_nobody_works_on_says_so(organiser: Client, all_is_long: None) -> None:
    page = act(organiser, "send_again", *people(1))
    assert "Aucun programme de fond" not in page.text
    WorkerPresence.objects.all().delete()
    assert "Aucun programme de fond n’a donné signe de vie" in organiser.get(page_of(Job.objects.get())).text
