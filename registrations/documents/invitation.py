"""iCalendar objects: invitations sent by mail (iTIP, RFC 5546) and entries for download."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

import icalendar
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from registrations.models import Event, EventState, Registration
from registrations.models.one_line import one_line
from registrations.text import calendar_links, report_name, typography
from registrations.text.names import may_be_greeted

PRODID = "-//webinar//registrations//FR"
ALARM_BEFORE = timedelta(minutes=15)
QUOTATION = re.compile(r'"([^"]*)"')
CONTROLS = re.compile(r" ?[\x00-\x1f\x7f]+ ?")


class Method(StrEnum):
    """METHOD of a calendar object (RFC 5546, section 1.4)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


def invitation(
    registration: Registration,
    method: Method = Method.REQUEST,
    *,
    mailbox: str = "",
    is_named: bool = True,
    comment: str = "",
) -> bytes:
    """The object mailed to a registrant, its only attendee: a REQUEST, or a CANCEL that removes the entry.

    `mailbox`: the address of the mail, if it is not the registration's. `comment`: what happened. A CANCEL has no
    link, which would be a dead one.
    """
    mailbox = mailbox or registration.email
    with translation.override(registration.language):
        if method == Method.CANCEL:
            entry = _entry_in(registration, mailbox)
            entry["STATUS"] = icalendar.vText("CANCELLED")
            entry.subcomponents.clear()  # no alarm for a cancelled event
        else:
            entry = _personal_entry(registration, mailbox)
        if comment:
            entry.add("COMMENT", comment)
        entry["ATTENDEE"] = _person(
            mailbox,
            (is_named and _name(registration)) or mailbox,
            cutype="INDIVIDUAL",
            role="REQ-PARTICIPANT",
            partstat="NEEDS-ACTION",
            rsvp=method == Method.REQUEST,
        )
        entry.add("X-MICROSOFT-DISALLOW-COUNTER", "TRUE")
        return _calendar(method, entry)


def personal_entry(registration: Registration) -> bytes:
    """The same entry for download from the join page: PUBLISH, without the person's address."""
    with translation.override(registration.language):
        return _calendar(Method.PUBLISH, _personal_entry(registration, registration.email))


def public_entry(event: Event) -> bytes:
    """The entry for download from the event page: PUBLISH, with its own UID and no personal link.

    The invitation cannot replace it, since each mailbox has a UID of its own: the text says to delete it then. While
    sign-up is still to open, that moment: the entry of the session comes with the confirmation.
    """
    page = settings.BASE_URL + event.get_absolute_url()
    if event.state == EventState.NOT_YET_OPEN:
        return _calendar(Method.PUBLISH, _opening(event, page))
    return _calendar(Method.PUBLISH, _public_session(event, note=calendar_links.note(event)))


def _public_session(event: Event, *, note: str) -> icalendar.Event:
    page = settings.BASE_URL + event.get_absolute_url()
    description = [typography.french(event.texts.summary), note, page, _contact(event)]
    entry = _entry(event, uid=f"evenement-{event.slug}@{settings.HOST}", sequence=event.sequence)
    entry.add("URL", page)
    entry.add("DESCRIPTION", "\n".join(line for line in description if line))
    return entry


def public_feed(events: Iterable[Event], *, name: str) -> bytes:
    """A calendar to subscribe to: the entries of the public files, without alarms, which would be everybody's."""
    calendar = _empty_calendar(Method.PUBLISH)
    calendar.add("NAME", name)
    calendar.add("X-WR-CALNAME", name)  # the name of it that Google and Apple read
    for event in events:
        note = calendar_links.beside_the_invitation() if event.offers_calendar_file else ""
        entry = _public_session(event, note=note)
        entry.subcomponents.clear()
        calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _opening(event: Event, page: str) -> icalendar.Event:
    """A quarter of an hour from the moment when sign-up opens."""
    entry = _entry(event, uid=f"ouverture-{event.slug}@{settings.HOST}", sequence=event.sequence)
    opens_at = event.registration_opens_at or timezone.now()
    title = _("Registration opens: %(title)s") % {"title": _title(event)}
    for name, value in {
        "DTSTART": _utc(opens_at),
        "DTEND": _utc(opens_at + calendar_links.OPENING_LASTS),
        "SUMMARY": title,
        "TRANSP": "TRANSPARENT",
    }.items():
        del entry[name]
        entry.add(name, value)
    entry.add("URL", page)
    entry.add("DESCRIPTION", "\n".join([page, _contact(event)]))
    return entry


