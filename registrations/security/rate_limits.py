"""Rate limits on what visitors can trigger. Addresses and networks are stored as HMAC digests only.

Above a limit, an action is either delayed (a mail that was promised) or refused (a form, a login). Mails that an
organiser or the schedule sends are not counted.
"""

import ipaddress
import logging
import time
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
FORMS_FROM_ORIGIN = RateLimit("forms from origin", 60, timedelta(hours=1))
LOGINS_FROM_ORIGIN = RateLimit("failed logins from origin", 10, timedelta(minutes=15))
LOGINS_TO_ACCOUNT = RateLimit("failed logins to account", 30, timedelta(minutes=15))
LOGINS_OF_BROWSER = RateLimit("failed logins of known browser", 10, timedelta(minutes=15))
CERTIFICATES_OF_REGISTRATION = RateLimit("certificates of registration", 10, timedelta(hours=1))
CODES_OF_ACCOUNT = RateLimit("wrong codes of account", 10, timedelta(hours=1))


class Counted(NamedTuple):
    """Hits recorded for a mail before it is decided whether and when it is sent."""

    to_mailbox: RateLimitHit | None = None
    of_event: RateLimitHit | None = None


NOTHING = Counted()


def count_mail_to(address: str) -> RateLimitHit | None:
    """Count one mail to this mailbox; the hit says when it may be sent.

    Call it before locking an event or a registration: the order of locks is mailbox, event, registration.
    """
    return _take(MAILS_TO_MAILBOX, mailbox_of(address), delays=True) if settings.RATE_LIMITS else None


def count_mail_of(event: Event) -> RateLimitHit | None:
    """Count one mail about this event that a visitor has triggered; the hit says when it may be sent.

    For a sign-up, call it before its transaction: inside, other requests could not count until the transaction ends.
    """
    return _take(mails_of_event(), str(event.pk), delays=True) if settings.RATE_LIMITS else None


def take_back(counted: Counted) -> None:
    """Remove the hits of a mail that is not sent after all."""
    for hit in filter(None, counted):
        RateLimitHit.objects.give_back(hit.key)


def mail_due(event: Event | None, address: str, *, is_first: bool, counted: Counted = NOTHING) -> datetime | None:
    """When a mail that a visitor has triggered may be sent; None when it must not be sent.

    Above the limit of the mailbox, a first confirmation is delayed and a repeated one is dropped. Without an event (an
    address that gets no mail), only the mailbox is counted. Call it in the transaction that enqueues the mail.
    `counted`: hits already recorded by `count_mail_to` and `count_mail_of`.
    """
    if not settings.RATE_LIMITS:
        return timezone.now()
    to_mailbox, of_event = counted
    to_mailbox = to_mailbox or _take(MAILS_TO_MAILBOX, mailbox_of(address), delays=is_first)
    if to_mailbox is None or (not is_first and to_mailbox.at > time.time()):
        take_back(Counted(to_mailbox, of_event))
        return None
    if event is None:
        return datetime.fromtimestamp(to_mailbox.at, UTC)
    of_event = of_event or _take(mails_of_event(), str(event.pk), delays=True)
    if of_event and of_event.at > time.time():
        _alert(event)
    return datetime.fromtimestamp(max(hit.at for hit in (to_mailbox, of_event) if hit), UTC)


def mails_of_event() -> RateLimit:
    return RateLimit("mails of event", settings.EVENT_MAILS_PER_HOUR, timedelta(hours=1))


def wait_of_form(request: HttpRequest) -> timedelta | None:
    """Count one form sent from the origin of this request; returns how long to wait when it is above the limit."""
    return take_or_wait(FORMS_FROM_ORIGIN, origin(request))


def take_or_wait(rate_limit: RateLimit, whose: str) -> timedelta | None:
    """Count one hit and return None; or count nothing and return how long to wait."""
    if not settings.RATE_LIMITS or _take(rate_limit, whose, delays=False):
        return None
    free_at = RateLimitHit.objects.free_at(_key(rate_limit, whose), limit=rate_limit.limit, period=rate_limit.period)
    return timedelta(seconds=max(1, free_at - timezone.now().timestamp()))


def take_all(counts: list[tuple[RateLimit, str]]) -> timedelta | None:
    """Count one hit of each limit and return None; or count nothing and return how long to wait."""
    for done, (rate_limit, whose) in enumerate(counts):
        if wait := take_or_wait(rate_limit, whose):
            give_back_all(counts[:done])
            return wait
    return None


def give_back_all(counts: list[tuple[RateLimit, str]]) -> None:
    for rate_limit, whose in counts:
        give_back(rate_limit, whose)


def give_back(rate_limit: RateLimit, whose: str) -> None:
    """Remove the last hit, because the attempt was not a failure after all."""
    RateLimitHit.objects.give_back(_key(rate_limit, whose))


def _take(rate_limit: RateLimit, whose: str, *, delays: bool) -> RateLimitHit | None:
    return RateLimitHit.objects.take(
        _key(rate_limit, whose), limit=rate_limit.limit, period=rate_limit.period, delays=delays
    )


def _key(rate_limit: RateLimit, whose: str) -> str:
    return salted_hmac("registrations.limits", f"{rate_limit.name}\n{whose}", algorithm="sha256").hexdigest()


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
