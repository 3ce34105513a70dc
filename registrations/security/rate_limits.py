"""How often a stranger may set something off. What is counted is kept as keyed digests: no address, no origin.

A cap either delays (a mail that was promised) or refuses (a form, a login). Mails of our own accord are not counted.
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

from registrations.models import Delivery, Event, Hit
from registrations.models.suppression import mailbox_of

logger = logging.getLogger(__name__)

IPV6_NETWORK = 64  # bits that one subscriber has


@dataclass(frozen=True)
class Cap:
    name: str
    limit: int
    period: timedelta


MAILS_TO_MAILBOX = Cap("mails to mailbox", 3, timedelta(days=1))
FORMS_FROM_ORIGIN = Cap("forms from origin", 60, timedelta(hours=1))
LOGINS_FROM_ORIGIN = Cap("failed logins from origin", 10, timedelta(minutes=15))
LOGINS_TO_ACCOUNT = Cap("failed logins to account", 30, timedelta(minutes=15))
LOGINS_OF_BROWSER = Cap("failed logins of known browser", 10, timedelta(minutes=15))
CODES_OF_ACCOUNT = Cap("wrong codes of account", 10, timedelta(hours=1))


class Counted(NamedTuple):
    """What was counted of a mail before it is known whether, and when, it leaves."""

    to_mailbox: Hit | None = None
    of_event: Hit | None = None


NOTHING = Counted()


def count_mail_to(address: str) -> Hit | None:
    """One more mail to this mailbox, now or later. Call it before an event or a registration is held: whoever holds
    more than one of them has taken them in this order."""
    return _take(MAILS_TO_MAILBOX, mailbox_of(address), delays=True) if settings.RATE_LIMITS else None


def count_mail_of(event: Event) -> Hit | None:
    """One more mail that somebody set off about this event, now or later; for a sign-up, before its transaction:
    until that ends, nobody else could be counted."""
    return _take(mails_of_event(), str(event.pk), delays=True) if settings.RATE_LIMITS else None


def take_back(counted: Counted) -> None:
    """No mail leaves after all."""
    for hit in filter(None, counted):
        Hit.objects.give_back(hit.key)


def mail_due(event: Event | None, address: str, *, is_first: bool, counted: Counted = NOTHING) -> datetime | None:
    """When a mail that a visitor has set off may leave; None when it must not.

    A first confirmation is delayed and never dropped; a repeat to a mailbox that has had enough is dropped. Without
    an event, for an address that nothing is sent to, the mailbox alone is counted. Call it in the transaction that
    owes the mail; `counted`: what was counted before, by `count_mail_to` and `count_mail_of`.
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
        _alarm(event)
    return datetime.fromtimestamp(max(hit.at for hit in (to_mailbox, of_event) if hit), UTC)


def mails_of_event() -> Cap:
    return Cap("mails of event", settings.EVENT_MAILS_PER_HOUR, timedelta(hours=1))


def wait_of_form(request: HttpRequest) -> timedelta | None:
    """Count one form sent from where this request comes from; how long to wait first, when it is one too many."""
    return take_or_wait(FORMS_FROM_ORIGIN, origin(request))


def take_or_wait(cap: Cap, whose: str) -> timedelta | None:
    """None, and one more counted; or how long to wait, and nothing counted."""
    if not settings.RATE_LIMITS or _take(cap, whose, delays=False):
        return None
    free_at = Hit.objects.free_at(_key(cap, whose), limit=cap.limit, period=cap.period)
    return timedelta(seconds=max(1, free_at - timezone.now().timestamp()))


def take_all(counts: list[tuple[Cap, str]]) -> timedelta | None:
    """Count one against each cap; nothing counted, and how long to wait, when one of them has had enough."""
    for done, (cap, whose) in enumerate(counts):
        if wait := take_or_wait(cap, whose):
            give_back_all(counts[:done])
            return wait
    return None


def give_back_all(counts: list[tuple[Cap, str]]) -> None:
    for cap, whose in counts:
        give_back(cap, whose)


def give_back(cap: Cap, whose: str) -> None:
    """What was counted last turned out to be no failure."""
    Hit.objects.give_back(_key(cap, whose))


def _take(cap: Cap, whose: str, *, delays: bool) -> Hit | None:
    return Hit.objects.take(_key(cap, whose), limit=cap.limit, period=cap.period, delays=delays)


def _key(cap: Cap, whose: str) -> str:
    return salted_hmac("registrations.limits", f"{cap.name}\n{whose}", algorithm="sha256").hexdigest()


def origin(request: HttpRequest) -> str:
    """The network a request comes from, as the outermost proxy that we trust saw it: never what a client says itself.

    Each of TRUSTED_PROXY_COUNT proxies adds one address at the right of X-Forwarded-For.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    count = settings.TRUSTED_PROXY_COUNT
    told = hops[-count] if 0 < count <= len(hops) else ""
    return _network(told) or _network(request.META.get("REMOTE_ADDR", "")) or "unknown"


def _network(told: str) -> str:
    """An IPv4 address, the /64 of an IPv6 address, with or without brackets or port; empty when it is none."""
    text = told.strip().strip('"')
    text = text[1:].partition("]")[0] if text.startswith("[") else text
    text = text.partition(":")[0] if text.count(":") == 1 else text
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address), IPV6_NETWORK), strict=False))
        address = address.ipv4_mapped
    return str(address)


def _alarm(event: Event) -> None:
    """Very many sign-ups: each mail leaves, later. The operator decides whether that is success or an attack."""
    logger.error("Event %s: more than %s mails in an hour, delayed", event.pk, settings.EVENT_MAILS_PER_HOUR)
    if settings.ALERT_EMAIL:
        Delivery.objects.owe_alert(settings.ALERT_EMAIL)
