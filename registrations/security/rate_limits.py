"""Rate limits on what visitors can trigger. Addresses and networks are stored as HMAC digests only.

Above a limit, an action is either delayed (a mail that was promised) or refused (a form, a login). Mails that an
organiser or the schedule sends are not counted.
"""

import ipaddress
import logging
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from registrations.models import Delivery, Event, RateLimitHit
from registrations.models.suppression import mailbox_of

logger = logging.getLogger(__name__)

IPV6_PREFIX = 64  # bits of the network that one subscriber has


@dataclass(frozen=True)
class RateLimit:
    name: str
    limit: int
    period: timedelta


MAILS_TO_MAILBOX = RateLimit("mails to mailbox", 3, timedelta(days=1))
FIRST_MAILS_TO_ADDRESS = RateLimit("first mails to address of event", 1, timedelta(days=1))
LINKS_OF_NOBODY = RateLimit("links of nobody", 3, timedelta(days=1))
FORMS_FROM_ORIGIN = RateLimit("forms from origin", 60, timedelta(hours=1))
LOGINS_FROM_ORIGIN = RateLimit("failed logins from origin", 10, timedelta(minutes=15))
LOGINS_TO_ACCOUNT = RateLimit("failed logins to account", 30, timedelta(minutes=15))
LOGINS_OF_BROWSER = RateLimit("failed logins of known browser", 10, timedelta(minutes=15))
CERTIFICATES_OF_REGISTRATION = RateLimit("certificates of registration", 10, timedelta(hours=1))
CODES_OF_ACCOUNT = RateLimit("wrong codes of account", 10, timedelta(hours=1))


type Count = tuple[RateLimit, str]  # a limit, and whom or what it counts


def mail_due(event: Event | None, address: str, *, is_first: bool) -> datetime | None:
    """Count a mail that a visitor has triggered; returns when it may be sent, or None when it must not be sent.

    Call it in the transaction that enqueues the mail, after the event and the registration are locked. Above the limit
    of the mailbox, a first confirmation is delayed and any other mail is dropped. Without an event (an address that
    gets no mail), as much is written, and it is not counted for the mailbox.
    """
    if not settings.RATE_LIMITS:
        return timezone.now()
    if event is None:
        mailbox_at = _take(LINKS_OF_NOBODY, mailbox_of(address))
    else:
        mailbox_at = _mailbox_free_at(event, address, is_first=is_first)
    if mailbox_at is None:
        return None
    event_at = _take(mails_of_event(), str(event.pk) if event else "no event", delays=True)
    if event is None:
        return None
    if event_at and event_at > time.time():
        _alert(event)
    return datetime.fromtimestamp(max(mailbox_at, event_at or 0), UTC)


def _mailbox_free_at(event: Event, address: str, *, is_first: bool) -> float | None:
    """Mails that strangers caused do not delay the first one to an address that is spelled like its mailbox.

    Above the limit of the mailbox, such an address has a limit of its own for each event. Other spellings have not:
    there are as many as anyone likes.
    """
    mailbox = mailbox_of(address)
    if (at := _take(MAILS_TO_MAILBOX, mailbox)) or not is_first:
        return at
    if compared(address) == mailbox:
        return _take(FIRST_MAILS_TO_ADDRESS, f"{event.pk} {address}", delays=True)
    return _take(MAILS_TO_MAILBOX, mailbox, delays=True)


def mails_of_event() -> RateLimit:
    return RateLimit("mails of event", settings.EVENT_MAILS_PER_HOUR, timedelta(hours=1))


def has_too_many_mails(event: Event) -> bool:
    """Whether the mails of this event that visitors trigger now are delayed."""
    return settings.RATE_LIMITS and _wait(mails_of_event(), str(event.pk)) > 0


def wait_of_form(request: HttpRequest) -> timedelta | None:
    """Count one form sent from the origin of this request; returns how long to wait when it is above the limit."""
    return take((FORMS_FROM_ORIGIN, origin(request)))


def take(*counts: Count) -> timedelta | None:
    """Count one hit of each limit and return None; or count nothing and return how long to wait."""
    for done, (rate_limit, whose) in enumerate(counts if settings.RATE_LIMITS else []):
        if not _take(rate_limit, whose, never_delays=True):
            give_back(*counts[:done])
            return timedelta(seconds=max(1, _wait(rate_limit, whose)))
    return None


def give_back(*counts: Count) -> None:
    """Remove the last hit of each, because the attempt was not a failure after all."""
    for rate_limit, whose in counts:
        RateLimitHit.objects.give_back(_key(rate_limit, whose))


def _take(rate_limit: RateLimit, whose: str, *, delays: bool = False, never_delays: bool = False) -> float | None:
    key, limit, period = _key(rate_limit, whose), rate_limit.limit, rate_limit.period
    return RateLimitHit.objects.take(key, limit=limit, period=period, delays=delays, never_delays=never_delays)


def _wait(rate_limit: RateLimit, whose: str) -> float:
    free_at = RateLimitHit.objects.free_at(_key(rate_limit, whose), limit=rate_limit.limit, period=rate_limit.period)
    return free_at - timezone.now().timestamp()


def _key(rate_limit: RateLimit, whose: str) -> str:
    return salted_hmac("registrations.limits", f"{rate_limit.name}\n{compared(whose)}", algorithm="sha256").hexdigest()


def compared(text: str) -> str:
    """Typed text as Django compares user names (NFKC), in any case: full-width letters do not get around a limit."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def origin(request: HttpRequest) -> str:
    """The network of the client, as seen by the outermost trusted proxy. A header sent by the client is ignored.

    Each of the TRUSTED_PROXY_COUNT proxies adds one address at the right of X-Forwarded-For.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    count = settings.TRUSTED_PROXY_COUNT
    forwarded = hops[-count] if 0 < count <= len(hops) else ""
    return _network(forwarded) or _network(request.META.get("REMOTE_ADDR", "")) or "unknown"


def _network(address_text: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address; empty when the text is neither.

    The text may have brackets and a port.
    """
    text = address_text.strip().strip('"')
    text = text[1:].partition("]")[0] if text.startswith("[") else text
    text = text.partition(":")[0] if text.count(":") == 1 else text
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))
        address = address.ipv4_mapped
    return str(address)


def _alert(event: Event) -> None:
    """Log an error and alert the operator: many sign-ups may be a success or an attack. All mails are sent, later."""
    logger.error("Event %s: more than %s mails in an hour, delayed", event.pk, settings.EVENT_MAILS_PER_HOUR)
    if settings.ALERT_EMAIL:
        Delivery.objects.enqueue_alert(settings.ALERT_EMAIL)
