"""Documents of an event in its mails: attached where they fit, linked where not, each from its moment on."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registrations.mailing import claims, composer
from registrations.models import Delivery, Event, Registration
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 guide"
Kind = Delivery.Kind


def add(event: Event, name: str, content: bytes = PDF, **fields: Any) -> Any:
    file = {} if "link" in fields else {"file": ContentFile(content, "a.pdf")}
    return event.documents.create(name=name, **file, **fields)


def mail(registration: Registration, kind: Delivery.Kind = Kind.CONFIRMATION) -> Any:
    return composer.compose(Delivery.objects.enqueue(registration, kind))


def attached(mail: Any) -> list[tuple[str, bytes]]:
    return [
        (one.filename, one.content) for one in mail.attachments if getattr(one, "mimetype", "") == "application/pdf"
    ]


def url(registration: Registration, document: Any) -> str:
    return f"/rejoindre/{registration.join_code}/documents/{document.pk}.pdf"


def test_the_confirmation_brings_what_is_attached_and_links_the_rest() -> None:
    event = make_event(report=False)
    guide = add(event, "Guide", attached=True)
    note = add(event, "Note", audience="everybody")
    add(event, "Site", link="https://exemple.example.org/site")
    registration = make_registration(event)
    sent = mail(registration)
    assert attached(sent) == [("guide.pdf", PDF)]
    assert "Guide (PDF, 1\u00a0Ko), en pièce jointe" in sent.body
    assert f"{url(registration, guide)}\n" in sent.body
    assert "Note (PDF, 1\u00a0Ko), à télécharger" in sent.body
    assert "Site, à ouvrir\u00a0:\nhttps://exemple.example.org/site\n" in sent.body
    [html] = [one.content for one in sent.alternatives if one.mimetype == "text/html"]
    for address in (url(registration, guide), url(registration, note), "https://exemple.example.org/site"):
        assert f'{address}"' in html


def test_the_mail_without_documents_has_no_heading_for_them() -> None:
    sent = mail(make_registration(make_past_event(report=False, open_after_session=True)))
    [html] = [one.content for one in sent.alternatives if one.mimetype == "text/html"]
    assert "Documents" not in html


def test_the_follow_up_brings_what_is_for_after_the_session_and_links_the_rest() -> None:
    event = make_past_event(report=False)
    add(event, "Guide", attached=True)
    add(event, "Diaporama", audience="afterwards", attached=True)
    registration = make_registration(event)
    sent = mail(registration, Kind.FOLLOW_UP)
    assert attached(sent) == [("diaporama.pdf", PDF)]
    assert "Guide (PDF, 1\u00a0Ko), à télécharger" in sent.body
    assert "Diaporama (PDF, 1\u00a0Ko), en pièce jointe" in sent.body


def test_what_is_for_after_the_session_is_not_in_a_confirmation_before() -> None:
    event = make_event(report=False)
    add(event, "Diaporama", audience="afterwards", attached=True)
    sent = mail(make_registration(event))
    assert attached(sent) == []
    assert "Diaporama" not in sent.body


def test_documents_that_are_too_large_together_are_linked(settings: Settings) -> None:
    settings.MAIL_MAX_BYTES = 3000
    event = make_event(report=False)
    for number, name in enumerate(["Un", "Deux", "Trois"]):
        add(event, name, content=PDF.ljust(1500 if name != "Trois" else 300), attached=True, position=number)
    sent = mail(make_registration(event))
    assert [name for name, _content in attached(sent)] == ["un.pdf", "trois.pdf"]
    assert "Deux (PDF, 2\u00a0Ko), à télécharger" in sent.body


def test_a_file_that_is_gone_keeps_no_confirmation_from_leaving() -> None:
    event = make_event(report=False)
    document = add(event, "Guide", attached=True)
    document.file.storage.delete(str(document.file.name))
    sent = mail(make_registration(event))
    assert attached(sent) == []
    assert "Guide (PDF, 1\u00a0Ko), à télécharger" in sent.body


def asked(event: Event) -> int:
    Delivery.objects.all().delete()
    Delivery.objects.enqueue(make_registration(event), Kind.CONFIRMATION)
    with CaptureQueriesContext(connection) as captured:
        claimed = claims.claim()
        assert claimed
        composer.compose(claimed)
    return len(captured)


def test_a_mail_without_documents_asks_for_none() -> None:
    without, some = make_event(report=False), make_event(report=False)
    add(some, "Site", link="https://exemple.example.org/site")
    asked(without)
    before = asked(without)
    assert asked(some) == before + 1
    add(some, "Autre", link="https://exemple.example.org/autre")
    assert asked(some) == before + 1
    without.starts_at += timedelta(days=1)
    with CaptureQueriesContext(connection) as captured:
        asked(without)
    assert not [
        query for query in captured.captured_queries if query["sql"].startswith('SELECT "registrations_eventdoc')
    ]


@pytest.mark.parametrize("kind", [Kind.REMINDER_DAY, Kind.REMINDER_HOUR])
def test_a_reminder_lists_what_may_be_read_before_the_session_and_attaches_nothing_again(kind: Delivery.Kind) -> None:
    event = make_event()
    guide, note = add(event, "Guide", attached=True), add(event, "Note", audience="everybody")
    add(event, "Diaporama", audience="afterwards")
    registration = make_registration(event)
    sent = mail(registration, kind)
    assert attached(sent) == []
    assert f"Guide (PDF, 1\u00a0Ko), à télécharger\u00a0:\n{settings.BASE_URL}{url(registration, guide)}" in sent.body
    assert "Note (PDF, 1\u00a0Ko), à télécharger" in sent.body
    assert registration.report_url in sent.body
    assert "Diaporama" not in sent.body
    [html] = [one.content for one in sent.alternatives if one.mimetype == "text/html"]
    for address in (url(registration, guide), url(registration, note), registration.report_url):
        assert f'{address}"' in html


@pytest.mark.parametrize("kind", [Kind.REMINDER_DAY, Kind.REMINDER_HOUR])
def test_a_reminder_without_documents_has_no_heading_for_them(kind: Delivery.Kind) -> None:
    sent = mail(make_registration(make_event(report=False)), kind)
    [html] = [one.content for one in sent.alternatives if one.mimetype == "text/html"]
    assert "Documents" not in html


def test_the_follow_up_of_a_dry_run_brings_what_people_will_get_then(client: Client) -> None:
    event = make_event(report=False, status="draft")
    slides = add(event, "Diaporama", audience="afterwards")
    registration = make_registration(event, is_dry_run=True)
    sent = mail(registration, Kind.FOLLOW_UP)
    address = f"{url(registration, slides)}?moment=apres"
    assert address in sent.body
    assert client.get(address).status_code == 200
