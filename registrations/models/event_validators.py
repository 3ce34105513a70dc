"""Validators of an event's fields."""

from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

CHOICE_MAX = 255  # characters
MARKDOWN_MAX = 20_000


def validate_timezone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("Choose a time zone such as Europe/Paris."), code="invalid")


def validate_room(url: str) -> None:
    """ROOM_HOSTS names the hosts of rooms, or domains that they belong to; empty: any."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return  # no address at all: the other validator says so
    allowed = settings.ROOM_HOSTS
    if allowed and not any(host == name or host.endswith(f".{name}") for name in allowed):
        words = _("The room must be on one of these sites: %(hosts)s.")
        raise ValidationError(words, code="host", params={"hosts": ", ".join(allowed)})


def validate_lines(text: str) -> None:
    if any(len(line) > CHOICE_MAX for line in non_empty_lines(text)):
        raise ValidationError(_("Each line must be at most 255 characters long."), code="too_long")


def non_empty_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
