"""The content of an event's page for programs that read schema.org, as plain data.

As on the page, what is not known is left out, and a postponed event has no date.
"""

from typing import Any

from django.conf import settings

from registrations.models import Event
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
        "name": typography.french(event.title),
        "url": page,
        "eventStatus": SCHEMA + STATUSES[Event.Status(event.status)],
        "eventAttendanceMode": f"{SCHEMA}OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": page},
        "organizer": {"@type": "Organization", "name": event.organiser_name},
        "inLanguage": settings.LANGUAGE_CODE,
    }
    if event.summary:
        data["description"] = typography.french(event.summary)
    if event.status != Event.Status.POSTPONED:
        data["startDate"] = event.starts_at.astimezone(event.zone).isoformat()
        data["endDate"] = event.ends_at.astimezone(event.zone).isoformat()
    return data
