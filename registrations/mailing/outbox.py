"""The mail that must arrive: claim a Delivery, build it, send it, record what happened.

No transaction is open while a document is rendered or a server is talked to. A row is claimed and committed before
its mail is sent, so that a crash can repeat a mail but never lose one.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.mail import mailers
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.mailing import composer
from registrations.mailing.failures import Failure, HeldBack, NoLongerWanted, NotAccepted, Unreadable, Verdict, failure
from registrations.models import Delivery, Event, Suppression
from registrations.runtime import log_context

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
RETRY_AFTER = [
    timedelta(seconds=30),
    1 * MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
]
LONG_WAIT = 10 * MINUTE  # after an ambiguous end, and for a mail that is held back
HORIZON = timedelta(days=3)  # of tries that count
JITTER = 0.2
RECORD_EVERY = 2  # seconds between two tries to write down what happened, while the database is away


class Transport:
    """One connection to the mail server, opened for the first mail and kept for the next ones."""

    def __init__(self) -> None:
        self.backend = mailers.default
        self.connected = False

    def send(self, message: composer.Mail) -> None:
        """Hand over one message to its one recipient; raises whatever went wrong."""
        if not self.connected:
            self.backend.open()
            self.connected = True
        try:
            count = self.backend.send_messages([message])
        except Exception as error:
            if message.anymail_status.esp_response is None or getattr(error, "response", None) is not None:
                raise
            raise Unreadable(_("the mail provider gave an answer that cannot be read")) from error
        if count != 1:
            raise NotAccepted(_("the mail server did not accept the message"))
        _require_one_accepted(message)

    @property
    def handing_over(self) -> bool:
        return getattr(self.backend, "handing_over", False)

    def close(self) -> None:
        self.connected = False
        try:
            self.backend.close()
        except Exception:  # the server may be gone: nothing is owed to this connection any more
            logger.info("The connection to the mail server was already gone")


def _require_one_accepted(message: composer.Mail) -> None:
    """What a provider said of each recipient; an SMTP server says nothing here."""
    told = message.anymail_status
    statuses = [recipient.status for recipient in told.recipients.values()]
    if statuses and len([status for status in statuses if status in {"sent", "queued"}]) != 1:
        reason = _("the mail server did not accept the message")
        raise NotAccepted(reason, statuses=frozenset(statuses), response=told.esp_response)


def drain(*, holder: str = "", stop: Callable[[], bool] = lambda: False) -> None:
    """Send what is due, one mail at a time, until nothing is, `stop` says so, or the mail server fails."""
    transport = Transport()
    try:
        while not stop() and (delivery := Delivery.objects.claim(holder=holder)):
            with log_context.about_delivery(delivery.pk):
                goes_on = deliver(delivery, transport)
            if not goes_on:
                break
    finally:
        transport.close()


def deliver(delivery: Delivery, transport: Transport) -> bool:
    """Send one claimed mail and record the outcome; False when the next mail would meet the same obstacle."""
    try:
        _require_still_wanted(delivery)
        transport.send(composer.compose(delivery))
    except NoLongerWanted as end:
        state, reason = end.state, str(end)
        _persist(lambda: delivery.record_end(state, reason), delivery)
        return True
    except Exception as error:
        problem = failure(error, connected=transport.connected, handing_over=transport.handing_over)
        logger.warning("Delivery %s: %s, %s", delivery.pk, problem.verdict.name, type(error).__name__)
        transport.close()
        _persist(lambda: _record_failure(delivery, problem), delivery)
        if problem.verdict == Verdict.OURS:
            _alarm(problem)
        return not problem.stops_the_drain
    _persist(delivery.record_sent, delivery)
    logger.info("Delivery %s: sent", delivery.pk)
    return True


def _require_still_wanted(delivery: Delivery) -> None:
    """What a mail says must be true at the moment it leaves."""
    if delivery.is_poisonous:
        words = _("the worker was lost %(count)s times while it had this mail in hand")
        raise NoLongerWanted(Delivery.State.FAILED, words % {"count": delivery.deaths})
    if delivery.is_too_late:
        raise NoLongerWanted(Delivery.State.EXPIRED, _("too late to be useful"))
    if refusal := delivery.earlier_refusal():
        sentences = {
            Delivery.ProviderStatus.BOUNCED: _("an earlier mail came back: this address does not work"),
            Delivery.ProviderStatus.COMPLAINED: _("the recipient reported an earlier mail as unwanted"),
        }
        raise NoLongerWanted(Delivery.State.CANCELLED, sentences[refusal])
    if (registration := delivery.registration) is None:
        return
    if Suppression.objects.of_address(delivery.address).exists():
        raise NoLongerWanted(Delivery.State.CANCELLED, _("the owner of this mailbox has asked to be left alone"))
    if reason := delivery.untrue_because():
        raise NoLongerWanted(Delivery.State.CANCELLED, reason)
    if delivery.is_overtaken:
        raise NoLongerWanted(Delivery.State.EXPIRED, _("the last reminder leaves in its place"))
    if registration.event.status == Event.Status.DRAFT and not registration.is_trial:
        raise HeldBack(_("the event is a draft"))


def _record_failure(delivery: Delivery, problem: Failure) -> None:
    after = _retry_after(delivery, problem)
    patience_ends_at = (delivery.trying_since or timezone.now()) + HORIZON
    gives_up = problem.counts and timezone.now() + after > patience_ends_at
    if problem.verdict == Verdict.PERMANENT or gives_up:
        delivery.record_end(Delivery.State.FAILED, problem.reason)
    else:
        delivery.record_retry(after=after, error=problem.reason, counts=problem.counts)


def _alarm(problem: Failure) -> None:
    """Something of ours blocks every mail: say so in the log, and once by mail."""
    logger.error("Mails are blocked: %s", problem.reason)
    if settings.ALERT_EMAIL:
        Delivery.objects.owe_alert(settings.ALERT_EMAIL)


def _retry_after(delivery: Delivery, problem: Failure) -> timedelta:
    """30 s, 1, 2, 5, 10, 20, 30 min and then every 30 min, give or take a fifth; never soon after an ambiguous end.

    A provider that names a delay is left alone for at least as long.
    """
    step = min(delivery.attempts, len(RETRY_AFTER)) - 1
    after = RETRY_AFTER[step] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
    at_least = LONG_WAIT if problem.verdict in {Verdict.AMBIGUOUS, Verdict.HELD_BACK} else timedelta()
    return max(after, at_least, problem.retry_after or timedelta())


def _persist(record: Callable[[], None], delivery: Delivery) -> None:
    """Write down what happened, again and again while the database is away, until the lease ends."""
    while True:
        try:
            return record()
        except (DatabaseError, InterfaceError):
            if timezone.now() >= delivery.due:
                raise
            logger.warning("Delivery %s: its outcome could not be recorded yet", delivery.pk)
            connection.close()
            time.sleep(RECORD_EVERY)
