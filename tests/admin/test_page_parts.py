"""Speakers, programme, partners and pictures in the desk: typed on a page of their own, shown on the event's page."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.models import Appearance, Event, EventPage, Partner, Picture, ProgrammeItem, Speaker
from tests.admin_client import messages
from tests.documents.pictures import photograph
from tests.factories import make_event, make_faces, make_speaker

pytestmark = pytest.mark.django_db
SPEAKERS = "/admin/registrations/speaker/"


def upload(name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photograph(600, 600))


def rows(prefix: str, *fields: dict[str, Any]) -> dict[str, Any]:
    """Rows added to an inline of the form."""
    typed = {f"{prefix}-{row}-{name}": value for row, one in enumerate(fields) for name, value in one.items()}
    return {**typed, f"{prefix}-TOTAL_FORMS": str(len(fields)), f"{prefix}-INITIAL_FORMS": "0"}


def parts(event: Event) -> str:
    return f"/admin/registrations/event/{event.pk}/parts/"


def unchanged(organiser: Client, event: Event) -> dict[str, Any]:
    """What the form sends without any change, management forms included: they are read from its page."""
    page = organiser.get(parts(event))
    return {
        f"{one.formset.prefix}-{name}": value
        for one in page.context["inline_admin_formsets"]
        for name, value in one.formset.management_form.initial.items()
        if f'name="{one.formset.prefix}-{name}"' in page.text
    }


def save(organiser: Client, event: Event, **changes: Any) -> Any:
    page = organiser.post(parts(event), {**unchanged(organiser, event), **changes}, follow=True)
    assert page.redirect_chain, page.context["errors"]
    return page


def test_everything_on_the_page_is_typed_in_a_form_beside_that_of_the_event(organiser: Client, client: Client) -> None:
    event = make_event(report=False)
    speaker = make_speaker()
    hour = event.starts_at.astimezone(event.zone).time()
    changes = {
        **rows("page", {"audience": "Les élu·es", "language": "fr", "upload": upload()}),
        **rows("appearances", {"position": "1", "speaker": str(speaker.pk)}),
        **rows("programme", {"starts_at": f"{hour:%H:%M}", "title": "Accueil", "speakers": ""}),
        **rows("partners", {"position": "1", "name": "Rives", "link": "", "upload": upload()}),
    }
    save(organiser, event, **changes)
    html = client.get(event.get_absolute_url()).text
    for words in ["Les élu·es", "Ada Oratrice", "Accueil", 'alt="Rives"', 'class="cover"']:
        assert words in html
    assert (Picture.objects.count(), EventPage.objects.count()) == (2, 1)


def test_a_part_outside_the_session_is_said(organiser: Client) -> None:
    event = make_event(report=False)
    early = (event.starts_at - timedelta(hours=2)).astimezone(event.zone)
    page = save(organiser, event, **rows("programme", {"starts_at": f"{early:%H:%M}", "title": "Accueil"}))
    assert "En dehors des heures de la séance_: Accueil." in messages(page)


def test_a_file_that_is_no_picture_is_refused_with_what_to_do(organiser: Client) -> None:
    event = make_event(report=False)
    wrong = SimpleUploadedFile("photo.jpg", b"<svg/>")
    typed = {**unchanged(organiser, event), **rows("page", {"upload": wrong})}
    assert "choisissez un fichier JPEG" in organiser.post(parts(event), typed).text
    assert not Picture.objects.exists()


def test_a_picture_is_taken_out_again(organiser: Client) -> None:
    event = make_event(report=False)
    save(organiser, event, **rows("page", {"upload": upload()}))
    made = str(EventPage.objects.get().pk)
    cleared = {
        "page-0-id": made,
        "page-0-event": str(event.pk),
        "page-0-upload-clear": "on",
        "page-INITIAL_FORMS": "1",
    }
    save(organiser, event, **{"page-TOTAL_FORMS": "1", **cleared})
    assert EventPage.objects.get().picture is None


def test_a_speaker_is_written_once_with_a_picture_that_is_described(organiser: Client) -> None:
    typed = {"name": "Ada Oratrice", "role": "", "organisation": "", "bio": "", "picture_description": ""}
    refused = organiser.post(f"{SPEAKERS}add/", {**typed, "upload": upload()})
    assert "Décrivez l’image" in refused.text
    organiser.post(f"{SPEAKERS}add/", {**typed, "upload": upload(), "picture_description": "Ada, de face"})
    assert Speaker.objects.get().picture


def test_the_same_person_twice_is_refused(organiser: Client) -> None:
    event = make_event(report=False)
    speaker = str(make_speaker().pk)
    twice = rows("appearances", {"position": "1", "speaker": speaker}, {"position": "2", "speaker": speaker})
    organiser.post(parts(event), {**unchanged(organiser, event), **twice})
    assert not Appearance.objects.exists()


def test_the_form_costs_the_same_for_one_part_and_for_three(organiser: Client) -> None:
    def asked(event: Event) -> int:
        with CaptureQueriesContext(connection) as captured:
            organiser.get(parts(event))
        return len(captured)

    event = make_event()
    make_faces(event)
    one = asked(event)
    for number in range(2):
        make_speaker(event, name=f"Autre {number}")
        Partner.objects.create(event=event, name=f"Partenaire {number}")
        ProgrammeItem.objects.create(event=event, starts_at=time(10 + number), title="Suite")
    assert asked(event) == one
