"""The share image of an event, 1200 × 630, from title, date and logo: made by a worker, kept until they change."""

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext

from registrations.documents import limited_child
from registrations.models import Event, PictureFile, ShareImage, SiteIdentity, colours
from registrations.models.texts import ENGLISH, FRENCH
from registrations.text import dates, typography

WRITER = "registrations.documents.share_writer"
DEFAULT_ACCENT = "#9c3a1b"  # that of site.css
EVENTS_MAX = 50  # the latest; an image that exists stays
logger = logging.getLogger(__name__)


def content_of(event: Event, *, accent: str, logo: str, language: str = FRENCH) -> dict[str, Any]:
    """What the image shows. A postponed event has no date. `logo`: its digest."""
    shades = colours.for_light(accent or DEFAULT_ACCENT)
    with translation.override(language):
        shown = {
            "title": typography.french(event.texts.title),
            "brand": settings.LEGAL_NAME,
            "logo": logo,
            **shades._asdict(),
        }
        return shown if event.status == Event.Status.POSTPONED else {**shown, **_date(event)}


def _date(event: Event) -> dict[str, str]:
    start = event.starts_at.astimezone(event.zone)
    return {
        "day": str(start.day),
        "month": formats.date_format(start, "F"),
        "date": capfirst(dates.event_days(event)),
        "hours": f"{gettext('Webinar')}, {dates.hours(event)} ({dates.zone_name(event)})",
    }


def digest_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def address(event: Event, *, accent: str, logo: str) -> str:
    """It changes with what the image shows, so that those who have fetched it fetch it anew."""
    language = ENGLISH if event.title_en and translation.get_language() == ENGLISH else FRENCH
    content = content_of(event, accent=accent, logo=logo, language=language)
    return reverse("share_image", args=[event.slug, digest_of(content)])


def prepare(*, wanted: Callable[[], bool] = lambda: True) -> None:
    """Make the images that are missing or out of date. One that cannot be made leaves the others their turn."""
    identity = SiteIdentity.objects.select_related("logo").first() or SiteIdentity()
    logo = identity.logo.digest if identity.logo else ""
    made = {event: digests for event, *digests in ShareImage.objects.values_list("event", "digest", "digest_en")}
    for event in Event.objects.published().order_by("-starts_at")[:EVENTS_MAX]:
        for language in (FRENCH, ENGLISH) if event.title_en else (FRENCH,):
            content = content_of(event, accent=identity.accent, logo=logo, language=language)
            if not wanted() or digest_of(content) in made.get(event.pk, []):
                continue
            if not make(event, content, language):
                break


def make(event: Event, content: dict[str, Any], language: str) -> bool:
    """Whether it was made. The English image is kept in the row of the French one."""
    answer, png = limited_child.ask(WRITER, _logo(content["logo"]), json.dumps(content))
    if why := answer.get("refused"):
        logger.warning("The share image of event %s could not be made: %s", event.pk, why)
        return False
    if language == ENGLISH:
        ShareImage.objects.filter(event=event).update(digest_en=digest_of(content), content_en=png)
        return True
    fresh = {"digest": digest_of(content), "content": png, "made_at": timezone.now()}
    ShareImage.objects.update_or_create(event=event, defaults=fresh)
    return True


def _logo(digest: str) -> bytes:
    file = PictureFile.objects.filter(picture__digest=digest).order_by("width").last()
    return bytes(file.content) if file else b""
