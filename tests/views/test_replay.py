"""The recording on the page of an event: a link, whose place a player takes after a click."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import make_event, make_past_event

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
