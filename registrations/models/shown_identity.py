"""Logo and colour of the organisation, remembered by each process for a few seconds: pages and mails show them."""

import time
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from registrations.models import colours
from registrations.models.site_identity import SiteIdentity

REMEMBERED = 5  # seconds: how late another process sees a change


class Identity(NamedTuple):
    logo: str = ""
    width: int = 0
    height: int = 0
    logo_digest: str = ""
    accent: str = ""
    stylesheet: str = ""  # its digest
    accents: colours.Accents = colours.accents()


class _Memory:
    identity = Identity()
    until = 0.0


def current() -> Identity:
    """What was last known when the database does not answer: error pages show it too."""
    if time.monotonic() >= _Memory.until:
        try:
            _Memory.identity = _read()
        except DatabaseError:
            return _Memory.identity
        _Memory.until = time.monotonic() + REMEMBERED
    return _Memory.identity


def _read() -> Identity:
    row = SiteIdentity.objects.select_related("logo").first()
    if row is None:
        return Identity()
    logo = row.logo
    shown = (logo.largest, logo.width, logo.height, logo.digest) if logo else ("", 0, 0, "")
    return Identity(*shown, row.accent, row.stylesheet_digest, row.accents)


@receiver(post_save, sender=SiteIdentity)
@receiver(post_delete, sender=SiteIdentity)
def forget(**kwargs: Any) -> None:
    _Memory.until = 0.0


def remember(identity: Identity, *, seconds: float) -> None:
    """For tests that count queries."""
    _Memory.identity, _Memory.until = identity, time.monotonic() + seconds
