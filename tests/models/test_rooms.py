"""On which hosts a room may be."""

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from registrations.models import Event


@pytest.mark.parametrize(
    ("url", "is_accepted"),
    [
        ("https://visio.example.net/salle", True),
        ("https://eu.zoom.example/j/1", True),
        ("https://ZOOM.example/j/1", True),
        ("https://evil.example/zoom.example", False),
        ("https://notzoom.example/", False),
        ("https://zoom.example@evil.example/", False),
        ("https://zoom.example.evil.example/", False),
        ("http://zoom.example/", False),
        ("https://[", False),
    ],
)
def test_the_room_must_be_on_a_host_of_the_setting(settings: Settings, url: str, is_accepted: bool) -> None:
    settings.ROOM_HOSTS = ["visio.example.net", "zoom.example"]
    field = Event._meta.get_field("connection_url")
    if is_accepted:
        field.run_validators(url)
    else:
        with pytest.raises(ValidationError):
            field.run_validators(url)


def test_without_room_hosts_any_https_host_is_accepted(settings: Settings) -> None:
    settings.ROOM_HOSTS = []
    Event._meta.get_field("connection_url").run_validators("https://anywhere.example/")
