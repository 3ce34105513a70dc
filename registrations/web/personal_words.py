"""The words of the personal pages: the state of the event is their title."""

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.models import Event, Registration
from registrations.text import countdown, dates


def face(event: Event) -> dict[str, Any]:
    """Which face the page of the personal link shows, its title and the first words below it."""
    if event.status == Event.Status.CANCELLED:
        return {"face": "off", "heading": _("The webinar is cancelled"), "words": ""}
    if event.status != Event.Status.PUBLISHED:
        return {"face": "off", "heading": _("The webinar is postponed"), "words": ""}
    if event.room_is_open and event.connection_url:
        return {"face": "during", "heading": _("The room is open"), "words": _during(event)}
    if event.is_over:
        return {"face": "after", "heading": _after(event), "words": ""}
    if event.room_is_open:
        return {"face": "without_room", "heading": _("The room opens in a moment"), "words": ""}
    return {
        "face": "before",
        "heading": _before(event),
        "words": countdown.in_words(event.room_opens_at),
        "opens_by_itself": countdown.seconds_to_next_words(event.room_opens_at) is not None,
        "overseas": dates.overseas_times(event.room_opens_at, event),
    }


def _before(event: Event) -> str:
    opening = {"hour": dates.named_hour(event.room_opens_at, event)}
    opens_on = event.room_opens_at.astimezone(event.zone).date()
    if opens_on == timezone.now().astimezone(event.zone).date():
        return _("The room opens at %(hour)s") % opening
    opening["day"] = dates.day(event.room_opens_at, event, year=False)
    return _("The room opens on %(day)s at %(hour)s") % opening


def _during(event: Event) -> str:
    start = {"start": dates.hour(event.starts_at, event), "end": dates.end_hour(event)}
    if event.is_over:
        close = {"hour": dates.hour(event.room_closes_at, event)}
        return _("The session is over; the room stays open until %(hour)s.") % close
    if dates.takes_several_days(event):
        return _("The webinar is under way.") if event.has_started else ""
    if event.has_started:
        return _("The session began at %(start)s and ends at %(end)s. It is not too late to go in.") % start
    return _("The session begins at %(start)s and ends at %(end)s.") % start


def _after(event: Event) -> str:
    if event.replay_url:
        return _("The recording is here")
    return _("The documents are here") if event.offers_documents else _("This webinar took place")


def standing(registration: Registration) -> str:
    """The title of « Mon inscription »."""
    event = registration.event
    if registration.is_cancelled:
        return _("Your registration is cancelled")
    if event.status == Event.Status.CANCELLED:
        return _("The webinar is cancelled")
    if event.status == Event.Status.POSTPONED:
        return _("The webinar is postponed")
    if registration.is_waiting and event.has_started:
        return _("The waiting list is closed")
    if registration.is_waiting:
        return _("Place %(place)s on the waiting list") % {"place": registration.waiting_position}
    return _("This webinar took place") if event.is_over else _("Your seat is reserved")


class Act(NamedTuple):
    url: str
    words: str


def act(registration: Registration) -> Act | None:
    """The one thing to do now; the rest of « Mon inscription » is folded."""
    event = registration.event
    if not registration.is_seated or event.status != Event.Status.PUBLISHED:
        return None
    page = reverse("join", args=[registration.join_code])
    if event.room_is_open and event.connection_url:
        return Act(page, _("Go to the open room"))
    if not event.is_over:
        return Act(page, _("Open my page"))
    if event.replay_url:
        return Act(page, _("See the recording"))
    if event.offers_documents:
        return Act(page, _("See the documents"))
    if registration.offers_certificate:
        return Act(reverse("certificate", args=[registration.manage_code]), _("Download my certificate"))
    return None
