"""The search over everything, from any page of the desk."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_client import PEOPLE
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


def search(client: Client, words: str) -> str:
    return f"{reverse('admin:search')}?q={words}"


def test_the_only_person_found_is_opened_at_once(admin_client: Client) -> None:
    event = make_event(title="Partager la rue")
    zoe = make_registration(event, last_name="Quintal")
    make_registration(event, last_name="Vasseur")
    assert admin_client.get(search(admin_client, "quintal")).headers["Location"] == f"{PEOPLE}{zoe.pk}/change/"


def test_the_only_webinar_found_is_opened_at_its_home(admin_client: Client) -> None:
    event = make_event(title="Partager la rue")
    home = reverse("admin:registrations_event_home", args=[event.pk])
    assert admin_client.get(search(admin_client, "la rue")).headers["Location"] == home


def test_an_english_title_finds_its_webinar(admin_client: Client) -> None:
    event = make_event(title="Partager la rue", title_en="Sharing the street")
    home = reverse("admin:registrations_event_home", args=[event.pk])
    assert admin_client.get(search(admin_client, "sharing")).headers["Location"] == home


def test_several_are_listed_with_their_webinar_and_its_date(admin_client: Client) -> None:
    event = make_event(title="Partager la rue", short_title="La rue")
    for address in ("ann@example.org", "zoe@example.org"):
        make_registration(event, organisation="Ville de Quintal", email=address)
    page = admin_client.get(search(admin_client, "quintal"))
    assert page.status_code == 200
    for words in ("ann@example.org", "zoe@example.org", "Ville de Quintal", "La rue"):
        assert words in page.text


def test_nothing_found_says_what_to_try(admin_client: Client) -> None:
    page = admin_client.get(search(admin_client, "quintal"))
    assert "quintal" in page.text
    assert "Essayez une partie" in page.text
