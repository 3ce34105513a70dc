"""The recording on the page of an event and on the personal page: a link, whose place a player takes after a click."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from registrations.models import Event, EventPage
from tests.factories import make_event, make_past_event, make_picture, make_registration

pytestmark = pytest.mark.django_db
RECORDING = "https://tube.example.org/w/kkGMgK9ZtnKfYAgnEtQxbv"
PLAYER = "https://tube.example.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?p2p=0"


def test_the_player_is_named_but_not_loaded_and_its_host_alone_may_be_framed(
    client: Client, settings: Settings
) -> None:
    settings.REPLAY_HOSTS = ["tube.example.org"]
    page = client.get(make_past_event(replay_url=RECORDING).get_absolute_url())
    assert f'href="{RECORDING}"' in page.text
    assert f'data-player="{PLAYER}"' in page.text
    assert "<iframe" not in page.text
    assert "frame-src https://tube.example.org;" in page["Content-Security-Policy"] + ";"


def test_from_another_host_it_is_a_link_and_the_policy_stays(client: Client, settings: Settings) -> None:
    settings.REPLAY_HOSTS = []
    page = client.get(make_past_event(replay_url=RECORDING).get_absolute_url())
    assert f'href="{RECORDING}"' in page.text
    assert "data-player" not in page.text
    assert "frame-src" not in page["Content-Security-Policy"]


def test_before_the_end_there_is_neither(client: Client, settings: Settings) -> None:
    settings.REPLAY_HOSTS = ["tube.example.org"]
    page = client.get(make_event(replay_url=RECORDING).get_absolute_url())
    assert RECORDING not in page.text
    assert "frame-src" not in page["Content-Security-Policy"]


def test_on_the_personal_page_it_is_the_same_link_with_the_same_player(client: Client, settings: Settings) -> None:
    settings.REPLAY_HOSTS = ["tube.example.org"]
    registration = make_registration(make_past_event(replay_url=RECORDING))
    page = client.get(f"/rejoindre/{registration.join_code}/")
    assert f'href="{RECORDING}"' in page.text
    assert f'data-player="{PLAYER}"' in page.text
    assert "Rien n’est chargé avant votre clic." in page.text
    assert "frame-src https://tube.example.org;" in page["Content-Security-Policy"] + ";"
    assert page["Referrer-Policy"] == "strict-origin-when-cross-origin"  # nothing of the personal address


def test_while_the_room_is_open_the_personal_page_frames_nothing(client: Client, settings: Settings) -> None:
    settings.REPLAY_HOSTS = ["tube.example.org"]
    event = make_event(starts_in=-timedelta(minutes=100), replay_url=RECORDING)
    page = client.get(f"/rejoindre/{make_registration(event).join_code}/")
    assert "frame-src" not in page["Content-Security-Policy"]


def test_the_picture_of_a_past_event_stands_once_under_its_recording(client: Client) -> None:
    event = make_past_event(replay_url=RECORDING)
    picture = make_picture()
    EventPage.objects.create(event=event, picture=picture)
    assert client.get(event.get_absolute_url()).text.count(f'<img src="{picture.src}"') == 1
    Event.objects.update(replay_url="")
    assert client.get(event.get_absolute_url()).text.count(f'<img src="{picture.src}"') == 1
