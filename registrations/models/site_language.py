"""Texts that are stored for the team."""

from typing import Any

from django.conf import settings
from django.utils import translation


def in_site_language(lazy: Any) -> str:
    """The text in the language of the back office, where it is read, and not in that of the current visitor."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(lazy)
