"""The image beside a shared link: made by a worker, kept until title, date or logo change."""

import io
import re
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from registrations.documents import limited_child, share_image
from registrations.models import Event, ShareImage, SiteIdentity
from tests.factories import make_event

pytestmark = pytest.mark.django_db


def address(client: Client, event: Event, language: str = "") -> str:
    page = client.get(f"{language}/evenements/{event.slug}/").text
    found = re.search(r'<meta property="og:image" content="https?://[^/]+(/[^"]+)">', page)
    assert found
    return found[1]


def test_the_image_of_the_page_is_a_png_of_the_right_size_that_is_kept_for_good(client: Client) -> None:
    event = make_event()
    share_image.prepare()
    response = client.get(address(client, event))
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    image = Image.open(io.BytesIO(response.content))
    assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len(response.content) < 100_000


def test_the_page_does_not_wait_for_it(client: Client) -> None:
    path = address(client, make_event())
    response = client.get(path)
    assert (response.status_code, response["Retry-After"]) == (503, "15")


def test_it_is_made_once_and_again_when_the_title_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event()
    ask, asked = limited_child.ask, []

    def watched(*args: Any) -> Any:
        asked.append(args[0])
        return ask(*args)

    monkeypatch.setattr(limited_child, "ask", watched)
    share_image.prepare()
    share_image.prepare()
    assert len(asked) == 1
    Event.objects.filter(pk=event.pk).update(title="Un autre titre")
    share_image.prepare()
    assert len(asked) == 2


def test_a_link_shared_earlier_shows_the_image_of_now(client: Client) -> None:
    event = make_event()
    former = address(client, event)
    Event.objects.filter(pk=event.pk).update(title="Un autre titre")
    share_image.prepare()
    response = client.get(former)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-cache")


def test_a_new_colour_makes_another_image(client: Client) -> None:
    event = make_event()
    before = address(client, event)
    SiteIdentity.objects.create(accent="#17504a")
    assert address(client, event) != before


def test_a_draft_has_none(client: Client) -> None:
    event = make_event(status="draft")
    share_image.prepare()
    assert not ShareImage.objects.exists()
    assert client.get(f"/images/partage/{event.slug}/0123.png").status_code == 404


def test_a_postponed_event_shows_no_date() -> None:
    assert "date" not in share_image.content_of(make_event(status="postponed"), accent="", logo="")


@pytest.mark.parametrize("title", ["Mot", "Un titre " * 22, "M" * 200])
def test_any_title_fits(title: str) -> None:
    make_event(title=title[:200])
    share_image.prepare()
    assert ShareImage.objects.exists()


def test_an_event_with_an_english_title_has_an_english_image_too(client: Client) -> None:
    event = make_event(title_en="Towns and family policy")
    share_image.prepare()
    french, english = address(client, event), address(client, event, "/en")
    assert french != english
    images = [client.get(path) for path in (french, english)]
    assert [image["Cache-Control"] for image in images] == ["public, max-age=31536000, immutable"] * 2
    assert images[0].content != images[1].content
    without = make_event()
    assert address(client, without) == address(client, without, "/en")
