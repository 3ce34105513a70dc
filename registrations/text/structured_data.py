"""The content of an event's page for programs that read schema.org, as plain data.

As on the page, what is not known is left out, and a postponed event has no date.
"""

from typing import Any

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext

from registrations.models import Event, EventPage, Partner, ProgrammeItem, Speaker
from registrations.text import typography

SCHEMA = "https://schema.org/"
STATUSES = {
    Event.Status.PUBLISHED: "EventScheduled",
    Event.Status.POSTPONED: "EventPostponed",
    Event.Status.CANCELLED: "EventCancelled",
}


def event_data(event: Event) -> dict[str, Any]:
    """The place is the public page: only registrants know the room and the personal links."""
    page = settings.BASE_URL + event.get_absolute_url()
    data = {
        "@context": SCHEMA.rstrip("/"),
        "@type": "Event",
        "name": typography.french(event.texts.title),
        "url": page,
        "eventStatus": SCHEMA + STATUSES[Event.Status(event.status)],
        "eventAttendanceMode": f"{SCHEMA}OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": page},
        "organizer": {"@type": "Organization", "name": event.organiser_name},
        "inLanguage": event.parts.page.language or settings.LANGUAGE_CODE,
        **_of_page(event),
    }
    if event.texts.summary:
        data["description"] = typography.french(event.texts.summary)
    if event.status != Event.Status.POSTPONED:
        data["startDate"] = event.starts_at.astimezone(event.zone).isoformat()
        data["endDate"] = event.ends_at.astimezone(event.zone).isoformat()
        if event.parts.programme:
            data["subEvent"] = [_sub_event(part) for part in event.parts.programme]
    return data


def _of_page(event: Event) -> dict[str, Any]:
    """What is known of the people, the audience, the access and the pictures."""
    parts = event.parts
    known = {
        "performer": [_person(speaker) for speaker in parts.speakers],
        "contributor": [_organisation(partner) for partner in parts.partners],
        "audience": parts.page.texts.audience
        and {"@type": "Audience", "audienceType": typography.french(parts.page.texts.audience)},
        "image": parts.page.picture and [settings.BASE_URL + parts.page.picture.largest],
        "location": (access := access_words(parts.page))
        and {"@type": "VirtualLocation", "url": settings.BASE_URL + event.get_absolute_url(), "description": access},
    }
    return _without_empty(known)


def access_words(page: EventPage) -> str:
    """schema.org has no property of an event for it: it describes the place."""
    words = [page.ways, typography.french(page.texts.accessibility), page.telephone and gettext("By telephone")]
    return ". ".join(capfirst(word) for word in words if word)


def _person(speaker: Speaker) -> dict[str, Any]:
    return _without_empty(
        {
            "@type": "Person",
            "name": speaker.name,
            "jobTitle": typography.french(speaker.texts.role),
            "affiliation": speaker.organisation and {"@type": "Organization", "name": speaker.organisation},
            "description": typography.french(speaker.texts.bio),
            "image": speaker.picture and settings.BASE_URL + speaker.picture.largest,
        }
    )


def _organisation(partner: Partner) -> dict[str, Any]:
    logo = partner.logo and settings.BASE_URL + partner.logo.largest
    return _without_empty({"@type": "Organization", "name": partner.name, "url": partner.link, "logo": logo})


def _sub_event(part: ProgrammeItem) -> dict[str, Any]:
    return {"@type": "Event", "name": typography.french(part.texts.title), "startDate": part.moment.isoformat()}


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}
