"""What the team does with a mail that failed or came back: try again, send it elsewhere, or say « vu »."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from registrations.domain import corrections, mailboxes
from registrations.mailing import wakeups
from registrations.models import Delivery, Event, Registration, unresolved_mails
from registrations.models.delivery import DeliveryQuerySet


@transaction.atomic
def mark_seen(mails: DeliveryQuerySet) -> int:
    """Nobody needs to look at them any more. Returns how many."""
    return unresolved_mails.unresolved(mails).update(seen_at=timezone.now())


@transaction.atomic
def send_again(mails: DeliveryQuerySet) -> int:
    """Those that failed leave now, with their old Message-ID; those that came back leave anew. Returns how many."""
    again = Delivery.objects.filter(
        pk__in=list(unresolved_mails.may_be_sent_again(mails).values_list("pk", flat=True))
    )
    returned = list(again.filter(state=Delivery.State.SENT))
    count = again.filter(state=Delivery.State.FAILED).try_again()
    for mail in returned:
        _enqueue_copy(mail, recipient="")
    wakeups.wake_up()
    return count + len(returned)


@transaction.atomic
def send_to(mail: Delivery, address: str) -> None:
    """The same mail, to another address: the registration keeps its own."""
    _enqueue_copy(mail, recipient=address)
    Delivery.objects.filter(pk=mail.pk).update(seen_at=timezone.now())
    wakeups.wake_up()


def may_be_corrected(registration: Registration) -> bool:
    """Whether a corrected address is sent anything."""
    return not registration.is_cancelled and registration.event.status != Event.Status.DRAFT


@transaction.atomic
def correct_address(mail: Delivery, *, email: str) -> None:
    """The person has another address from now on: their link leaves to it, and this mail too. Raises AddressTaken."""
    assert mail.registration
    registration = Registration.objects.locked(mail.registration)
    wrong = registration.email
    if email.lower() == wrong.lower():
        send_again(Delivery.objects.filter(pk=mail.pk))
        return
    held_entry = mailboxes.move(registration, email)
    corrections.save_address(registration)
    if held_entry:
        mailboxes.take_out(registration, wrong)
    corrections.send_to_corrected(registration)
    if mail.kind not in corrections.FIRST:
        send_again(Delivery.objects.filter(pk=mail.pk))
    mark_seen(registration.deliveries.all())


def _enqueue_copy(mail: Delivery, *, recipient: str) -> None:
    same: dict[str, Any] = {
        "reason": mail.reason,
        "recipient": recipient,
        "not_after": mail.not_after,
        "sample": mail.sample,
    }
    kind = Delivery.Kind(mail.kind)
    if mail.registration is not None:
        registration = Registration.objects.locked(mail.registration)
        Delivery.objects.enqueue(registration, kind, broadcast_id=mail.broadcast_id, **same)
    elif mail.event is not None:
        Delivery.objects.enqueue_for_event(Event.objects.locked(mail.event), kind, **same)
    else:
        Delivery.objects.create(kind=kind, priority=mail.priority, **same)
