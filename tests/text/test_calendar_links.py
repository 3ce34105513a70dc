"""*Ajouter à mon agenda*: links that make an entry in a calendar on the web."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from registrations.text.calendar_links import calendar_links
from tests.factories import make_event, make_past_event

pytestmark = pytest.mark.django_db

START = datetime(2030, 5, 14, 14, 30, tzinfo=UTC)


def test_each_calendar_gets_the_hours_in_utc_and_the_public_page() -> None:
    event = make_event(title="Titre & co", starts_at=START)
    google, outlook, office = [parse_qs(urlsplit(address).query) for _name, address in calendar_links(event)]
    page = f"https://webinaires.example.org/evenements/{event.slug}/"
    assert google["text"] == outlook["subject"] == office["subject"] == ["Titre & co"]
    assert google["dates"] == ["20300514T143000Z/20300514T160000Z"]
    assert (outlook["startdt"], outlook["enddt"]) == (["2030-05-14T14:30:00Z"], ["2030-05-14T16:00:00Z"])
    assert all(page in "".join(words) for words in (google["details"], outlook["body"], office["body"]))


def test_an_entry_made_before_signing_up_says_that_it_may_be_deleted_then() -> None:
    for event, said in ((make_event(), True), (make_event(registration_closes_at=timezone.now()), False)):
        for _name, address in calendar_links(event):
            assert ("Supprimez alors celui-ci." in unquote(address)) == said


def test_no_link_holds_the_room() -> None:
    event = make_event()
    assert not any("visio.example.net" in address for _name, address in calendar_links(event))


def test_before_sign_up_opens_the_entry_is_the_opening() -> None:
    event = make_event(registration_opens_at=timezone.now() + timedelta(days=1), title="Titre")
    _name, address = calendar_links(event)[0]
    query = parse_qs(urlsplit(address).query)
    assert query["text"] == ["Ouverture des inscriptions\u00a0: Titre"]
    assert query["dates"][0].startswith(f"{event.registration_opens_at:%Y%m%dT%H%M%SZ}")


def test_who_signs_up_is_told_that_the_invitation_makes_the_entry(client: Client) -> None:
    page = client.get(make_event().get_absolute_url()).text
    assert "L’invitation jointe au courriel crée ce rendez-vous" in page
    assert page.index("<summary>", page.index('class="more"')) < page.index("calendar.google.com")


def test_a_past_or_cancelled_event_goes_into_no_calendar(client: Client) -> None:
    for event in (make_past_event(open_after_session=True), make_event(status="cancelled")):
        assert "calendar.google.com" not in client.get(event.get_absolute_url()).text
