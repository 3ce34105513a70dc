"""Messages to registrants: confirmed once, taken back within two minutes, then sent like any other mail."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registrations.mailing import wakeups
from registrations.models import Broadcast, Delivery, Event, Job
from registrations.models.delivery import REFUSALS
from registrations.models.registration import RegistrationQuerySet
from registrations.security import audit

Kind, State = Delivery.Kind, Broadcast.State
WRITTEN = [
    "audience",
    "territory",
    "newsletter_only",
    "answered_question",
    "answer",
    "subject",
    "body",
]  # by the organiser
CHOSEN_AT_ONCE = 1000  # rows in one statement
OFF = {Event.Status.CANCELLED, Event.Status.POSTPONED}
PROGRESS = {
    Delivery.State.PENDING: "waiting",
    Delivery.State.SENDING: "waiting",
    Delivery.State.HELD: "waiting",
    Delivery.State.BROKEN: "waiting",
    Delivery.State.SENT: "sent",
    Delivery.State.FAILED: "failed",
    Delivery.State.CANCELLED: "dropped",
    Delivery.State.EXPIRED: "dropped",
}


@transaction.atomic
def address(event: Event, people: RegistrationQuerySet, *, account: int) -> Broadcast:
    """A new draft for these people, to be written: another window may show one for others."""
    draft = Broadcast.objects.create(event=event, created_by=account, audience=Broadcast.Audience.CHOSEN)
    choose(draft, people)
    return draft


def choose(broadcast: Broadcast, people: RegistrationQuerySet) -> None:
    """Keep these people of its event with the message, in place of those chosen before."""
    rows = Broadcast.people.through.objects
    rows.filter(broadcast=broadcast).delete()
    of_event = people.order_by().filter(event=broadcast.event_id).values_list("pk", flat=True)
    chosen = [Broadcast.people.through(broadcast=broadcast, registration_id=pk) for pk in of_event]
    rows.bulk_create(chosen, batch_size=CHOSEN_AT_ONCE)


class CountChanged(Exception):
    """There are not as many recipients now as were confirmed; nothing was written."""


def progress(broadcast: Broadcast) -> dict[str, int]:
    """How many of its mails are waiting, sent, failed, dropped and returned."""
    mails = broadcast.deliveries.filter(kind=Kind.BROADCAST).values_list("state", "provider_status")
    numbers = dict.fromkeys(["waiting", "sent", "failed", "dropped", "returned"], 0)
    for state, told, count in mails.annotate(count=Count("*")):
        if state in PROGRESS:
            numbers[PROGRESS[state]] += count
        numbers["returned"] += count * (told in REFUSALS)
    return numbers


@transaction.atomic
def send(broadcast: Broadcast, *, count: int) -> bool:
    """Enqueue the message for its audience of `count` people; False when it was confirmed before.

    Nobody who registers later receives it. Raises CountChanged if the audience has another size.
    """
    broadcast = Broadcast.objects.locked(broadcast)
    if not broadcast.is_draft:
        return False
    broadcast.state, broadcast.count, broadcast.confirmed_at = State.CONFIRMED, count, timezone.now()
    broadcast.save()
    recipients = broadcast.recipients()
    if (
        Delivery.objects.enqueue_all(recipients, Kind.BROADCAST, send_at=broadcast.leaves_at, broadcast=broadcast)
        != count
    ):
        raise CountChanged
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="send", audience=broadcast.audience, count=count)
    return True


def pending_job(broadcast: Broadcast) -> QuerySet[Job]:
    """The job that sends a confirmed draft, while it waits or runs."""
    under_way = Job.objects.under_way().filter(kind=Job.Kind.MESSAGE, event=broadcast.event_id)
    return under_way.filter(parameters__broadcast=broadcast.pk)


def refusal(broadcast: Broadcast) -> str:
    """Why the last job that was to send a draft failed; empty unless it did."""
    jobs = Job.objects.filter(kind=Job.Kind.MESSAGE, event=broadcast.event_id, detail__broadcast=broadcast.pk)
    last = jobs.defer("document").order_by("-pk").first()
    return last.error if last and last.has_failed else ""


def is_being_written(broadcast: Broadcast) -> bool:
    """Nobody has confirmed it yet."""
    return broadcast.is_draft and not pending_job(broadcast).exists()


@transaction.atomic
def plan(broadcast: Broadcast, *, at: datetime) -> bool:
    """Let it leave at an hour to come, or at another one than planned; False when it was confirmed meanwhile.

    Who signs up until then receives it: the audience is found at that hour.
    """
    broadcast = Broadcast.objects.locked(broadcast)
    if not (broadcast.is_planned or is_being_written(broadcast)):
        return False
    broadcast.state, broadcast.planned_at, broadcast.confirmed_at = State.PLANNED, at, timezone.now()
    broadcast.planned_for_status, broadcast.held_because = broadcast.event.status, ""
    broadcast.save()
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="plan", audience=broadcast.audience)
    return True


def send_planned() -> None:
    """For a worker, every few seconds. Each message is one transaction: a worker that dies leaves it planned."""
    for broadcast in Broadcast.objects.due().order_by("planned_at", "pk"):
        _send_planned(broadcast)


@transaction.atomic
def _send_planned(broadcast: Broadcast) -> None:
    """An event that was cancelled or postponed meanwhile makes it a draft again, for the organiser to read."""
    event = Event.objects.locked(broadcast.event)
    broadcast = Broadcast.objects.locked(broadcast)
    if not Broadcast.objects.due().filter(pk=broadcast.pk).exists():  # another worker, or taken back
        return
    if event.status in OFF and event.status != broadcast.planned_for_status:
        _to_draft(broadcast, held_because=event.status)
        audit.record(audit.Action.BULK_MAIL, about=broadcast, act="hold")
        return
    recipients = broadcast.recipients()
    broadcast.count = Delivery.objects.enqueue_all(
        recipients, Kind.BROADCAST, send_at=broadcast.planned_at, broadcast=broadcast
    )
    broadcast.state = State.CONFIRMED
    broadcast.save()
    wakeups.send_due_mail.enqueue()
    detail = {"audience": broadcast.audience, "count": broadcast.count}
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="send", **detail)


def _to_draft(broadcast: Broadcast, *, held_because: str = "") -> None:
    broadcast.state, broadcast.planned_at, broadcast.confirmed_at = State.DRAFT, None, None
    broadcast.held_because = held_because
    broadcast.save()


@transaction.atomic
def take_back(broadcast: Broadcast) -> bool:
    """Cancel all its mails; False when it is too late, or was done before.

    A message whose job has not finished becomes a draft again, and one that is planned too.
    """
    broadcast = Broadcast.objects.locked(broadcast)
    if broadcast.is_planned:
        _to_draft(broadcast)
        audit.record(audit.Action.BULK_MAIL, about=broadcast, act="take back")
        return True
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
    """End the job. Its worker waits for the message's row, which we hold, and then finds the job ended."""
    job = pending_job(broadcast).first()
    if job is None:
        return False
    told = [("info", gettext("The message was taken back before a worker had sent it: nobody receives it."))]
    pending_job(broadcast).update(state=Job.State.DONE, ended_at=timezone.now(), parameters={}, told=told)
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="take back", count=job.total)
    return True


@transaction.atomic
def write_again(broadcast: Broadcast, *, account: int) -> Broadcast:
    """A draft with the words and the audience of an earlier message, which stays as it is."""
    fields = {name: getattr(broadcast, name) for name in WRITTEN}
    draft = Broadcast.objects.create(event=broadcast.event, created_by=account, **fields)
    choose(draft, broadcast.people_chosen())
    return draft


@transaction.atomic
def stop(broadcast: Broadcast) -> int | None:
    """Cancel the mails that have not left; returns how many, or None when there is nothing to stop.

    A mail that a worker is sending at this moment may still leave; it is not retried.
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
    """Delete a draft with its trials; False when it was confirmed."""
    broadcast = Broadcast.objects.locked(broadcast)
    if not is_being_written(broadcast):
        return False
    broadcast.delete()
    return True


@transaction.atomic
def try_out(broadcast: Broadcast, *, recipient: str) -> None:
    """Send the organiser one mail as the audience would receive it, with placeholder names and links."""
    Delivery.objects.create(kind=Kind.TRIAL, recipient=recipient, broadcast=broadcast)
    wakeups.send_due_mail.enqueue()
