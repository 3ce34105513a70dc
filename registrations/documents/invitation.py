"""iCalendar objects: invitations sent by mail (iTIP, RFC 5546) and entries for download."""

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum

import icalendar
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from registrations.models import Event, Registration
from registrations.text import typography

PRODID = "-//webinar//registrations//FR"
ALARM_BEFORE = timedelta(minutes=15)


class Method(StrEnum):
    """METHOD of a calendar object (RFC 5546, section 1.4)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


def invitation(registration: Registration, method: Method = Method.REQUEST) -> bytes:
    """The object mailed to a registrant, its only attendee: a REQUEST, or a CANCEL that removes the entry."""
    with translation.override(registration.language):
        entry = _personal_entry(registration)
        if method == Method.CANCEL:
            entry["STATUS"] = icalendar.vText("CANCELLED")
            entry.subcomponents.clear()  # no alarm for a cancelled event
        entry["ATTENDEE"] = icalendar.vCalAddress.new(
            registration.email,
            cutype="INDIVIDUAL",
            role="REQ-PARTICIPANT",
            partstat="NEEDS-ACTION",
            rsvp=method == Method.REQUEST and not registration.event.is_over,
        )
        entry.add("X-MICROSOFT-DISALLOW-COUNTER", "TRUE")
        return _calendar(method, entry)


def personal_entry(registration: Registration) -> bytes:
    """The same entry for download from the join page: PUBLISH, without the person's address."""
    with translation.override(registration.language):
        return _calendar(Method.PUBLISH, _personal_entry(registration))


def public_entry(event: Event) -> bytes:
    """The entry for download from the event page: PUBLISH, with its own UID and no personal link."""
    page = settings.BASE_URL + event.get_absolute_url()
    description = [
        typography.french(event.summary),
        _("Sign up to receive the connection link:"),
        page,
        _contact(event),
    ]
    entry = _entry(event, uid=f"evenement-{event.slug}@{settings.HOST}", sequence=event.sequence, url=page)
    entry.add("DESCRIPTION", "\n".join(line for line in description if line))
    return _calendar(Method.PUBLISH, entry)


def _personal_entry(registration: Registration) -> icalendar.Event:
    event = registration.event
    url = registration.join_url
    entry = _entry(event, uid=registration.uid, sequence=registration.calendar_sequence, url=url)
    entry.add("LOCATION", url)
    conference = icalendar.vUri(url, params={"VALUE": "URI", "FEATURE": "VIDEO", "LABEL": _("Webinar")})
    entry.add("CONFERENCE", conference)
    report = [_("The study report:"), registration.report_url] if event.offers_report else []
    description = [_("Your personal link:"), url, *report, _contact(event)]
    entry.add("DESCRIPTION", "\n".join(description))
    return entry


def _entry(event: Event, *, uid: str, sequence: int, url: str) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("UID", uid)
    entry.add("DTSTAMP", timezone.now().astimezone(UTC))
    entry.add("SEQUENCE", sequence)
    entry.add("DTSTART", _utc(event.starts_at))
    entry.add("DTEND", _utc(event.ends_at))
    entry.add("SUMMARY", typography.french(event.title))
    entry.add("URL", url)
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    entry["ORGANIZER"] = icalendar.vCalAddress.new(address, cn=event.organiser_name)
    entry.add("STATUS", "CANCELLED" if event.status == Event.Status.CANCELLED else "CONFIRMED")
    entry.add("TRANSP", "OPAQUE")
    entry.add("CLASS", "PUBLIC")
    if not event.is_over:
        entry.add_component(
            icalendar.Alarm.new_display(description=typography.french(event.title), trigger=-ALARM_BEFORE)
        )
    return entry


def _calendar(method: Method, entry: icalendar.Event) -> bytes:
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _utc(moment: datetime) -> datetime:
    """UTC needs no VTIMEZONE: two common parsers read the VTIMEZONE of the icalendar library one hour late."""
    return moment.astimezone(UTC)


def _contact(event: Event) -> str:
    return _("Contact: %(name)s, %(email)s") % {"name": event.contact_name, "email": event.contact_email}
