"""A message to more people than are written to while the page is awaited: it can be taken back all the time."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from registrations.domain import broadcasts
from registrations.mailing import outbox
from registrations.models import AuditEntry, Broadcast, Delivery, Job
from registrations.worker import jobs
from tests.admin_client import logged_in, messages, with_fresh_password
from tests.domain.broadcasts import confirm, let_pass, make_broadcast, page_of, with_people
from tests.factories import make_registration
from tests.threads import together
from tests.worker.queued_jobs import page_of as page_of_job
from tests.worker.queued_jobs import run_next_job

pytestmark = pytest.mark.django_db
State = Job.State
TAKEN_BACK = "Le message a été retiré avant d’être envoyé_: personne ne le recevra."


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


@pytest.fixture(autouse=True)
def _is_long(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    handler = jobs.HANDLERS[Job.Kind.MESSAGE]
    monkeypatch.setitem(jobs.HANDLERS, Job.Kind.MESSAGE, handler._replace(short=0))


def confirmed(organiser: Client) -> Broadcast:
    broadcast = make_broadcast(with_people())
    confirm(organiser, broadcast, 2)
    return broadcast


def reload(broadcast: Broadcast) -> Broadcast:
    return Broadcast.objects.get(pk=broadcast.pk)


def told() -> list[str]:
    return [words.replace("\u00a0", "_") for _level, words in Job.objects.get().told]


def test_while_it_waits_for_a_worker_its_page_says_so_and_offers_to_take_it_back(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    for page in (organiser.get(page_of(broadcast)), organiser.get(page_of_job(Job.objects.get()))):
        assert 'name="take_back" value="Retirer le message"' in page.text
    page = organiser.get(page_of(broadcast))
    assert "Confirmé pour 2\u00a0personnes" in page.text
    assert page_of_job(Job.objects.get()) in page.text


def test_taken_back_before_a_worker_has_it_nobody_receives_it_and_it_is_a_draft_again(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    page = organiser.post(page_of(broadcast), {"take_back": "yes"}, follow=True)
    assert messages(page) == ["Message retiré_: aucun de ces courriels ne part."]
    assert "Relire le message avant l’envoi" in page.text
    assert reload(broadcast).is_draft
    assert (Job.objects.get().state, told(), Job.objects.claim("one")) == (State.DONE, [TAKEN_BACK], None)
    assert TAKEN_BACK.replace("_", "\u00a0") in organiser.get(page_of_job(Job.objects.get())).text
    assert not Delivery.objects.exists()
    assert AuditEntry.objects.filter(detail={"act": "take back", "count": 2}).count() == 1
    assert messages(organiser.post(page_of(broadcast), {"take_back": "yes"}, follow=True)) == []

    confirm(organiser, broadcast, 2)  # it was meant after all
    assert run_next_job().state == State.DONE
    assert broadcast.deliveries.count() == 2


def test_taken_back_while_a_worker_is_about_to_send_it_nothing_is_written(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    job = Job.objects.claim("one")
    assert job
    assert broadcasts.take_back(broadcast)
    jobs.run(job)
    assert (Delivery.objects.count(), reload(broadcast).state) == (0, "draft")
    assert (Job.objects.get().state, told()) == (State.DONE, [TAKEN_BACK])


def test_taken_back_when_a_worker_has_just_refused_it_the_page_says_so(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    make_registration(broadcast.event)
    run_next_job()
    page = organiser.post(page_of(broadcast), {"take_back": "yes"}, follow=True)
    refused = "Le nombre de personnes vient de changer_: rien n’est parti. Vérifiez-le à nouveau."
    assert messages(page) == [f"Il n’y a rien à retirer_: le message n’a pas été envoyé. {refused}"]
    assert "Relire le message avant l’envoi" in page.text


def test_once_a_worker_has_written_the_mails_two_minutes_are_left(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    job = run_next_job()
    assert 'name="take_back"' in organiser.get(page_of_job(job)).text
    organiser.post(page_of(broadcast), {"take_back": "yes"})
    let_pass(broadcast)
    outbox.drain()
    assert set(broadcast.deliveries.values_list("state", flat=True)) == {"cancelled"}
    assert 'name="take_back"' not in organiser.get(page_of_job(job)).text


def test_what_was_confirmed_is_neither_corrected_nor_deleted_while_it_waits(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    assert organiser.get(page_of(broadcast, "correct/"))["Location"] == page_of(broadcast)
    page = organiser.post(page_of(broadcast, "delete/"), {"confirmed": "yes"}, follow=True)
    assert messages(page) == ["Ce message a été confirmé_: il reste, avec ce qu’il est devenu."]
    assert not broadcasts.discard(broadcast)
    assert confirm_again(organiser, broadcast)["Location"] == page_of(broadcast)
    assert run_next_job().state == State.DONE


def confirm_again(organiser: Client, broadcast: Broadcast) -> Any:
    """From a page that was open before."""
    return organiser.post(page_of(broadcast), {"seen": "x", "typed": 2})


def test_an_operation_whose_draft_has_gone_ends_with_a_sentence(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    Job.objects.update(state=State.FAILED, error="x")  # its worker was lost three times
    assert broadcasts.discard(broadcast)
    organiser.post(page_of_job(Job.objects.get()))
    job = run_next_job()
    assert job.error.replace("\u00a0", "_") == "Le brouillon de ce message a été supprimé_: rien n’a été envoyé."
    assert 'name="take_back"' not in organiser.get(page_of_job(job)).text


def test_an_operation_whose_message_was_sent_by_another_one_ends_with_a_sentence(organiser: Client) -> None:
    broadcast = confirmed(organiser)
    broadcasts.send(broadcast, count=2)
    job = run_next_job()
    assert job.state == State.FAILED
    assert job.error.replace("\u00a0", "_") == "Ce message avait déjà été confirmé_: rien n’a été envoyé de nouveau."
    assert broadcast.deliveries.count() == 2


@pytest.mark.django_db(transaction=True)
def test_taken_back_at_the_moment_when_a_worker_sends_it_nobody_receives_it() -> None:
    organiser = logged_in()
    for _ in range(5):
        broadcast = confirmed(organiser)
        assert together([carry_out_anything, partial(broadcasts.take_back, broadcast)]) == []
        assert reload(broadcast).state in {"draft", "taken_back"}
        carry_out_anything()
        assert set(broadcast.deliveries.values_list("state", flat=True)) <= {"cancelled"}
        assert not Job.objects.under_way().exists()


def carry_out_anything() -> None:
    if job := Job.objects.claim("one"):
        jobs.run(job)
