"""Documents of an event: on its page, on the personal pages, in the mails; each for whom and from when it is meant."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.models import Event, EventDocument, Registration
from tests.factories import make_document, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 guide"
EVERYBODY, REGISTRANTS, AFTERWARDS = "everybody", "registrants", "afterwards"


def address(registration: Registration, document: EventDocument) -> str:
    return f"/rejoindre/{registration.join_code}/documents/{document.pk}.pdf"


def test_a_document_for_everybody_is_a_link_on_the_page_and_is_kept_for_good(client: Client) -> None:
    event = make_event(report=False)
    document = make_document(event)
    page = client.get(event.get_absolute_url()).text
    assert f'href="/documents/{document.digest}.pdf"' in page
    assert "(PDF, 1\u00a0ko)" in page.replace("1 Ko", "1\u00a0ko").replace("1\u00a0Ko", "1\u00a0ko")
    response = client.get(f"/documents/{document.digest}.pdf")
    assert (response.content, response["Cache-Control"]) == (PDF, "public, max-age=31536000, immutable")
    assert response["Content-Disposition"] == 'attachment; filename="le-guide.pdf"'
    assert "sandbox" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"audience": REGISTRANTS, "attached": True}, "Envoyé aux personnes inscrites, avec la confirmation"),
        ({"audience": REGISTRANTS}, "Pour les personnes inscrites, sur leur page personnelle"),
        ({"audience": AFTERWARDS}, "Après la séance, pour les personnes inscrites"),
    ],
)
def test_a_document_for_registrants_is_named_on_the_page_without_a_link(
    fields: dict[str, Any], words: str, client: Client
) -> None:
    event = make_event(report=False)
    document = make_document(event, **fields)
    page = client.get(event.get_absolute_url()).text
    assert words in page
    assert document.digest not in page
    assert client.get(f"/documents/{document.digest}.pdf").status_code == 404


def test_no_document_leaves_no_heading(client: Client) -> None:
    page = client.get(make_event(report=False).get_absolute_url()).text
    assert "<h2>Documents</h2>" not in page


def test_the_study_report_is_one_of_the_documents(client: Client) -> None:
    page = client.get(make_event().get_absolute_url()).text
    assert "<h2>Documents</h2>" in page
    assert "La présentation de l’étude</b>" in page.replace("\u2019", "’")


def test_the_document_of_a_draft_is_not_found(client: Client) -> None:
    document = make_document(make_event(status=Event.Status.DRAFT))
    assert client.get(f"/documents/{document.digest}.pdf").status_code == 404


def test_the_page_follows_a_new_document_and_asks_one_query_as_long_as_nothing_changes(client: Client) -> None:
    event = make_event(report=False)
    client.get(event.get_absolute_url())
    document = make_document(event)
    assert document.digest in client.get(event.get_absolute_url()).text
    with CaptureQueriesContext(connection) as captured:
        client.get(event.get_absolute_url())
    assert len(captured) == 1
    document.delete()
    assert "Le guide" not in client.get(event.get_absolute_url()).text


def test_a_registrant_opens_the_documents_behind_the_personal_link(client: Client) -> None:
    registration = make_registration(make_event(report=False))
    document = make_document(registration.event, REGISTRANTS)
    for page in (f"/rejoindre/{registration.join_code}/", f"/mon-inscription/{registration.manage_code}/"):
        assert f'href="{address(registration, document)}"' in client.get(page).text
    response = client.get(address(registration, document))
    assert (response.content, response["Cache-Control"]) == (PDF, "no-store, private")


def test_a_document_of_another_event_is_not_found(client: Client) -> None:
    document = make_document(make_event(), REGISTRANTS)
    assert client.get(address(make_registration(), document)).status_code == 404


def test_what_is_for_after_the_session_comes_only_then(client: Client) -> None:
    before, after = make_registration(make_event(report=False)), make_registration(make_past_event(report=False))
    for registration, status in ((before, 404), (after, 200)):
        document = make_document(registration.event, AFTERWARDS)
        assert client.get(address(registration, document)).status_code == status
        page = client.get(f"/rejoindre/{registration.join_code}/").text
        assert (address(registration, document) in page) is (status == 200)


def test_a_dry_run_shows_what_a_visitor_would_see_at_that_moment(client: Client) -> None:
    trial = make_registration(make_event(report=False, status=Event.Status.DRAFT), is_dry_run=True)
    now, later = make_document(trial.event, REGISTRANTS), make_document(trial.event, AFTERWARDS)
    page = f"/rejoindre/{trial.join_code}/"
    shown = {moment: client.get(f"{page}?moment={moment}").text for moment in ("avant", "ouvert", "apres")}
    assert {moment: address(trial, now) in text for moment, text in shown.items()} == dict.fromkeys(shown, True)
    listed = {moment: f'href="{address(trial, later)}?moment=apres"' in text for moment, text in shown.items()}
    assert listed == {"avant": False, "ouvert": False, "apres": True}
    assert client.get(f"{address(trial, later)}?moment=apres").status_code == 200
    assert client.get(address(trial, later)).status_code == 404


def test_a_registrant_cannot_open_what_is_for_after_the_session_by_naming_a_moment(client: Client) -> None:
    registration = make_registration(make_event(report=False))
    document = make_document(registration.event, AFTERWARDS)
    assert client.get(f"{address(registration, document)}?moment=apres").status_code == 404


def test_during_the_session_the_documents_are_in_a_fold(client: Client) -> None:
    registration = make_registration(make_event(report=False, starts_in=-timedelta(minutes=5)))
    document = make_document(registration.event, REGISTRANTS)
    assert address(registration, document) in client.get(f"/rejoindre/{registration.join_code}/").text


def test_a_link_leads_straight_to_its_place(client: Client) -> None:
    registration = make_registration(make_event(report=False))
    make_document(registration.event, link="https://exemple.example.org/note")
    for page in (registration.event.get_absolute_url(), f"/rejoindre/{registration.join_code}/"):
        assert 'href="https://exemple.example.org/note" rel="noreferrer"' in " ".join(client.get(page).text.split())


def test_a_file_that_is_gone_is_said_to_the_registrant(client: Client) -> None:
    registration = make_registration(make_event(report=False))
    document = make_document(registration.event, REGISTRANTS)
    document.file.storage.delete(str(document.file.name))
    assert client.get(address(registration, document)).status_code == 503


@pytest.mark.parametrize("fields", [{"link": ""}, {"link": "https://a.example.org", "attached": True}])
def test_the_database_refuses_a_document_that_is_neither_file_nor_link(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        EventDocument.objects.create(event=make_event(), name="Rien", **fields)
