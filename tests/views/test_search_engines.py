"""Search engines find the public pages and none of the personal ones."""

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from registrations.models import Event
from tests.factories import ROOM, make_event, make_registration

pytestmark = pytest.mark.django_db

SITE = "https://webinaires.example.org"


def data_of(page: str) -> dict[str, Any]:
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert len(blocks) == 1
    data: dict[str, Any] = json.loads(blocks[0])
    return data


def test_the_structured_data_of_an_event_matches_its_page(client: Client) -> None:
    event = make_event(title="CEQ : quels effets ?", slug="ceq")
    page = f"{SITE}/evenements/ceq/"
    assert data_of(client.get("/evenements/ceq/").text) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "CEQ\u00a0: quels effets\u00a0?",
        "url": page,
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": page},
        "organizer": {"@type": "Organization", "name": event.organiser_name},
        "inLanguage": "fr",
        "description": event.summary,
        "startDate": event.starts_at.astimezone(event.zone).isoformat(),
        "endDate": event.ends_at.astimezone(event.zone).isoformat(),
    }


@pytest.mark.parametrize(
    ("status", "word", "dated"),
    [("cancelled", "EventCancelled", True), ("postponed", "EventPostponed", False)],
)
def test_a_cancelled_event_keeps_its_date_and_a_postponed_one_has_none(
    client: Client, status: str, word: str, dated: bool
) -> None:
    data = data_of(client.get(make_event(status=status).get_absolute_url()).text)
    assert data["eventStatus"] == f"https://schema.org/{word}"
    assert ("startDate" in data, "endDate" in data) == (dated, dated)


def test_a_title_cannot_close_the_structured_data(client: Client) -> None:
    hostile = "</script><script>alert(1)</script> & <!-- ceci"
    event = make_event(title=hostile, summary=hostile)
    page = client.get(event.get_absolute_url()).text
    assert "<script>" not in page
    assert "<!-- ceci" not in page
    assert data_of(page)["name"] == hostile


def test_the_structured_data_has_no_personal_link_and_no_room(client: Client) -> None:
    registration = make_registration(make_event(starts_in=timedelta(minutes=5)))
    event = registration.event
    public = "".join(client.get(path).text for path in [event.get_absolute_url(), "/sitemap.xml", "/robots.txt"])
    for secret in (registration.join_code, registration.manage_code, ROOM):
        assert secret not in public


def test_personal_pages_and_forms_send_noindex_and_are_not_in_robots_txt(client: Client) -> None:
    registration = make_registration()
    slug = registration.event.slug
    for path in (f"/rejoindre/{registration.join_code}/", f"/mon-inscription/{registration.manage_code}/"):
        assert "noindex" in client.get(path)["X-Robots-Tag"]
    assert "noindex" in client.get(f"/evenements/{slug}/merci/")["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex">' in client.get(f"/evenements/{slug}/inscription/").text
    assert client.get("/robots.txt").text == f"User-agent: *\nDisallow:\n\nSitemap: {SITE}/sitemap.xml\n"


def test_each_public_page_has_its_canonical_url_and_its_other_language(client: Client) -> None:
    make_event(slug="ceq")
    make_event()
    for path in ("/", "/evenements/ceq/", "/accessibilite/", "/donnees-personnelles/", "/mentions-legales/"):
        for shown in (path, f"/en{path}"):
            page = client.get(f"{shown}?utm_source=x").text
            assert re.findall(r'rel="canonical" href="([^"]+)"', page) == [SITE + shown]
            assert re.findall(r'hreflang="([\w-]+)" href="(https[^"]+)"', page) == [
                ("fr", SITE + path),
                ("en", f"{SITE}/en{path}"),
                ("x-default", SITE + path),
            ]


def test_the_title_and_the_preview_of_a_shared_link(client: Client) -> None:
    make_event(slug="ceq", title="Faire vivre un réseau", summary="Une heure & demie.")
    page = client.get("/evenements/ceq/").text
    title = re.findall(r"<title>([^<]+)</title>", page)[0]
    assert title.startswith("Faire vivre un réseau. Webinaire du ")
    assert title.endswith(" – Le Pôle ressources")
    metas = dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]*)">', page))
    assert metas["og:title"] == "Faire vivre un réseau"
    assert metas["og:locale"] == "fr_FR"
    assert html.unescape(metas["description"]).endswith("Une heure & demie.")
    Event.objects.update(registration_closes_at="2020-01-01T00:00Z")
    page = client.get("/evenements/ceq/").text
    assert 'type="text/calendar" href="/evenements/ceq/evenement.ics"' in page


def test_the_sitemap_lists_public_pages_in_both_languages(client: Client) -> None:
    make_event(slug="ouvert")
    make_event(slug="annule", status="cancelled")
    make_event(slug="brouillon", status="draft")
    response = client.get("/sitemap.xml", headers={"Host": "localhost"})
    assert response["Content-Type"] == "application/xml"
    found = re.findall(r"<loc>([^<]+)</loc>", response.text)
    paths = ["/evenements/annule/", "/evenements/ouvert/", "/accessibilite/", "/donnees-personnelles/"]
    assert sorted(found) == sorted(
        SITE + prefix + path for path in [*paths, "/mentions-legales/"] for prefix in ["", "/en"]
    )


def test_the_admin_shows_a_plain_link_for_other_sites(admin_client: Client) -> None:
    event = make_event(title="CEQ & <CTG>", slug="ceq")
    page = admin_client.get(f"/admin/registrations/event/{event.pk}/change/").text
    shown = re.findall(r'readonly aria-label="[^"]+">(.*?)</textarea>', page)
    assert [html.unescape(text) for text in shown] == [
        f'<a href="{SITE}/evenements/ceq/inscription/">S’inscrire au webinaire\u00a0: CEQ &amp; &lt;CTG&gt;</a>'
    ]
    assert settings.SECURE_CSP["frame-ancestors"] == ["'none'"]

    Event.objects.update(status=Event.Status.DRAFT)
    page = admin_client.get(f"/admin/registrations/event/{event.pk}/change/").text
    assert "Ici, une fois le webinaire publié." in page
    assert f"{SITE}/evenements/ceq/inscription/" not in page
