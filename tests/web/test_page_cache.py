"""A page that is kept is never stale: whatever changes, it is the page that would be made anew."""

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import models
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import mark_safe

from registrations.models import Event, ReportSection
from registrations.web import page_cache
from tests.factories import make_event, make_registration
from tests.journey import Journey, without_token

pytestmark = pytest.mark.django_db

UNLIKE_ANY_OTHER = {"status": "cancelled", "timezone": "Indian/Reunion", "slug": "autre-adresse"}
STATES: list[dict[str, Any]] = [
    {},
    {"capacity": 1, "waiting_list": False},
    {"status": "postponed", "organiser_words": "Grève."},
    {"starts_in": timedelta(days=-30), "open_after_session": True},
]


def pages(client: Client, event: Event, *, language: str = "") -> list[str]:
    """Event page and form, without what is made anew for each answer."""
    path = f"/{language}evenements/{event.slug}/"
    return [without_stamp(client.get(page).text) for page in (path, f"{path}inscription/")]


def without_stamp(page: str) -> str:
    head, _stamp, tail = page.partition('name="stamp" value="')
    return without_token(head + tail.partition('"')[2])


def assert_fresh(client: Client, event: Event) -> None:
    shown = pages(client, event)
    page_cache.pages.clear()
    assert shown == pages(client, event)


def another(field: models.Field[Any, Any], value: Any) -> Any:
    match field:
        case models.DateTimeField():
            return (value or timezone.now() + timedelta(days=1)) + timedelta(hours=1)
        case models.TimeField():
            return value.replace(hour=7)
        case models.BooleanField():
            return not value
        case models.IntegerField():
            return (value or 0) + 1
    return UNLIKE_ANY_OTHER.get(field.name, f"{value} autre")


@pytest.mark.parametrize("state", STATES)
def test_any_change_of_an_event_is_seen_at_once(client: Client, state: dict[str, Any]) -> None:
    event = make_event(**state)
    for field in Event._meta.concrete_fields[1:]:
        before = Event.objects.get(pk=event.pk)
        pages(client, before)
        setattr(event, field.name, another(field, getattr(before, field.name)))
        if field.name == "starts_at":
            event.ends_at += timedelta(hours=1)
        event.save()
        assert_fresh(client, event)
        event = before
        event.save()


def test_each_language_has_a_page_of_its_own(client: Client) -> None:
    event = make_event()
    assert all('<html lang="en"' in page for page in pages(client, event, language="en/"))
    assert all('<html lang="fr"' in page for page in pages(client, event))


def test_seats_that_are_taken_and_given_back_are_seen_at_once(client: Client) -> None:
    event = make_event(capacity=1)
    free = pages(client, event)
    person = make_registration(event)
    full = pages(client, event)
    assert all(before != after for before, after in zip(free, full, strict=True))
    person.delete()
    assert pages(client, event) == free


@pytest.mark.usefixtures("with_pango")
def test_a_report_that_comes_and_goes_is_seen_at_once(client: Client) -> None:
    event = make_event(report=False, starts_in=timedelta(days=-30), open_after_session=True)
    without = pages(client, event)
    section = ReportSection.objects.create(event=event, heading="La méthode", body="Des entretiens.")
    assert all(before != after for before, after in zip(without, pages(client, event), strict=True))
    section.delete()
    assert pages(client, event) == without


def test_the_clock_alone_changes_a_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open, closed, under way, over, and a year later, when what is signed up for is kept for longer."""
    event = make_event(registration_closes_at=timezone.now() + timedelta(minutes=30))
    started_at = timezone.now()
    seen = []
    for hours in (0, 1, 7 * 24 + 0.5, 7 * 24 + 3, 400 * 24):
        now = started_at + timedelta(hours=hours)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        assert_fresh(client, event)
        seen.append(pages(client, event)[0])
    assert len(set(seen)) == 4


def test_what_the_operator_says_of_the_site_is_seen(client: Client, settings: LazySettings) -> None:
    event = make_event()
    pages(client, event)
    settings.LEGAL_NAME, settings.LEGAL_CONTACT = "Une autre association", "dpo@example.org"
    assert_fresh(client, event)


def test_each_visitor_has_a_token_and_a_stamp_of_their_own(client: Client) -> None:
    path = f"/evenements/{make_event().slug}/inscription/"
    first, second = client.get(path), Client().get(path)
    assert without_stamp(first.text) == without_stamp(second.text)
    assert first.text != second.text
    assert not [page for page in (first, second) if page_cache.MARK in page.text]


def test_two_people_are_thanked_by_their_own_names_and_signs_of_html_stay_words(tmp_path: Path) -> None:
    event = make_event()
    for name, email in (("D'Arcy", "zo'e@example.org"), ("Théo", "theo@example.org")):
        page = Journey(Client(), tmp_path).sign_up(event, first_name=name, email=email).text
        assert f"<bdi>{escape(name)}</bdi>" in page
        assert f'value="{escape(email)}"' in page
        assert page_cache.MARK not in page


def test_a_hostile_first_name_stays_text(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event)
    session = journey.client.session
    signed_up = session["sign_up"]
    hostile = {**signed_up["answers"], "first_name": "<script>alert(1)</script>"}
    session["sign_up"] = {**signed_up, "answers": hostile}
    session.save()
    page = journey.client.get(f"/evenements/{event.slug}/merci/").text
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in page
    assert "<script>alert" not in page


def test_the_pages_kept_are_few(client: Client) -> None:
    event = make_event()
    for number in range(page_cache.PAGES_KEPT):
        event.title = f"Titre {number}"
        event.save()
        pages(client, event)
    assert len(page_cache.pages.pages) == page_cache.PAGES_KEPT


def test_a_compressed_page_is_the_page_and_its_length_tells_nothing_of_what_fills_the_holes() -> None:
    text = "<p>œ</p>" * 50
    page = page_cache.Page(
        f"{text}{page_cache.hole('token')}{text}{page_cache.hole('stamp')}-{page_cache.hole('token')}"
    )
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})
    tokens = ("abcdefgh", "/p>œ/p", mark_safe("<p>œ</p"))
    answers = [page.response(request, token=token, stamp="é") for token in tokens]
    escaped = ("abcdefgh", "/p&gt;œ/p", "<p>œ</p")
    assert [gzip.decompress(answer.content).decode() for answer in answers] == [
        f"{text}{token}{text}é-{token}" for token in escaped
    ]
    lengths = {len(answer.content) - 2 * len(token.encode()) for answer, token in zip(answers, escaped, strict=True)}
    assert len(lengths) == 1
    assert page.response(RequestFactory().get("/"), token="t", stamp="s").content.decode() == f"{text}t{text}s-t"


def test_what_fills_a_hole_is_escaped_unless_it_is_marked_safe() -> None:
    page = page_cache.Page(f"<p>{page_cache.hole('name')}</p>")
    hostile = "<script>alert('&')</script>"
    assert page.filled(name=hostile) == "<p>&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;</p>"
    assert page.response(RequestFactory().get("/"), name=hostile).text == page.filled(name=hostile)
    assert page.filled(name=mark_safe("<bdi>Zoë</bdi>")) == "<p><bdi>Zoë</bdi></p>"


def test_a_page_without_holes_is_kept_compressed_too() -> None:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})
    answer = page_cache.Page("<p>œ</p>").response(request)
    assert (gzip.decompress(answer.content).decode(), answer["Content-Encoding"], answer["Vary"]) == (
        "<p>œ</p>",
        "gzip",
        "Accept-Encoding",
    )
