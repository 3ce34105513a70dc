"""Logo and colour of the organisation: checked when they are saved, and on all public pages at once."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registrations.models import SiteIdentity, colours
from tests.documents.pictures import photograph
from tests.factories import make_event

pytestmark = pytest.mark.django_db
IDENTITY = "/admin/registrations/siteidentity/"


def save(organiser: Client, **typed: Any) -> Any:
    return organiser.post(f"{IDENTITY}add/", {"accent": "", "dark_accent": "", **typed}, follow=True)


def test_the_logo_stands_at_the_head_of_every_public_page(organiser: Client, client: Client) -> None:
    event = make_event()
    before = client.get(event.get_absolute_url()).text
    save(organiser, upload=SimpleUploadedFile("logo.png", photograph(400, 100)))
    for path in [event.get_absolute_url(), "/mentions-legales/", "/en/accessibilite/"]:
        found = re.search(r'<img src="(/images/\w+-384.webp)" alt="" width="192" height="48">', client.get(path).text)
        assert found, path
        picture = client.get(found[1])
        assert picture["Cache-Control"] == "public, max-age=31536000, immutable"
        assert picture["Content-Type"] == "image/webp"
    assert "-384.webp" not in before


def test_the_colour_is_a_style_sheet_of_its_own(organiser: Client, client: Client) -> None:
    save(organiser, accent="#17504a")
    [path] = re.findall(r'href="(/couleurs-\w+.css)"', client.get("/mentions-legales/").text)
    sheet = client.get(path)
    assert sheet["Cache-Control"] == "public, max-age=31536000, immutable"
    assert sheet.text.startswith("@media screen{:root{--accent:#17504a;--on-accent:#ffffff;")
    assert "prefers-color-scheme:dark" in sheet.text


def test_a_page_kept_with_former_colours_gets_those_of_now(client: Client) -> None:
    row = SiteIdentity.objects.create(accent="#17504a")
    former = f"/couleurs-{row.stylesheet_digest}.css"
    row.accent = "#7a2b12"
    row.save()
    assert client.get(former, follow=True).text == row.stylesheet


def test_without_a_colour_no_style_sheet_is_asked_for(client: Client) -> None:
    assert "couleurs" not in client.get("/mentions-legales/").text
    assert client.get("/couleurs-0123.css").status_code == 404


@pytest.mark.parametrize("pale", ["#ffd54f", "#f0a07e", "#999999"])
def test_a_colour_too_pale_to_be_read_is_refused(organiser: Client, pale: str) -> None:
    assert "choisissez une couleur plus foncée" in save(organiser, accent=pale).text
    assert not SiteIdentity.objects.exists()


def test_a_colour_too_dark_for_the_dark_is_refused(organiser: Client) -> None:
    assert "choisissez une couleur plus claire" in save(organiser, accent="#17504a", dark_accent="#17504a").text


@pytest.mark.parametrize("wrong", ["red", "#12345", "#9c3a1b;}body{", "javascript:"])
def test_what_is_no_colour_is_refused(organiser: Client, wrong: str) -> None:
    save(organiser, accent=wrong)
    assert not SiteIdentity.objects.exists()


@pytest.mark.parametrize("colour", ["#9c3a1b", "#000000", "#0000ff", "#17504a", "#7a2b12"])
def test_the_shade_for_the_dark_passes_by_itself(colour: str) -> None:
    assert colours.for_dark(colours.lightened(colour)).failures(colours.DARK_PAPER) == []


def test_contrast_is_that_of_the_wcag() -> None:
    assert round(colours.contrast("#ffffff", "#000000"), 2) == 21
    assert round(colours.contrast("#777777", "#ffffff"), 2) == 4.48


def test_there_is_one_row_whichever_form_is_saved(organiser: Client) -> None:
    save(organiser, accent="#17504a")
    save(organiser, accent="#7a2b12")
    assert SiteIdentity.objects.get().accent == "#7a2b12"