def _entry_in(registration: Registration, mailbox: str) -> icalendar.Event:
    """What identifies the entry in the calendar of a mailbox."""
    return _entry(registration.event, uid=registration.calendar_uid(mailbox), sequence=registration.calendar_sequence)


def _personal_entry(registration: Registration, mailbox: str) -> icalendar.Event:
    """With the join link once, as its LOCATION: clients show that, DESCRIPTION and URL one after the other.

    No CONFERENCE (RFC 7986) either: most clients ignore it, and the others would show the link a second time.
    """
    event = registration.event
    entry = _entry_in(registration, mailbox)
    entry.add("LOCATION", registration.join_url)
    name = _("%(report)s:") % {"report": report_name.the_report_title(event)}
    report = [name, registration.report_url] if event.offers_report else []
    description = [*report, _contact(event)]
    entry.add("DESCRIPTION", "\n".join(description))
    return entry


def _entry(event: Event, *, uid: str, sequence: int) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("UID", uid)
    entry.add("DTSTAMP", timezone.now().astimezone(UTC))
    entry.add("SEQUENCE", sequence)
    entry.add("DTSTART", _utc(event.starts_at))
    entry.add("DTEND", _utc(event.ends_at))
    entry.add("SUMMARY", _title(event))
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    entry["ORGANIZER"] = _person(address, event.organiser_name)
    entry.add("STATUS", "CANCELLED" if event.status == Event.Status.CANCELLED else "CONFIRMED")
    entry.add("TRANSP", "OPAQUE")
    entry.add("CLASS", "PUBLIC")
    if not event.is_over:
        entry.add_component(icalendar.Alarm.new_display(description=_title(event), trigger=-ALARM_BEFORE))
    return entry


def _title(event: Event) -> str:
    """Never empty: an entry without a title, or an alarm without words, is refused by the library and by clients."""
    for words in (event.texts.title, event.texts.short_title):
        if title := one_line(CONTROLS.sub(" ", words)):
            return typography.french(title)
    return _("Webinar")


def _name(registration: Registration) -> str:
    """As a mail greets: a name in doubt may be an advert that a stranger typed."""
    names = (registration.first_name, registration.last_name)
    return " ".join(name for name in names if may_be_greeted(name))


def _person(address: str, name: str, **parameters: Any) -> icalendar.vCalAddress:
    """An address with its name (CN), in characters that each parser reads.

    A parameter cannot hold a quotation mark. RFC 6868 writes it as ^' and a circumflex as ^^, and many parsers show
    these signs as they are.
    """
    name = QUOTATION.sub(r"“\1”", one_line(CONTROLS.sub(" ", name)))
    name = name.replace('"', "”").replace("^", "ˆ")
    return icalendar.vCalAddress.new(address, cn=name or None, **parameters)


def _calendar(method: Method, entry: icalendar.Event) -> bytes:
    calendar = _empty_calendar(method)
    calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _empty_calendar(method: Method) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    return calendar


def _utc(moment: datetime) -> datetime:
    """UTC needs no VTIMEZONE: two common parsers read the VTIMEZONE of the icalendar library one hour late."""
    return moment.astimezone(UTC)


def _contact(event: Event) -> str:
    return _("Contact: %(name)s, %(email)s") % {"name": event.contact_name, "email": event.contact_email}
