"""The mail that must arrive: claim a Delivery, build it, send it, record what happened.

No transaction is open while a document is rendered or a server is talked to. A row is claimed and committed before
its mail is sent, so that a crash can repeat a mail but never lose one.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta

from django.core.mail import mailers
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from registrations import mail
from registrations.failures import Failure, NotAccepted, Verdict, failure
from registrations.models import Delivery

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
AMBIGUOUS_RETRY_AFTER = 10 * MINUTE
HORIZON = timedelta(days=3)
JITTER = 0.2
RECORD_EVERY = 2  # seconds between two tries to write down what happened, while the database is away


class Transport:
    """One connection to the mail server, opened for the first mail and kept for the next ones."""

    def __init__(self) -> None:
        self.backend = mailers.default
        self.connected = False

    def send(self, message: mail.Mail) -> None:
        """Hand over one message to its one recipient; raises whatever went wrong."""
        if not self.connected:
            self.backend.open()
            self.connected = True
        if self.backend.send_messages([message]) != 1:
            raise NotAccepted("the mail server did not accept the message")
        if (status := getattr(message, "anymail_status", None)) and status.recipients:
            accepted = [one for one in status.recipients.values() if one.status in {"sent", "queued"}]
            if len(accepted) != 1:
                raise NotAccepted(f"the provider answered {status.status}")

    def close(self) -> None:
        self.connected = False
        try:
            self.backend.close()
        except Exception:  # the server may be gone: nothing is owed to this connection any more
            logger.info("The connection to the mail server was already gone")


def drain(*, stop: Callable[[], bool] = lambda: False) -> None:
    """Send what is due, one mail at a time, until nothing is, `stop` says so, or the mail server fails."""
    transport = Transport()
    try:
        while not stop() and (delivery := Delivery.objects.claim()):
            if not deliver(delivery, transport):
                break
    finally:
        transport.close()


def deliver(delivery: Delivery, transport: Transport) -> bool:
    """Send one claimed mail and record the outcome; False when the next mail would meet the same obstacle."""
    if end := _no_longer_to_be_sent(delivery):
        _persist(lambda: delivery.record_end(*end), delivery)
        return True
    try:
        message = mail.compose(delivery)
        transport.send(message)
    except Exception as error:
        problem = failure(error, connected=transport.connected)
        logger.warning("Delivery %s: %s, %s", delivery.pk, problem.verdict.name, type(error).__name__)
        transport.close()
        _persist(lambda: _record_failure(delivery, problem), delivery)
        return not problem.stops_the_drain
    _persist(delivery.record_sent, delivery)
    logger.info("Delivery %s: sent", delivery.pk)
    return True


def _no_longer_to_be_sent(delivery: Delivery) -> tuple[Delivery.State, str] | None:
    if delivery.is_poisonous:
        return Delivery.State.FAILED, f"its preparation stopped the worker {delivery.deaths} times"
    if delivery.is_too_late:
        return Delivery.State.EXPIRED, "too late to be useful"
    if delivery.is_unwanted:
        return Delivery.State.CANCELLED, "the registration was cancelled"
    return None


def _record_failure(delivery: Delivery, problem: Failure) -> None:
    after = _retry_after(delivery, problem)
    gives_up = problem.verdict != Verdict.OURS and timezone.now() + after > delivery.created_at + HORIZON
    if problem.verdict == Verdict.PERMANENT or gives_up:
        delivery.record_end(Delivery.State.FAILED, problem.reason)
    else:
        delivery.record_retry(after=after, error=problem.reason)


def _retry_after(delivery: Delivery, problem: Failure) -> timedelta:
    """30 s, 1, 2, 5, 10, 20, 30 min and then every 30 min, give or take a fifth; never soon after an ambiguous end."""
    step = min(delivery.attempts, len(RETRY_AFTER)) - 1
    after = RETRY_AFTER[step] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
    return max(after, AMBIGUOUS_RETRY_AFTER) if problem.verdict == Verdict.AMBIGUOUS else after


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
