"""The page of an event with people, programme, partners: what is there is shown, what is absent leaves no trace."""

import json
import re
from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.models import Appearance, Event, EventPage, Partner, ProgrammeItem
from tests.factories import make_event, make_faces, make_picture, make_speaker

pytestmark = pytest.mark.django_db
NBSP = "\u00a0"


def page(client: Client, event: Event, *, english: bool = False) -> str:
    return client.get(("/en" if english else "") + event.get_absolute_url()).text


def headings(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


def data(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_a_page_shows_for_whom_who_when_how_and_with_whom(client: Client) -> None:
    event = make_event(description="")
    make_faces(event)
    html = page(client, event)
    assert headings(html) == [
        "Pour qui",
        "Intervenant·es",
        "Programme",
        "Documents",
        "Participer dans de bonnes conditions",
        "En partenariat avec",
        "En parler autour de vous",
    ]
    for words in [
        "Élu·es et associations",
        "Ada Oratrice",
        "<span>Médiatrice</span>",
        "Accueil",
        "Allemand",
    ]:
        assert words in html
    assert f"Sous-titres en direct{NBSP}; interprétation en langue des signes française" in html
    assert "Un numéro est donné avec le lien" in html
    assert '<a href="https://rives.example.org/" rel="noreferrer">' in html


def test_the_english_page_says_the_same_and_marks_what_is_french(client: Client) -> None:
    event = make_event(description="")
    make_faces(event)
    html = page(client, event, english=True)
    assert headings(html) == [
        "For whom",
        "Speakers",
        "Programme",
        "Documents",
        "Taking part in good conditions",
        "In partnership with",
        "Tell others about it",
    ]
    assert "Live subtitles; interpretation in French sign language" in html
    assert "<dd>German</dd>" in html
    assert '<span lang="fr">Médiatrice</span>' in html


def test_what_is_absent_has_no_heading(client: Client) -> None:
    event = make_event(description="", report=False)
    absent = headings(page(client, event))
    assert absent == ["Participer dans de bonnes conditions", "En parler autour de vous"]
    EventPage.objects.create(event=event)
    assert headings(page(client, event)) == absent


def test_the_programme_is_in_the_zone_of_the_event(client: Client) -> None:
    start = datetime(2036, 5, 13, 5, 30, tzinfo=UTC)
    event = make_event(starts_at=start, timezone="Pacific/Noumea")
    ProgrammeItem.objects.create(event=event, starts_at=time(17), title="Questions")
    html = page(client, event)
    assert f'<time datetime="17:00">17{NBSP}h</time>' in html
    assert data(html)["subEvent"][0]["startDate"] == "2036-05-13T17:00:00+11:00"


def test_the_programme_of_a_night_is_in_the_order_of_the_session(client: Client) -> None:
    event = make_event(starts_at=datetime(2036, 1, 1, 22, 30, tzinfo=UTC))  # 23:30 in Paris
    ProgrammeItem.objects.create(event=event, starts_at=time(0, 15), title="Ensuite")
    ProgrammeItem.objects.create(event=event, starts_at=time(23, 30), title="D’abord")
    html = page(client, event)
    assert html.index("D’abord</p>") < html.index("Ensuite</p>")
    assert data(html)["subEvent"][1]["startDate"] == "2036-01-02T00:15:00+01:00"


def test_a_postponed_event_has_no_hours(client: Client) -> None:
    event = make_event(status="postponed")
    make_faces(event)
    html = page(client, event)
    assert "Programme" not in headings(html)
    assert "subEvent" not in data(html)


def test_search_engines_read_who_for_whom_and_how(client: Client) -> None:
    event = make_event()
    make_faces(event)
    content = data(page(client, event))
    assert content["performer"] == [
        {
            "@type": "Person",
            "name": "Ada Oratrice",
            "jobTitle": "Médiatrice",
            "affiliation": {"@type": "Organization", "name": "Ville de Nulle-Part"},
            "description": "Elle écoute.",
        }
    ]
    assert content["contributor"] == [
        {"@type": "Organization", "name": "Réseau Rives", "url": "https://rives.example.org/"}
    ]
    assert content["audience"] == {"@type": "Audience", "audienceType": "Élu·es et associations"}
    assert content["inLanguage"] == "de"
    assert "langue des signes" in content["location"]["description"]


def test_initials_stand_only_beside_portraits(client: Client) -> None:
    event = make_event()
    make_speaker(event)
    assert "initials" not in page(client, event)
    make_speaker(event, name="Zoë D’Arcy", picture=make_picture(), picture_description="Zoë, cheveux gris")
    html = page(client, event)
    assert '<span class="initials" aria-hidden="true">AO</span>' in html
    assert 'alt="Zoë, cheveux gris"' in html


def test_speakers_come_in_their_order(client: Client) -> None:
    event = make_event()
    make_speaker(event, name="Première")
    make_speaker(event, name="Seconde")
    html = page(client, event)
    assert html.index("<h3>Première") < html.index("<h3>Seconde")


@pytest.mark.parametrize(
    "change",
    [
        lambda event: Appearance.objects.get(event=event).speaker.delete(),
        lambda event: event.programme.get().delete(),
        lambda event: event.partners.all().delete(),
        lambda event: make_speaker(event, name="Une autre"),
        lambda event: Partner.objects.create(event=event, name="Un autre"),
    ],
)
def test_a_changed_part_is_on_the_page_at_once(client: Client, change: Any) -> None:
    event = make_event()
    make_faces(event)
    before = page(client, event)
    change(event)
    assert page(client, event) != before


def test_a_correction_of_a_speaker_is_on_every_page_at_once(client: Client) -> None:
    events = [make_event(), make_event()]
    speaker = make_speaker(events[0])
    Appearance.objects.create(event=events[1], speaker=speaker)
    for event in events:
        page(client, event)
    speaker.role = "Directrice"
    speaker.save()
    assert all("Directrice" in page(client, event) for event in events)


def test_a_kept_page_with_all_its_parts_costs_one_query(client: Client) -> None:
    event = make_event()
    make_faces(event)
    page(client, event)
    with CaptureQueriesContext(connection) as captured:
        page(client, event)
    assert len(captured) == 1


def test_a_deleted_event_takes_its_parts_along_and_leaves_the_speakers() -> None:
    event = make_event()
    make_faces(event)
    speaker = Appearance.objects.get().speaker
    event.delete()
    speaker.refresh_from_db()
    assert not (EventPage.objects.exists())
    assert not (Appearance.objects.exists())
    assert not (Partner.objects.exists())
