"""The list of webinars: as a page, as a feed, as a calendar."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import icalendar
import pytest
from django.test import Client

from registrations.models import Event, EventPage
from registrations.views import home
from tests.factories import (
    make_document,
    make_event,
    make_past_event,
    make_picture,
    make_registration,
    make_speaker,
)

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = timedelta(days=1)


def years(page: Any) -> list[tuple[int, list[str]]]:
    return [(year, [event.title for event in events]) for year, events in page.context["years"]]


def test_the_events_to_come_stand_nearest_first_and_drafts_nowhere(client: Client) -> None:
    for number in range(3):
        make_event(title=f"Numéro {number}", starts_in=(9 - number) * DAY)
    make_event(status="draft", title="Brouillon")
    make_event(status="cancelled", title="Annulé")
    page = client.get("/")
    assert [event.title for event in page.context["events"]] == ["Numéro 2", "Numéro 1", "Numéro 0"]
    assert page.text.count('class="button"') == 1


def test_a_single_event_to_come_leaves_the_past_ones_in_reach(client: Client) -> None:
    past, coming = make_past_event(title="Le précédent"), make_event()
    page = client.get("/").text
    assert coming.get_absolute_url() in page
    assert past.get_absolute_url() in page


def test_past_events_stand_by_year_with_their_recording_and_report(client: Client) -> None:
    make_event(title="Mai", starts_in=-30 * DAY, replay_url="https://video.example.net/1")
    make_event(title="Avril", starts_in=-60 * DAY, status="cancelled")
    open_one = make_event(title="Avant", starts_in=-400 * DAY, open_after_session=True, report_file="a.pdf")
    page = client.get("/")
    assert years(page) == [(2026, ["Mai", "Avril"]), (2025, ["Avant"])]
    assert 'href="https://video.example.net/1"' in page.text
    assert f'href="/evenements/{open_one.slug}/inscription/"' in page.text
    assert "(annulé)" in page.text


def test_the_nearest_event_shows_its_picture_and_who_speaks(client: Client) -> None:
    first, second = make_event(starts_in=DAY), make_event(starts_in=2 * DAY)
    pictures = [make_picture(), make_picture()]
    for event, picture in zip([first, second], pictures, strict=True):
        EventPage.objects.create(event=event, picture=picture, picture_description="Une rue")
        for name in ("Ada", "Bob", "Cléo"):
            make_speaker(event, name=name)
    page = client.get("/").text
    assert "Avec Ada, Bob et Cléo" in page
    assert "With Ada, Bob and Cléo" in client.get("/en/").text
    assert page.count("Avec Ada") == 1
    assert [f'<img src="{picture.src}"' in page for picture in pictures] == [True, False]
    assert 'sizes="(min-width: 60rem) 32rem, 100vw"' in page


@pytest.mark.parametrize(("count", "words"), [(0, ""), (1, "Un document"), (3, "3 documents")])
def test_a_past_event_says_how_many_documents_everybody_may_open(client: Client, count: int, words: str) -> None:
    event = make_past_event(report=False)
    make_document(event, "registrants")
    for number in range(count):
        make_document(event, content=f"%PDF-1.7 {number}".encode())
    page = client.get("/").text
    assert words in page
    assert (f'href="{event.get_absolute_url()}#documents"' in page) is bool(count)
    assert 'id="documents"' in client.get(event.get_absolute_url()).text


def test_no_past_event_is_out_of_reach(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "PAST_ON_A_PAGE", 2)
    for number in range(5):
        make_event(title=str(number), starts_in=-(number + 1) * DAY)
    pages = [client.get("/", {"page": number}) for number in (1, 2, 3)]
    assert [titles for page in pages for _year, titles in years(page)] == [["0", "1"], ["2", "3"], ["4"]]
    assert 'href="?page=2"' in pages[0].text
    assert "À venir" not in pages[1].text


def test_home_without_any_open_event_shows_the_past_ones(client: Client) -> None:
    past = make_past_event(title="Le précédent")
    page = client.get("/")
    assert "Aucun webinaire n’est annoncé" in page.text
    assert past.get_absolute_url() in page.text


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_for_one_event_and_for_three(
    client: Client, django_assert_num_queries: Any, count: int
) -> None:
    for _ in range(count):
        make_event(capacity=1)
        make_registration(make_past_event(capacity=1, open_after_session=True))
    with django_assert_num_queries(3):
        client.get("/")


def entries(client: Client, path: str = "/webinaires.atom") -> tuple[Any, list[Any]]:
    feed = ET.fromstring(client.get(path).content)  # noqa: S314 - our own feed
    return feed, feed.findall(f"{ATOM}entry")


def test_the_feed_names_each_public_event_on_the_address_of_the_site(client: Client) -> None:
    event = make_event(title="Le prochain")
    make_event(status="draft")
    make_event(status="postponed")
    feed, [entry] = entries(client)
    page = f"https://webinaires.example.org/evenements/{event.slug}/"
    assert entry.find(f"{ATOM}title").text == "Le prochain"
    assert entry.find(f"{ATOM}link").get("href") == page
    assert entry.find(f"{ATOM}id").text == page
    assert "Mardi" in entry.find(f"{ATOM}summary").text or "mardi" in entry.find(f"{ATOM}summary").text
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == "https://webinaires.example.org/webinaires.atom"


def test_a_feed_reader_shows_an_event_again_when_it_is_moved_and_not_otherwise(client: Client) -> None:
    event = make_event()
    updated = [entries(client)[1][0].find(f"{ATOM}updated").text for _ in range(2)]
    Event.objects.update(starts_at=event.starts_at + DAY, ends_at=event.ends_at + DAY)
    moved = entries(client)[1][0].find(f"{ATOM}updated").text
    assert updated[0] == updated[1] != moved


def test_the_english_feed_leads_to_the_english_pages(client: Client) -> None:
    event = make_event()
    _feed, [entry] = entries(client, "/en/webinaires.atom")
    assert entry.find(f"{ATOM}link").get("href") == f"https://webinaires.example.org/en/evenements/{event.slug}/"


def test_the_calendar_to_subscribe_to_has_the_entry_of_each_public_file(client: Client) -> None:
    event, off = make_event(), make_event(status="cancelled")
    make_event(status="draft")
    make_event(status="postponed")
    answer = client.get("/webinaires.ics")
    feed = icalendar.Calendar.from_ical(answer.content)
    uids = {str(entry["UID"]): str(entry["STATUS"]) for entry in feed.walk("VEVENT")}
    assert uids == {
        f"evenement-{event.slug}@webinaires.example.org": "CONFIRMED",
        f"evenement-{off.slug}@webinaires.example.org": "CANCELLED",
    }
    [single] = icalendar.Calendar.from_ical(client.get(f"/evenements/{event.slug}/evenement.ics").content).walk(
        "VEVENT"
    )
    assert str(single["UID"]) in uids
    assert not feed.walk("VALARM")
    assert "visio.example.net" not in answer.text


@pytest.mark.parametrize("path", ["/", "/evenements/{}/"])
def test_programs_find_the_feeds_in_the_head_of_the_public_pages(client: Client, path: str) -> None:
    page = client.get(path.format(make_event().slug)).text.partition("</head>")[0]
    assert 'type="application/atom+xml" href="/webinaires.atom"' in page
    assert 'type="text/calendar" href="/webinaires.ics"' in page
