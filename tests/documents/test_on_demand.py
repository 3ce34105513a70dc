"""Certificates and reports that visitors fetch: no page waits while one is made, and a worker makes it."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from registrations.documents import on_demand, pdf, study_report
from registrations.domain import attendance, erasure
from registrations.models import Attendance, Document, Registration
from registrations.models.document import ATTEMPTS_MAX, LEASE, TRIED_AGAIN_AFTER
from registrations.runtime import liveness
from registrations.security import rate_limits
from registrations.worker.typesetter import Typesetter
from tests.factories import make_event, make_past_event, make_registration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_pango")]

BROKEN = Path("/nowhere/renderer.py")
FAILS_FOR_ONE = """
import sys
page = sys.stdin.buffer.read()
sys.exit("too wide") if b"Broken" in page else sys.stdout.buffer.write(page)
"""


@pytest.fixture(autouse=True)
def _own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def html_only(untypeset: None) -> None:
    """The documents are the HTML that they would be set from."""


def make_present(**fields: Any) -> Registration:
    registration = make_registration(make_past_event(), **fields)
    attendance.note(registration, Attendance.Origin.HAND)
    registration.refresh_from_db()
    return registration


def path_of(registration: Registration, language: str = "") -> str:
    return f"{language}/mon-inscription/{registration.manage_code}/attestation.pdf"


def report_path(registration: Registration) -> str:
    return f"/rejoindre/{registration.join_code}/rapport.pdf"


def work(worker: str = "one") -> None:
    """What the thread of a worker does when it looks for documents."""
    Typesetter(worker).work()


@pytest.mark.typesetting
def test_whoever_asks_sees_a_waiting_page_that_follows_the_certificate_and_then_gets_it(client: Client) -> None:
    path = path_of(make_present())
    page = client.get(path)
    assert (page.status_code, page["Refresh"], page["Cache-Control"]) == (202, "5", "no-store, private")
    assert "L’attestation est en préparation" in page.text
    assert "Le téléchargement commence de lui-même dès que le document est prêt" in page.text
    assert f'<a href="{path}">Voir si le document est prêt</a>' in page.text
    work()
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="attestation.pdf"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_the_waiting_page_is_in_english_too(client: Client) -> None:
    page = client.get(path_of(make_present(language="en"), "/en")).text
    assert "The certificate is being prepared" in page
    assert "It downloads by itself as soon as it is ready" in page


@pytest.mark.usefixtures("html_only")
def test_people_who_fetch_at_once_are_answered_while_a_document_is_being_made(client: Client) -> None:
    """They waited five seconds each for a lock, in a thread of the web, and half of them got 503."""
    paths = [path_of(make_present()) for _ in range(7)]
    with pdf.rendering_lock:
        assert {client.get(path).status_code for path in paths} == {202}
    work()
    assert {client.get(path).status_code for path in paths} == {200}


def test_an_unknown_code_gets_404_and_asks_for_nothing(client: Client) -> None:
    assert client.get(f"/mon-inscription/{'x' * 22}/attestation.pdf").status_code == 404
    assert not Document.objects.exists()


@pytest.mark.usefixtures("html_only")
def test_who_is_not_entitled_gets_404_also_when_it_was_made_before(client: Client) -> None:
    absent, noted_by_mistake = make_registration(make_past_event()), make_present()
    client.get(path_of(noted_by_mistake))
    work()
    attendance.take_back(noted_by_mistake)
    assert [client.get(path_of(one)).status_code for one in (absent, noted_by_mistake)] == [404, 404]


@pytest.mark.usefixtures("html_only")
def test_the_document_is_kept_and_made_anew_when_what_it_says_changes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = make_present(last_name="Before")
    path = path_of(registration)
    client.get(path)
    work()
    first = client.get(path).content
    assert b"Before" in first
    with monkeypatch.context() as broken, time_machine.travel(timezone.now() + timedelta(days=2)):
        broken.setattr(pdf, "RENDERER", BROKEN)
        work()
        assert client.get(path).content == first

    Registration.objects.update(last_name="After")
    assert client.get(path).status_code == 202
    work()
    assert b"After" in client.get(path).content
    assert Document.objects.count() == 1


@pytest.mark.usefixtures("html_only")
def test_a_name_that_is_corrected_while_the_document_is_made_is_never_delivered_in_its_old_form(
    client: Client,
) -> None:
    registration = make_present(last_name="Before")
    client.get(path_of(registration))
    [claimed] = Document.objects.claim("one", at_most=1)
    Registration.objects.update(last_name="After")
    on_demand.make([claimed])
    assert client.get(path_of(registration)).status_code == 202
    work()
    assert b"After" in client.get(path_of(registration)).content


@pytest.mark.usefixtures("html_only")
def test_a_document_whose_worker_was_killed_is_made_by_another_one(client: Client) -> None:
    path = path_of(make_present())
    client.get(path)
    with liveness.alive_process() as killed:
        assert len(Document.objects.claim(killed, at_most=1)) == 1
        work()
        assert client.get(path).status_code == 202  # it is being made
    work()
    assert client.get(path).status_code == 200


@pytest.mark.usefixtures("html_only")
def test_a_document_whose_worker_was_lost_with_its_machine_is_made_after_the_lease(client: Client) -> None:
    path = path_of(make_present())
    client.get(path)
    Document.objects.claim("elsewhere", at_most=1)
    Document.objects.update(claimed_at=timezone.now() - LEASE - timedelta(seconds=1))
    work()
    assert client.get(path).status_code == 200


@pytest.mark.usefixtures("html_only")
def test_a_worker_that_comes_back_late_does_not_replace_what_another_one_makes() -> None:
    on_demand.ask(make_present())
    [late] = Document.objects.claim("late", at_most=1)
    Document.objects.update(claimed_at=timezone.now() - LEASE - timedelta(seconds=1))
    Document.objects.claim("one", at_most=1)
    on_demand.make([late])
    assert Document.objects.get().made_at is None


def test_a_worker_that_is_asked_to_stop_leaves_its_document_to_another_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    renderer = tmp_path / "waits.py"
    renderer.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(pdf, "RENDERER", renderer)
    on_demand.ask(make_present())
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    on_demand.make(Document.objects.claim("one", at_most=1), wanted=lambda: not stopping.is_set())
    document = Document.objects.get()
    assert (document.attempts, document.claimed_at) == (0, None)


def test_a_document_that_keeps_failing_is_explained_and_can_be_had_later(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of(make_present())
    client.get(path)
    with monkeypatch.context() as broken:
        broken.setattr(pdf, "RENDERER", BROKEN)
        work()
    assert Document.objects.get().attempts == ATTEMPTS_MAX
    answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"], "Refresh" in answer) == (503, "60", False)
    assert "Réessayez dans quelques minutes" in answer.text
    Document.objects.update(asked_at=timezone.now() - TRIED_AGAIN_AFTER - timedelta(seconds=1))
    assert client.get(path).status_code == 202


def test_one_document_that_fails_keeps_no_other_one_from_being_made(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    renderer = tmp_path / "fails_for_one.py"
    renderer.write_text(FAILS_FOR_ONE)
    monkeypatch.setattr(pdf, "RENDERER", renderer)
    paths = [path_of(make_present(last_name=name)) for name in ("Broken", "Good", "Better")]
    for path in paths:
        client.get(path)
    work()
    assert [client.get(path).status_code for path in paths] == [503, 200, 200]


def test_a_page_that_nobody_answers_no_longer_loads_itself_again(client: Client) -> None:
    """No worker runs."""
    path = path_of(make_present())
    client.get(path)
    Document.objects.update(asked_at=timezone.now() - timedelta(minutes=3))
    answer = client.get(path)
    assert (answer.status_code, "Refresh" in answer) == (503, False)


@pytest.mark.usefixtures("html_only")
def test_a_code_that_has_ever_new_certificates_made_gets_429(client: Client) -> None:
    registration = make_present()
    for number in range(rate_limits.CERTIFICATES_OF_REGISTRATION.limit):
        Registration.objects.update(last_name=f"Name {number}")
        assert client.get(path_of(registration)).status_code == 202
        assert client.get(path_of(registration)).status_code == 202  # to look again is not counted
        work()
    Registration.objects.update(last_name="One too many")
    answer = client.get(path_of(registration))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


@pytest.mark.usefixtures("html_only")
def test_an_erased_person_leaves_no_certificate() -> None:
    registration = make_present()
    on_demand.ask(registration)
    work()
    erasure.erase(registration)
    assert not Document.objects.exists()


# The study report, on a machine where it is not on the disk


@pytest.mark.usefixtures("html_only")
def test_a_report_that_is_not_on_the_disk_is_left_to_a_worker_too(client: Client) -> None:
    registration = make_registration(make_event(report_title="Le titre"))
    page = client.get(report_path(registration))
    assert (page.status_code, page["Refresh"]) == (202, "5")
    assert "Le document est en préparation" in page.text
    on_demand.make(Document.objects.claim("one", at_most=1))
    answer = client.get(report_path(registration))
    assert answer["Content-Disposition"] == 'attachment; filename="presentation-etude.pdf"'
    assert "Le titre" in answer.text


def test_a_report_that_is_on_the_disk_is_given_at_once(client: Client) -> None:
    registration = make_registration()
    study_report.stored_file(study_report.presentation_of(registration.event)).write_bytes(b"%PDF-1.7 made")
    assert client.get(report_path(registration)).content == b"%PDF-1.7 made"
    uploaded = make_event(report_file=SimpleUploadedFile("rapport.pdf", b"%PDF-1.6"))
    assert client.get(report_path(make_registration(uploaded))).content == b"%PDF-1.6"
    assert not Document.objects.exists()
