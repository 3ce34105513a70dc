"""Writing to the registrants: confirmed once, taken back within two minutes, then on its way like any other mail."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registrations.mailing import wakeups
from registrations.models import Broadcast, Delivery, Job, MailTally, PeopleTally, Registration
from registrations.models.delivery import REFUSALS
from registrations.security import audit

Audience, Kind, State = Broadcast.Audience, Delivery.Kind, Broadcast.State
PROGRESS = {
    Delivery.State.PENDING: "waiting",
    Delivery.State.SENDING: "waiting",
    Delivery.State.HELD: "waiting",
    Delivery.State.SENT: "sent",
    Delivery.State.FAILED: "failed",
    Delivery.State.CANCELLED: "dropped",
    Delivery.State.EXPIRED: "dropped",
}


class CountChanged(Exception):
    """There are not as many recipients now as were confirmed; nothing was written."""


def audience_size(broadcast: Broadcast) -> int:
    """How many `broadcast.recipients()` are, from the tally."""
    people = PeopleTally.objects.of(broadcast.event)
    if broadcast.territory:
        people = people.filter(territory=broadcast.territory)
    if broadcast.newsletter_only:
        people = people.filter(newsletter=True)
    seated = people.filter(status=Registration.Status.CONFIRMED)
    match broadcast.audience:
        case Audience.SEATED:
            return seated.total()
        case Audience.PRESENT:
            return seated.filter(came=True).total()
        case Audience.ABSENT:
            return seated.filter(came=False).total() - _too_late_to_come(broadcast)
        case Audience.WAITING:
            return people.filter(status=Registration.Status.WAITLISTED).total()
    return 0


def _too_late_to_come(broadcast: Broadcast) -> int:
    """Who signed up after the session was not absent from it."""
    seated = Broadcast(
        event=broadcast.event,
        audience=Audience.SEATED,
        territory=broadcast.territory,
        newsletter_only=broadcast.newsletter_only,
    )
    return seated.recipients().filter(came=False, created_at__gte=broadcast.event.ends_at).count()


def progress(broadcast: Broadcast) -> dict[str, int]:
    """How many of its mails wait, have left, have failed, were dropped, and came back; from the tally."""
    mails = MailTally.objects.filter(broadcast=broadcast, kind=Kind.BROADCAST)
    numbers = dict.fromkeys(["waiting", "sent", "failed", "dropped", "returned"], 0)
    for state, told, count in mails.totals("state", "provider_status"):
        if state in PROGRESS:
            numbers[PROGRESS[state]] += count
        numbers["returned"] += count * (told in REFUSALS)
    return numbers


@transaction.atomic
def send(broadcast: Broadcast, *, count: int) -> bool:
    """Owe the message to its audience, who are `count` people; False when it was confirmed before.

    Nobody who registers later receives it. Raises CountChanged.
    """
    broadcast = Broadcast.objects.locked(broadcast)
    if not broadcast.is_draft:
        return False
    broadcast.state, broadcast.count, broadcast.confirmed_at = State.CONFIRMED, count, timezone.now()
    broadcast.save()
    recipients = broadcast.recipients()
    if Delivery.objects.owe_all(recipients, Kind.BROADCAST, due=broadcast.leaves_at, broadcast=broadcast) != count:
        raise CountChanged
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="send", audience=broadcast.audience, count=count)
    return True


def asked(broadcast: Broadcast) -> QuerySet[Job]:
    """The operation that is to send a draft which was confirmed, until it has."""
    under_way = Job.objects.under_way().filter(kind=Job.Kind.MESSAGE, event=broadcast.event_id)
    return under_way.filter(parameters__broadcast=broadcast.pk)


def refusal(broadcast: Broadcast) -> str:
    """Why the last operation that was to send a draft has stopped; empty unless it has."""
    jobs = Job.objects.filter(kind=Job.Kind.MESSAGE, event=broadcast.event_id, detail__broadcast=broadcast.pk)
    last = jobs.defer("document").order_by("-pk").first()
    return last.error if last and last.has_failed else ""


def is_being_written(broadcast: Broadcast) -> bool:
    """Nobody has confirmed it yet."""
    return broadcast.is_draft and not asked(broadcast).exists()


@transaction.atomic
def take_back(broadcast: Broadcast) -> bool:
    """None of its mails leaves; False when it is too late, or was done before.

    One that still waits for a worker, or that a worker is about to send, is a draft again.
    """
    broadcast = Broadcast.objects.locked(broadcast)
    if broadcast.is_draft:
        return _call_off(broadcast)
    if not broadcast.may_be_taken_back:
        return False
    broadcast.state = State.TAKEN_BACK
    broadcast.save()
    broadcast.deliveries.drop(_("the organiser took this message back"))
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="take back", count=broadcast.count)
    return True


def _call_off(broadcast: Broadcast) -> bool:
    """A worker needs the message's row, which we hold, and then finds that the operation is no longer its own."""
    job = asked(broadcast).first()
    if job is None:
        return False
    told = [("info", gettext("The message was taken back before a worker had sent it: nobody receives it."))]
    asked(broadcast).update(state=Job.State.DONE, ended_at=timezone.now(), parameters={}, told=told)
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="take back", count=job.total)
    return True


@transaction.atomic
def stop(broadcast: Broadcast) -> int | None:
    """What has not left does not leave; returns how many mails that is, or None when there is nothing to stop.

    A mail that a worker holds at this moment may still leave; it is not tried again.
    """
    broadcast = Broadcast.objects.locked(broadcast)
    waiting = broadcast.deliveries.filter(kind=Kind.BROADCAST).yet_to_leave()
    count = waiting.count()
    if not (broadcast.is_under_way and count):
        return None
    broadcast.state = State.STOPPED
    broadcast.save()
    waiting.drop(_("the organiser stopped this message"))
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="stop", count=count)
    return count


@transaction.atomic
def discard(broadcast: Broadcast) -> bool:
    """Throw a draft away, with its trials; False for what was confirmed."""
    broadcast = Broadcast.objects.locked(broadcast)
    if not is_being_written(broadcast):
        return False
    broadcast.delete()
    return True


@transaction.atomic
def try_out(broadcast: Broadcast, *, recipient: str) -> None:
    """One mail to who writes, as the audience would receive it, with nobody's name and nobody's links."""
    Delivery.objects.create(kind=Kind.TRIAL, recipient=recipient, broadcast=broadcast)
    wakeups.send_due_mail.enqueue()
