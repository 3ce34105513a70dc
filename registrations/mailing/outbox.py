"""The sending loop: claim a mail, compose it, send it, record the outcome.

No transaction is open while a document is rendered or a server is contacted. The claim is committed before the mail is
sent, so a crash can repeat a mail but never lose one.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.mail import mailers
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.mailing import claims, composer, relevance
from registrations.mailing.failures import Failure, HeldBack, NoLongerWanted, NotAccepted, Unreadable, Verdict, failure
from registrations.models import Delivery, Event, Suppression, clock_mark
from registrations.runtime import log_context
from registrations.runtime.time_limit import time_limit

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
SERVER_AWAY = RETRY_AFTER[:3]  # a mail server that is back at last is found by then, also when nobody signs up
LONG_WAIT = 10 * MINUTE  # after an ambiguous end, and for a mail that is held back
SHORT_WAIT = 2 * MINUTE  # after an ambiguous end, for a mail that somebody waits for at the screen
HORIZON = timedelta(days=3)  # then a mail fails, unless the obstacle is on our side
JITTER = 0.2
SEND_AT_MOST = 240  # seconds for one mail, however slow the server: with its report (90 s) it is less than a lease
CLOSE_AT_MOST = 5  # seconds for the last words of a connection
RECORD_EVERY = 2  # seconds between two tries to record an outcome, while the database is away


class Transport:
    """A connection to the mail server, opened for the first mail and kept for the next ones."""

    def __init__(self) -> None:
        self.backend = mailers.default
        self.connected = False

    def send(self, message: composer.Mail) -> None:
        """Send one message to its one recipient; raises what the backend raises, or NotAccepted or Unreadable.

        A server may close a connection that was kept: the mail it has not seen yet is sent over a new one at once.
        """
        with time_limit(SEND_AT_MOST):
            is_kept = self.connected
            try:
                self._send(message)
            except OSError as error:
                if not (is_kept and self._was_closed_before_mail(error)):
                    raise
                self.close()
                self._send(message)

    def _was_closed_before_mail(self, error: OSError) -> bool:
        asked = getattr(self.backend, "was_closed_before_mail", None)
        return asked is not None and bool(asked(error))

    def _send(self, message: composer.Mail) -> None:
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
            with time_limit(CLOSE_AT_MOST):
                self.backend.close()
        except Exception:  # the server may be gone, and this connection is no longer needed
            logger.info("The connection to the mail server was already gone")


def _require_one_accepted(message: composer.Mail) -> None:
    """Raise NotAccepted unless the provider accepted exactly one recipient. An SMTP server reports none here."""
    result = message.anymail_status
    statuses = [recipient.status for recipient in result.recipients.values()]
    if statuses and len([status for status in statuses if status in {"sent", "queued"}]) != 1:
        reason = _("the mail server did not accept the message")
        raise NotAccepted(reason, statuses=frozenset(statuses), response=result.esp_response)


def drain(*, holder: str = "", stop: Callable[[], bool] = lambda: False) -> None:
    """Send due mails one at a time, until none is due, `stop()` is true, or the mail server fails."""
    transport = Transport()
    try:
        while not stop() and (delivery := claims.claim(holder=holder)):
            with log_context.about_delivery(delivery.pk):
                goes_on = deliver(delivery, transport)
            if not goes_on:
                break
    finally:
        transport.close()


def deliver(delivery: Delivery, transport: Transport) -> bool:
    """Send one claimed mail and record the outcome; False when the next mail would fail for the same reason."""
    try:
        _require_still_wanted(delivery)
        transport.send(composer.compose(delivery))
    except NoLongerWanted as end:
        _persist(partial(_record_end, delivery, end.state, str(end)), delivery)
        return True
    except Exception as error:
        problem = failure(error, connected=transport.connected, handing_over=transport.handing_over)
        logger.warning("Delivery %s: %s, %s", delivery.pk, problem.verdict.name, type(error).__name__)
        transport.close()
        _persist(lambda: _record_failure(delivery, problem), delivery)
        is_defect = problem.verdict == Verdict.DEFECT
        if is_defect:
            logger.error("Delivery %s cannot be composed", delivery.pk, exc_info=error)
        if problem.verdict == Verdict.OURS or (is_defect and delivery.kind != Delivery.Kind.ALERT):
            _alarm(problem)
        return not problem.stops_the_drain
    _persist(lambda: claims.record_sent(delivery), delivery)
    logger.info("Delivery %s: sent", delivery.pk)
    if delivery.others_are_blocked:
        claims.resume_blocked()
    return True


def _require_still_wanted(delivery: Delivery) -> None:
    """Raise NoLongerWanted or HeldBack unless the mail is still true and wanted at this moment."""
    if delivery.is_poison_message:
        words = _("the worker was lost %(count)s times while it had this mail in hand")
        raise NoLongerWanted(Delivery.State.FAILED, words % {"count": delivery.worker_crashes})
    if delivery.facts.schedule is not None and (doubt := clock_mark.doubt()):
        raise HeldBack(doubt)  # neither sent nor given up by a clock that may be wrong
    if delivery.is_too_late:
        raise NoLongerWanted(Delivery.State.EXPIRED, _("too late to be useful"))
    if refusal := relevance.earlier_refusal(delivery):
        sentences = {
            Delivery.ProviderStatus.BOUNCED: _("an earlier mail came back: this address does not work"),
            Delivery.ProviderStatus.COMPLAINED: _("the recipient reported an earlier mail as unwanted"),
        }
        raise NoLongerWanted(Delivery.State.CANCELLED, sentences[refusal])
    if delivery.facts.recipient.is_internal:
        return
    if Suppression.objects.of_address(delivery.address).exists():
        raise NoLongerWanted(Delivery.State.CANCELLED, _("the owner of this mailbox has asked to be left alone"))
    if reason := relevance.obsolete_reason(delivery):
        raise NoLongerWanted(Delivery.State.CANCELLED, reason)
    if relevance.is_overtaken(delivery):
        raise NoLongerWanted(Delivery.State.EXPIRED, _("the last reminder leaves in its place"))
    if _is_of_a_draft(delivery):
        raise HeldBack(_("the event is a draft"))


def _is_of_a_draft(delivery: Delivery) -> bool:
    """Dry runs also try a draft."""
    event, registration = delivery.related_event, delivery.registration
    is_dry_run = registration is not None and registration.is_dry_run
    return event is not None and event.status == Event.Status.DRAFT and not is_dry_run


@transaction.atomic
def _record_end(delivery: Delivery, state: Delivery.State, reason: str) -> None:
    """Record why the mail is not sent, unless its event stands again meanwhile: then it is looked at anew at once.

    With the event locked, a change of it comes before, or finds the mail ended.
    """
    event = delivery.registration.event if delivery.registration else None
    is_off = event is not None and event.status in {Event.Status.POSTPONED, Event.Status.CANCELLED}
    if event and is_off and Event.objects.locked(event).status != event.status:
        claims.record_retry(delivery, after=timedelta(), error="", counts=True, obstacle=Delivery.Obstacle.EVENT)
    else:
        claims.record_end(delivery, state, reason)


def _record_failure(delivery: Delivery, problem: Failure) -> None:
    after = _retry_after(delivery, problem)
    patience_ends_at = (delivery.trying_since or timezone.now()) + HORIZON
    gives_up = problem.counts and timezone.now() + after > patience_ends_at
    if problem.verdict == Verdict.PERMANENT or gives_up:
        claims.record_end(delivery, Delivery.State.FAILED, problem.reason)
    elif problem.verdict == Verdict.DEFECT:
        claims.record_end(delivery, Delivery.State.BROKEN, problem.reason)
    else:
        claims.record_retry(
            delivery, after=after, error=problem.reason, counts=problem.counts, obstacle=problem.obstacle
        )


def _alarm(problem: Failure) -> None:
    """Our own configuration blocks every mail: log an error, and send the operator one alert."""
    logger.error("Mails are blocked: %s", problem.reason)
    if settings.ALERT_EMAIL:
        Delivery.objects.enqueue_alert(settings.ALERT_EMAIL)


def _retry_after(delivery: Delivery, problem: Failure) -> timedelta:
    """30 s, 1, 2, 5, 10, 20, 30 min and then every 30 min, ± 20 %; after an ambiguous end two or ten at least.

    Two minutes at most while the server is away: one mail at a time knocks, since a drain stops at the first that it
    refuses. A delay that the provider asks for is respected.
    """
    delays = SERVER_AWAY if problem.verdict == Verdict.TRANSPORT else RETRY_AFTER
    step = min(delivery.attempts, len(delays)) - 1
    after = delays[step] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads the load, no secret
    return max(after, _at_least(delivery, problem.verdict), problem.retry_after or timedelta())


def _at_least(delivery: Delivery, verdict: Verdict) -> timedelta:
    match verdict:
        case Verdict.AMBIGUOUS if delivery.priority <= 0:  # one person's own, and not one of many
            return SHORT_WAIT
        case Verdict.AMBIGUOUS | Verdict.HELD_BACK:
            return LONG_WAIT
    return timedelta()


def _persist(record: Callable[[], None], delivery: Delivery) -> None:
    """Record an outcome; while the database is away, try again until the lease ends."""
    while True:
        try:
            return record()
        except (DatabaseError, InterfaceError):
            if timezone.now() >= delivery.send_at:
                raise
            logger.warning("Delivery %s: its outcome could not be recorded yet", delivery.pk)
            connection.close()
            time.sleep(RECORD_EVERY)
