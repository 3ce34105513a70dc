"""What this browser has just typed into the form of an event: kept in its session, on the server."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest

from registrations.domain.signup import SignUp
from registrations.models import Event
from registrations.models.registration import CORRECTED_WITHIN

KEY = "sign_up"  # of the session
LAST_HOUR = timedelta(hours=1)  # before the start


def remember(request: HttpRequest, event: Event, done: SignUp, answers: dict[str, Any], **more: Any) -> None:
    """Let this browser correct its address for a while: the session holds what it has typed, and the row it made."""
    made = done.registration.pk if done.is_new else None
    told = {"is_delayed": done.is_delayed, "is_limited": done.is_limited, **more}
    request.session[KEY] = {"slug": event.slug, "answers": answers, "registration": made, **told}
    request.session.save()


def of(request: HttpRequest, slug: str) -> dict[str, Any] | None:
    """What this browser has just typed for this event, or None."""
    signed_up: dict[str, Any] | None = request.session.get(KEY)
    return signed_up if signed_up and signed_up["slug"] == slug else None


def may_correct(signed_up: dict[str, Any] | None) -> bool:
    return signed_up is not None and time.time() - signed_up["at"] < CORRECTED_WITHIN.total_seconds()


def may_enter(event: Event, signed_up: dict[str, Any] | None) -> bool:
    """Whether this browser may enter the room without its mail, which can take minutes.

    It signed up for a seat from an hour before the start until the end. The answer depends on nothing else: it is the
    same for an address that was on the list before.
    """
    if signed_up is None or signed_up.get("was_full") or event.status != Event.Status.PUBLISHED:
        return False
    at = datetime.fromtimestamp(signed_up["at"], UTC)
    return event.starts_at - LAST_HOUR <= at < event.ends_at and datetime.now(UTC) < event.room_closes_at


def enters_now(request: HttpRequest) -> bool:
    """Whether it is the first time that this sign-up enters; noted in the session."""
    is_first = not request.session[KEY].get("has_entered")
    request.session[KEY] |= {"has_entered": True}
    request.session.save()
    return is_first
