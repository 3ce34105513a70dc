"""When parts of the site are away: what machines are told, what visitors see, what the operator receives."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from registrations.admin.events.events import EventAdmin
from registrations.domain import signup
from registrations.mailing import claims, outbox, wakeups
from registrations.models import Delivery, WorkerPresence
from registrations.monitoring import folders, status
from registrations.runtime import liveness
from registrations.worker import housekeeping
from tests import mailbox
from tests.factories import answers, make_event, make_registration
from tests.journey import Journey, shown_stamp
from tests.smtp import smtp_server

pytestmark = pytest.mark.django_db


def enqueue(**fields: Any) -> Delivery:
    delivery = Delivery.objects.enqueue(make_registration(make_event(report=False)), Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return delivery


def test_healthz_asks_nothing_of_the_database(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


def test_readyz_is_content_with_a_worker_and_no_late_mail(client: Client) -> None:
    WorkerPresence.objects.note("one")
    enqueue()
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (200, "ready\n")


def test_readyz_tells_the_reasons_only_to_who_knows_the_token(client: Client, settings: Settings) -> None:
    settings.STATUS_TOKEN = "a-token"
    enqueue(send_at=timezone.now() - timedelta(minutes=12))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready\n")
    told = client.get("/readyz", headers={"authorization": "Bearer a-token"})
    assert told.text == "The oldest mail is 12 minutes overdue.\nNo mail worker has been seen lately.\n"
    assert client.get("/readyz", headers={"authorization": "Bearer wrong"}).text == "not ready\n"


def test_mails_held_back_are_told_to_who_knows_the_token_and_the_site_is_ready(
    client: Client, settings: Settings
) -> None:
    settings.STATUS_TOKEN = "a-token"
    WorkerPresence.objects.note("one")
    enqueue(state="held")
    enqueue(state="held")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    told = client.get("/readyz", headers={"authorization": "Bearer a-token"})
    held = "Mails held back since a restore: 2. The desk's first page lets them leave, or gives them up.\n"
    assert (told.status_code, told.text) == (200, f"ready\n{held}")
    enqueue(send_at=timezone.now() - timedelta(minutes=12))
    told = client.get("/readyz", headers={"authorization": "Bearer a-token"})
    assert (told.status_code, told.text) == (503, f"The oldest mail is 12 minutes overdue.\n{held}")


def test_a_token_that_no_header_should_hold_is_a_wrong_one(client: Client, settings: Settings) -> None:
    settings.STATUS_TOKEN = "a-token"
    assert client.get("/readyz", headers={"authorization": "Bearer é"}).text == "not ready\n"


def test_without_a_token_in_the_settings_nobody_sees_details(client: Client) -> None:
    assert client.get("/readyz", headers={"authorization": "Bearer "}).text == "not ready\n"


def test_readyz_says_that_the_database_or_the_disk_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(status, "MigrationExecutor", away)
    monkeypatch.setattr(folders, "DISK_FREE_AT_LEAST", 2)
    assert status.not_ready() == ["The disk is almost full.", "The database does not answer."]


@pytest.mark.parametrize("problem", [OperationalError("database is locked"), InterfaceError("connection closed")])
def test_a_database_that_is_away_is_a_503_that_keeps_what_was_typed(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    event = make_event()
    path = f"/evenements/{event.slug}/inscription/"
    stamp = shown_stamp(journey.client, path)
    typed = {**answers(first_name="Zoë", question="Et <après> ?"), "stamp": stamp}
    journey.client.raise_request_exception = False

    def away(*args: object, **kwargs: object) -> None:
        raise problem

    with monkeypatch.context() as patched:
        patched.setattr(signup, "register", away)
        page = journey.client.post(path, typed)
    assert page.status_code == 503, page.text
    assert page["Retry-After"] == "30"
    assert 'name="first_name" value="Zoë"' in page.text
    assert 'name="question" value="Et &lt;après&gt; ?"' in page.text
    assert "csrfmiddlewaretoken" in page.text

    thanks = journey.client.post(path, typed, follow=True)
    assert "Votre inscription est enregistrée" in thanks.text


def test_a_database_that_goes_away_at_the_end_of_a_sign_up_is_a_503_too_and_nothing_is_half_done(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_event()
    path = f"/evenements/{event.slug}/inscription/"
    stamp = shown_stamp(journey.client, path)
    journey.client.raise_request_exception = False

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    typed = {**answers(), "stamp": stamp}
    with monkeypatch.context() as patched:
        patched.setattr("registrations.web.sessions.SessionStore.save", away)
        page = journey.client.post(path, typed)
    assert page.status_code == 503
    assert typed["email"] in page.text
    assert "Votre inscription est enregistrée" in journey.client.post(path, typed, follow=True).text
    assert len(journey.mails()) == 1  # nothing was promised, and nothing written, the first time


def test_a_password_typed_in_the_admin_is_in_no_error_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.contrib.auth.forms.authenticate", away)
    page = client.post("/admin/login/", {"username": "organisatrice", "password": "très-secret"})
    assert page.status_code == 503
    assert "très-secret" not in page.text


@pytest.mark.parametrize(
    ("problem", "status"), [(OperationalError("database is locked"), 503), (RuntimeError("a defect"), 500)]
)
def test_an_organiser_s_failed_upload_is_not_told_of_a_registration(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, problem: Exception, status: int
) -> None:
    admin_client.raise_request_exception = False
    path = f"/admin/registrations/event/{make_event().pk}/change/"

    def broken(*args: object, **kwargs: object) -> None:
        raise problem

    monkeypatch.setattr(EventAdmin, "changeform_view", broken)
    sent, looked_at = admin_client.post(path, {"title": "x"}), admin_client.get(path)
    assert (sent.status_code, looked_at.status_code) == (status, status)
    for page in (sent, looked_at):
        assert "inscription n’a peut-être pas" not in page.text
    assert "Ce que vous venez d’envoyer n’a peut-être pas été enregistré" in sent.text
    assert "Ce que vous venez d’envoyer" not in looked_at.text


def test_another_failure_is_a_calm_500_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    event = make_event()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("registrations.views.public.shown_event", broken)
    page = client.get(event.get_absolute_url())
    assert page.status_code == 500
    assert "Un problème est survenu" in page.text
    assert "a defect" not in page.text


def test_the_operator_is_told_once_when_something_of_ours_blocks_the_mails(settings: Settings) -> None:
    settings.ALERT_EMAIL = "exploitation@example.org"
    for _ in range(2):
        enqueue()
    with smtp_server() as (server, mailers):
        settings.MAILERS = mailers
        server.mail_from = "535 5.7.8 bad credentials"
        for _ in range(3):
            outbox.drain()
            Delivery.objects.update(send_at=timezone.now())
        assert Delivery.objects.filter(kind="alert").count() == 1

        server.mail_from = "250 OK"
        outbox.drain()
    first, *others = server.mails
    assert (first["To"], first["Subject"]) == (
        "exploitation@example.org",
        "Les courriels de webinaires.example.org sont bloqués",
    )
    assert "535 5.7.8 bad credentials" in mailbox.text(first)
    assert "/admin/registrations/delivery/" in mailbox.html(first)
    assert len(others) == 2


def test_without_an_address_for_alerts_the_log_says_it(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    enqueue()
    with smtp_server() as (server, mailers):
        settings.MAILERS = mailers
        server.mail_from = "535 5.7.8 bad credentials"
        outbox.drain()
    assert "Mails are blocked: nos propres réglages sont refusés" in caplog.text
    assert not Delivery.objects.filter(kind="alert").exists()


def test_a_dead_workers_mail_is_due_at_once_and_a_living_ones_is_not(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    enqueue()
    with liveness.alive_process() as living:
        claims.claim(holder=living)
        wakeups.sweep()
        assert not Delivery.objects.due().exists()
        Delivery.objects.update(state="sent")

    enqueue()
    dead = "0123456789abcdef"
    liveness._lock_file(dead).touch()  # the lock that the system took back
    held = claims.claim(holder=dead)
    wakeups.sweep()
    assert list(Delivery.objects.due()) == [held]
    Delivery.objects.update(state="sent")
    os.utime(liveness._lock_file(dead), (0, 0))
    housekeeping.remove_old_rows()
    assert not liveness._lock_file(dead).exists()


def test_a_worker_crash_that_could_not_be_recorded_is_found_at_the_next_sweep(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    enqueue()
    dead = "0123456789abcdef"
    liveness._lock_file(dead).touch()
    claims.claim(holder=dead)

    def away(*args: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(type(Delivery.objects.all()), "free", away)
        with pytest.raises(OperationalError):
            wakeups.sweep()
    housekeeping.remove_old_rows()
    wakeups.sweep()
    assert Delivery.objects.due().count() == 1


def test_a_worker_of_another_machine_is_left_its_lease(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    enqueue()
    claims.claim(holder="fedcba9876543210")
    wakeups.sweep()
    assert not Delivery.objects.due().exists()


def test_housekeeping_runs_daily(client: Client) -> None:
    signup.register(make_event(), language="fr", **answers())
    week_ago = timezone.now() - timedelta(days=7)
    DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=week_ago)
    WorkerPresence.objects.create(name="old", seen_at=week_ago)
    WorkerPresence.objects.note("one")
    housekeeping.remove_old_rows()
    assert not DBTaskResult.objects.exists()
    assert [presence.name for presence in WorkerPresence.objects.all()] == ["one"]
