"""Which recordings are shown inside the page, and from where."""

import pytest
from pytest_django import Settings

from registrations.text import replay

PEERTUBE = "https://tube.example.org/w/kkGMgK9ZtnKfYAgnEtQxbv"


@pytest.mark.parametrize(
    ("address", "player"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
        ("https://vimeo.com/123456", "https://player.vimeo.com/video/123456?dnt=1"),
        ("https://vimeo.com/123456/abcdef", "https://player.vimeo.com/video/123456?dnt=1&h=abcdef"),
        (PEERTUBE, "https://tube.example.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?p2p=0"),
        ("https://other.example.org/w/kkGMgK9ZtnKfYAgnEtQxbv", ""),
        ("https://tube.example.org/about", ""),
        ("https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ", ""),
        ("https://www.youtube.com/watch?v=../../evil", ""),
        ("https://[", ""),
        ("", ""),
    ],
)
def test_only_allowed_hosts_have_a_player(settings: Settings, address: str, player: str) -> None:
    settings.REPLAY_HOSTS = ["tube.example.org", "player.vimeo.com", "www.youtube-nocookie.com"]
    assert replay.player(address) == player


def test_without_the_setting_a_recording_is_a_link(settings: Settings) -> None:
    settings.REPLAY_HOSTS = []
    assert replay.player(PEERTUBE) == replay.player("https://vimeo.com/123456") == ""
