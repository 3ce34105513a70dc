"""Writing to the registrants: confirmed once, taken back within two minutes, then on its way like any other mail."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations import audit, tasks
from registrations.models import Broadcast, Delivery

Kind, State = Delivery.Kind, Broadcast.State


class CountChanged(Exception):
    """There are not as many recipients now as were confirmed; nothing was written."""


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


@transaction.atomic
def take_back(broadcast: Broadcast) -> bool:
    """None of its mails leaves; False when it is too late, or was done before."""
    broadcast = Broadcast.objects.locked(broadcast)
    if not broadcast.may_be_taken_back:
        return False
    broadcast.state = State.TAKEN_BACK
    broadcast.save()
    broadcast.deliveries.drop(_("the organiser took this message back"))
    audit.record(audit.Action.BULK_MAIL, about=broadcast, act="take back", count=broadcast.count)
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
    if not broadcast.is_draft:
        return False
    broadcast.delete()
    return True


@transaction.atomic
def try_out(broadcast: Broadcast, *, recipient: str) -> None:
    """One mail to who writes, as the audience would receive it, with nobody's name and nobody's links."""
    Delivery.objects.create(kind=Kind.TRIAL, recipient=recipient, broadcast=broadcast)
    tasks.send_due_mail.enqueue()
