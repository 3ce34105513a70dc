"""Links that make an entry in the calendar of a visitor: plain addresses, which ask for nothing before the click."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.models import Event, EventState
from registrations.text import typography

OPENING_LASTS = timedelta(minutes=15)
GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
MICROSOFT_365 = "https://outlook.office.com/calendar/0/deeplink/compose"


class Entry(NamedTuple):
    title: str
    starts_at: datetime
    ends_at: datetime
    text: str
    page: str


def calendar_links(event: Event) -> list[tuple[str, str]]:
    """(name of a calendar, address) of each; the entry is that of the public file, and leads to the public page."""
    entry = _entry(event)
    return [
        (_("Google Calendar"), _google(entry)),
        ("Outlook.com", _outlook(OUTLOOK, entry)),
        ("Microsoft 365", _outlook(MICROSOFT_365, entry)),
    ]


def _entry(event: Event) -> Entry:
    """The session; while sign-up is still to open, the moment when it opens."""
    page, title = settings.BASE_URL + event.get_absolute_url(), typography.french(event.texts.title)
    if event.state == EventState.NOT_YET_OPEN:
        opens_at = event.registration_opens_at or timezone.now()
        return Entry(
            _("Registration opens: %(title)s") % {"title": title}, opens_at, opens_at + OPENING_LASTS, "", page
        )
    return Entry(title, event.starts_at, event.ends_at, note(event), page)


def note(event: Event) -> str:
    """What the entry says before the address of the page."""
    if not event.accepts_sign_ups:
        return ""
    delete = _("Then delete this one.")
    return "\n".join([f"{beside_the_invitation()} {delete}", _("Sign up to receive the connection link:")])


def beside_the_invitation() -> str:
    """What becomes of an entry that was made before signing up: no client joins it with that of the invitation."""
    return _("Once you have signed up, the invitation in your email makes another entry, with your link.")


def _google(entry: Entry) -> str:
    dates = "/".join(f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (entry.starts_at, entry.ends_at))
    details = f"{entry.text} {entry.page}".strip()
    return _address(GOOGLE, action="TEMPLATE", text=entry.title, dates=dates, details=details)


def _outlook(address: str, entry: Entry) -> str:
    start, end = (f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (entry.starts_at, entry.ends_at))
    compose = {"path": "/calendar/action/compose", "rru": "addevent", "startdt": start, "enddt": end}
    return _address(address, **compose, subject=entry.title, body=f"{entry.text} {entry.page}".strip())


def _address(address: str, **values: str) -> str:
    return f"{address}?{urlencode(values, quote_via=quote)}"
