"""The words of the desk: none of Django's stock phrases, and a guide that names what the pages show."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings as site_settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.admin_client import logged_in, with_fresh_password
from tests.admin_pages import paths, rows
from tests.factories import make_event, make_question

pytestmark = pytest.mark.django_db

STOCK = {
    "fr": [
        r"l’objet\b",
        r"l'objet\b",
        r"Ajouter un objet",
        r"Ajouter inscription",
        r"Sélectionne[rz] .{1,60} à (changer|modifier|afficher|voir)",
        r"Supprimer \?",
        r"Modification de\b",
        r"Site d’administration",
        r"Site d'administration",
        r"\bLDAP\b",
        r"Single Sign",
        r"Êtes-vous sûr",
        r"supplémentaire",
        r"événement",
        r"Bilan chiffré",
        r"\b(slug|jeton)\b",
    ],
    "en": [
        r"Select .{1,60} to (change|view)",
        r"Django administration",
        r"\bLDAP\b",
        r"Single Sign",
    ],
}
NO_TEXT = re.compile(r"<(script|style|pre|textarea|svg)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
ATTRIBUTES = re.compile(r'(?:title|aria-label|alt|value|placeholder|data-inline-formset)="([^"]*)"')


def words(page: str) -> str:
    """What is read or read out: text, and the attributes that name things."""
    named = " ¦ ".join(ATTRIBUTES.findall(re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)))
    return html.unescape(f"{NO_TEXT.sub(' ', page)} ¦ {named}")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_of_the_desk_has_a_stock_phrase(language: str, settings: Settings) -> None:
    settings.LANGUAGE_CODE = language
    event = make_event()
    make_question(event)
    addresses, client = paths(rows(event)), with_fresh_password(logged_in())
    found = []
    for name, path in addresses.items():
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            text = re.sub(r"\s+", " ", words(answer.content.decode()))
            found += [
                (name, match[0])
                for phrase in STOCK[language]
                for match in re.finditer(f".{{0,40}}{phrase}.{{0,30}}", text)
            ]
    assert "\n".join(f"{name}: {words}" for name, words in found) == ""


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_name_in_the_guide_stands_on_a_page(language: str, settings: Settings, client: Client) -> None:
    """In the catalogue, as the words of a template or module other than the guide."""
    settings.LANGUAGE_CODE = language
    client.force_login(User.objects.create_superuser("organisatrice"))
    guide = client.get("/admin/aide/").content.decode()
    named = {html.unescape(name).strip() for name in re.findall(r"<em>(.*?)</em>", guide)}
    named = {re.sub(r"\s+", " ", name) for name in named if "@" not in name}
    shown = {
        (french if language == "fr" else english).rstrip("…")
        for english, french in catalogue()
        if "<em>" not in english and _is_used(english)
    }
    assert len(named) > 20
    assert sorted(named - shown) == []


SOURCES = [
    path.read_text()
    for room in ("templates/admin", "registrations/admin", "registrations/admin_site", "registrations/templatetags")
    for path in [
        *Path(site_settings.BASE_DIR, room).rglob("*.html"),
        *Path(site_settings.BASE_DIR, room).rglob("*.py"),
    ]
    if path.name != "help.html"
] + [path.read_text() for path in Path(site_settings.BASE_DIR, "registrations").glob("[mst]*/*.py")]


def catalogue() -> Iterator[tuple[str, str]]:
    """(English, French) of each text; of the plural ones, the singular."""
    path = Path(site_settings.BASE_DIR, "registrations", "locale", "fr", "LC_MESSAGES", "django.po")
    with path.open("rb") as file:
        for message in read_po(file):
            if message.id:
                english, french = (
                    one if isinstance(one, str) else (one or [""])[0] for one in (message.id, message.string)
                )
                yield english, french


def _is_used(english: str) -> bool:
    return any(f'"{english}' in source for source in SOURCES)
