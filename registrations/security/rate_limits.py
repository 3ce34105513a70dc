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
from typing import NamedTuple

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
LINKS_TO_MAILBOX = RateLimit("links to mailbox", 3, timedelta(days=1))
MOVES_FROM_ADDRESS = RateLimit("moves from address of event", 3, timedelta(days=1))
# One more than rows that can have gone from the address, and one for who waited until the event began.
FIRST_MAILS_TO_ADDRESS = RateLimit("first mails to address of event", MOVES_FROM_ADDRESS.limit + 2, timedelta(days=1))
FIRST_MAILS_FROM_ORIGIN = RateLimit("first mails to mailbox from origin", 1, timedelta(days=1))
FIRST_MAILS_FROM_ALL_ORIGINS = RateLimit("first mails to mailbox from all origins", 20, timedelta(days=1))
FORMS_FROM_ORIGIN = RateLimit("forms from origin", 60, timedelta(hours=1))
LOGINS_FROM_ORIGIN = RateLimit("failed logins from origin", 10, timedelta(minutes=15))
LOGINS_TO_ACCOUNT = RateLimit("failed logins to account", 30, timedelta(minutes=15))
LOGINS_OF_BROWSER = RateLimit("failed logins of known browser", 10, timedelta(minutes=15))
CERTIFICATES_OF_REGISTRATION = RateLimit("certificates of registration", 10, timedelta(hours=1))
CODES_OF_ACCOUNT = RateLimit("wrong codes of account", 10, timedelta(hours=1))


type Count = tuple[RateLimit, str]  # a limit, and whom or what it counts


class Due(NamedTuple):
    at: datetime | None  # when the mail may be sent; None when it must not be sent
    is_limited: bool  # the mailbox had had its mails of the day; the same for a known address and an unknown one


def mail_due(event: Event, address: str, *, is_first: bool, asked_from: str = "") -> Due:
    """Count a mail that a visitor has triggered. `asked_from`: the visitor's `origin`.

    Call it in the transaction that enqueues the mail, after the event and the registration are locked. Above the limit
    of the mailbox, a first confirmation has limits of its own, and any other mail is dropped.
    """
    if not settings.RATE_LIMITS:
        return Due(timezone.now(), is_limited=False)
    at = _take(MAILS_TO_MAILBOX, mailbox_of(address))
    is_limited = at is None
    if is_limited and is_first:
        at = _first_mail_at(event, address, asked_from)
    return Due(_event_free_at(event, at) if at else None, is_limited)


def link_due(event: Event | None, address: str) -> datetime | None:
    """Count a link that somebody asked for; returns when it may be sent, or None.

    Links are counted apart from sign-ups, and alike for every address: they delay no first confirmation, and no other
    limit tells later whether the address was known. Without an event, it is on no list and gets no mail.
    """
    if not settings.RATE_LIMITS:
        return timezone.now()
    if (at := _take(LINKS_TO_MAILBOX, mailbox_of(address))) is None:
        return None
    return _event_free_at(event, at)


def may_move_from(event: Event, address: str) -> bool:
    """Count a sign-up that is moved away from an address, which then may get a first mail once more."""
    return take((MOVES_FROM_ADDRESS, f"{event.pk} {address}")) is None


def _first_mail_at(event: Event, address: str, asked_from: str) -> float:
    """When a first mail may leave to a mailbox that has had its mails of the day, whoever asked for those.

    At once to an address that is spelled like its mailbox, since it can have few first mails. Other spellings are
    endless, and each gets one with a row of its own: at once for a network that has not filled this mailbox itself,
    until too many networks do.
    """
    mailbox = mailbox_of(address)
    if compared(address) == mailbox:
        return _take(FIRST_MAILS_TO_ADDRESS, f"{event.pk} {address}", delays=True) or time.time()
    by_origin = (FIRST_MAILS_FROM_ORIGIN, f"{asked_from} {mailbox}")
    if asked_from and take(by_origin, (FIRST_MAILS_FROM_ALL_ORIGINS, mailbox)) is None:
        return time.time()
    return _take(MAILS_TO_MAILBOX, mailbox, delays=True) or time.time()


def _event_free_at(event: Event | None, mailbox_at: float) -> datetime | None:
    """As much is counted without an event, so that the time of the answer does not tell it."""
    event_at = _take(mails_of_event(), str(event.pk) if event else "no event", delays=True)
    if event is None:
        return None
    if event_at and event_at > time.time():
        _alert(event)
    return datetime.fromtimestamp(max(mailbox_at, event_at or 0), UTC)


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
