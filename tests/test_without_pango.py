"""A machine without Pango: the site works, promises no document that it cannot make, and says what to install."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from registrations.documents import study_report
from registrations.domain import attendance
from registrations.mailing import outbox
from registrations.models import Attendance, Delivery, Registration
from registrations.runtime import pango
from tests import mailbox
from tests.admin_client import EVENTS, logged_in
from tests.factories import make_event, make_past_event, make_registration
from tests.journey import Journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_pango")]

DEBIAN = "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0"


@pytest.fixture(autouse=True)
def _own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = settings.MEDIA_ROOT = tmp_path


def with_certificate() -> Registration:
    registration = make_registration(make_past_event())
    attendance.note(registration, Attendance.Origin.HAND)
    registration.refresh_from_db()
    return registration


def test_the_first_mail_leaves_at_once_without_the_report_and_says_so(journey: Journey) -> None:
    thanks = journey.sign_up(make_event(), email="zoe@example.org")
    [message] = journey.mails()
    assert "le lien de connexion et l’invitation d’agenda." in thanks.text
    assert "rapport" not in thanks.text
    assert mailbox.attachment_names(message) == ["invitation.ics"]
    for words in (mailbox.text(message), " ".join(mailbox.html(message).split())):
        assert "La présentation de l’étude n’est pas encore disponible" in words
        assert "rapport.pdf" not in words
    assert "rapport.pdf" not in mailbox.part(message, "text/calendar").decode()
    assert [delivery.attempts for delivery in Delivery.objects.filter(kind="confirmation")] == [1]


@pytest.mark.parametrize("days", [7, -30])
def test_no_page_promises_the_report(client: Client, days: int) -> None:
    event = make_event(starts_in=timedelta(days=days), open_after_session=True)
    registration = make_registration(event)
    page = f"/evenements/{event.slug}/"
    for path in (page, f"{page}inscription/", f"/rejoindre/{registration.join_code}/"):
        text = client.get(path).text
        assert "rapport d’étude" not in text
        assert "présentation de l’étude" not in text
        assert "rapport.pdf" not in text


def test_the_reminder_promises_no_report(outbox_folder: Path) -> None:
    Delivery.objects.enqueue(make_registration(make_event(starts_in=timedelta(hours=20))), Delivery.Kind.REMINDER_DAY)
    outbox.drain()
    [message] = mailbox.read_folder(outbox_folder)
    assert "rapport" not in mailbox.text(message)


def test_the_follow_up_promises_neither_report_nor_certificate(outbox_folder: Path) -> None:
    registration = with_certificate()
    Delivery.objects.enqueue(registration, Delivery.Kind.FOLLOW_UP)
    outbox.drain()
    [message] = mailbox.read_folder(outbox_folder)
    assert "rapport" not in message["Subject"].lower()
    assert "attestation" not in mailbox.text(message)
    assert registration.manage_url in mailbox.text(message)


def test_a_link_to_the_report_in_an_older_mail_leads_to_a_clear_page(client: Client) -> None:
    answer = client.get(f"/rejoindre/{make_registration().join_code}/rapport.pdf")
    assert answer.status_code == 503
    assert "Le document n’est pas encore disponible" in answer.text
    assert "Ce site ne peut pas produire de documents PDF pour le moment." in answer.text
    assert "contact@example.org" in answer.text
    assert "en préparation" not in answer.text


def test_a_link_to_the_certificate_leads_to_a_clear_page_and_none_is_shown(client: Client) -> None:
    mine = f"/mon-inscription/{with_certificate().manage_code}/"
    assert "attestation.pdf" not in client.get(mine).text
    answer = client.get(mine + "attestation.pdf")
    assert answer.status_code == 503
    assert "L’attestation n’est pas encore disponible" in answer.text
    assert "Réessayez dans quelques minutes" not in answer.text


def test_an_uploaded_report_is_attached_and_given_all_the_same(client: Client, journey: Journey) -> None:
    event = make_event(report=False, report_file=SimpleUploadedFile("rapport.pdf", b"%PDF-1.7 ours\n%%EOF"))
    thanks = journey.sign_up(event, email="zoe@example.org")
    [message] = journey.mails()
    assert "et le rapport d’étude." in thanks.text
    assert mailbox.part(message, "application/pdf") == b"%PDF-1.7 ours\n%%EOF"
    path = f"/rejoindre/{event.registrations.get().join_code}/"
    assert f'href="{path}rapport.pdf"' in client.get(path).text
    assert client.get(path + "rapport.pdf").content == b"%PDF-1.7 ours\n%%EOF"


def test_a_report_that_was_typeset_before_is_still_given(client: Client) -> None:
    registration = make_registration()
    kept = study_report.stored_file(study_report.presentation_of(registration.event))
    kept.write_bytes(b"%PDF-1.7 made last week")
    answer = client.get(f"/rejoindre/{registration.join_code}/rapport.pdf")
    assert answer.content == b"%PDF-1.7 made last week"


def test_the_first_page_of_the_admin_says_what_to_install() -> None:
    page = logged_in().get("/admin/").text
    assert "la bibliothèque Pango n’y est pas installée" in page
    assert f"<code>{DEBIAN}</code>" in page
    assert "brew install pango" in page


def test_a_machine_with_pango_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pango, "LIBRARIES", {})  # a system whose libraries are not looked for
    pango.missing_libraries.cache_clear()
    assert "Pango" not in logged_in().get("/admin/").text


def test_documents_of_the_admin_are_refused_in_a_sentence_that_does_not_say_try_again() -> None:
    event, organiser = make_past_event(), logged_in()
    make_registration(event)
    answers = [
        organiser.post(reverse("admin:registrations_event_figures_pdf", args=[event.pk]), follow=True),
        organiser.post(f"{EVENTS}{event.pk}/lists/", {"document": "sign-in-sheet"}, follow=True),
    ]
    for answer in answers:
        assert "une bibliothèque manque sur le serveur" in answer.text
        assert "Réessayez dans quelques minutes" not in answer.text


def test_the_worker_prepares_nothing() -> None:
    make_event(ends_at=timezone.now() + timedelta(days=30))
    assert study_report.prepare(set(), wanted=lambda: True) == set()
