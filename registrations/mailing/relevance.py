"""Whether a mail that is in the outbox may still be sent: what makes it obsolete, and earlier refusals."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models import Broadcast, Delivery, Event, Invitation, Registration
from registrations.models.mail_kinds import SCHEDULES, Condition

Reason, Status = Delivery.Reason, Event.Status
NO_REMINDERS = _("this person wants no reminders")


def obsolete_reason(delivery: Delivery) -> str:
    """Why the mail would say something that is no longer true; empty when it may be sent."""
    for condition in delivery.facts.conditions:
        if reason := _broken(condition, delivery):
            return str(reason)
    return ""


def _broken(condition: Condition, delivery: Delivery) -> Any:
    if condition in OF_REGISTRATION:
        return OF_REGISTRATION[condition](delivery, delivery.registration) if delivery.registration else ""
    if condition in OF_STAFF:
        return OF_STAFF[condition](delivery)
    event = delivery.related_event
    return OF_EVENT[condition](delivery, event) if event else ""


def _is_off_the_list(_delivery: Delivery, registration: Registration) -> Any:
    return _("the registration was cancelled") if registration.is_cancelled else ""


def _has_no_seat(_delivery: Delivery, registration: Registration) -> Any:
    return "" if registration.is_seated else _("this person is on the waiting list")


def _waits_no_longer(_delivery: Delivery, registration: Registration) -> Any:
    return "" if registration.is_waiting else _("this person is no longer on the waiting list")


def _is_back_on_the_list(_delivery: Delivery, registration: Registration) -> Any:
    return "" if registration.is_cancelled else _("the registration was taken up again")


def _address_is_not_asked_for(delivery: Delivery, registration: Registration) -> Any:
    return "" if registration.new_email == delivery.recipient else _("the new address is no longer asked for")


def _address_is_used_again(delivery: Delivery, registration: Registration) -> Any:
    is_used = registration.email.lower() == delivery.recipient.lower() and not registration.is_cancelled
    return _("the address is in use again") if is_used else ""


def _message_is_off(delivery: Delivery, registration: Registration) -> Any:
    return _off(delivery.broadcast, registration) if delivery.broadcast else ""


def _off(broadcast: Broadcast, registration: Registration) -> Any:
    if broadcast.is_taken_back:
        return _("the organiser took this message back")
    if broadcast.is_stopped:
        return _("the organiser stopped this message")
    if not broadcast.recipients().filter(pk=registration.pk).exists():
        return _("this person is no longer one of those whom the message is for")
    return ""


def _wants_no_messages(_delivery: Delivery, registration: Registration) -> Any:
    return "" if registration.wants_messages else _("this person wants no messages from the organiser")


def _wants_no_reminders(_delivery: Delivery, registration: Registration) -> Any:
    return "" if registration.wants_reminders else NO_REMINDERS


def _invitation_is_off(delivery: Delivery) -> Any:
    invitation = Invitation.objects.filter(delivery=delivery).first()
    return "" if invitation and invitation.is_open else _("the invitation no longer stands")


def _event_is_off(_delivery: Delivery, event: Event) -> Any:
    is_off = event.status in {Status.CANCELLED, Status.POSTPONED}
    return _("the event was cancelled or postponed") if is_off else ""


def _event_is_not_cancelled(_delivery: Delivery, event: Event) -> Any:
    return "" if event.status == Status.CANCELLED else _("the event is no longer cancelled")


def _change_is_outdated(delivery: Delivery, event: Event) -> Any:
    match delivery.reason:
        case Reason.POSTPONED:
            return "" if event.status == Status.POSTPONED else _("the event is no longer postponed")
        case Reason.NOTES if not (event.connection_notes or event.connection_notes_en):
            return _("the note was taken back")
    if event.status == Status.PUBLISHED and event.is_over:
        return _("the session is over")
    return _event_is_off(delivery, event)


OF_REGISTRATION: Mapping[Condition, Callable[[Delivery, Registration], Any]] = {
    Condition.ON_THE_LIST: _is_off_the_list,
    Condition.HAS_A_SEAT: _has_no_seat,
    Condition.WAITS: _waits_no_longer,
    Condition.LEFT_THE_LIST: _is_back_on_the_list,
    Condition.ADDRESS_IS_ASKED_FOR: _address_is_not_asked_for,
    Condition.ADDRESS_IS_LEFT: _address_is_used_again,
    Condition.MESSAGE_STANDS: _message_is_off,
    Condition.WANTS_MESSAGES: _wants_no_messages,
    Condition.WANTS_REMINDERS: _wants_no_reminders,
}
OF_STAFF: Mapping[Condition, Callable[[Delivery], Any]] = {Condition.INVITATION_STANDS: _invitation_is_off}
OF_EVENT: Mapping[Condition, Callable[[Delivery, Event], Any]] = {
    Condition.EVENT_STANDS: _event_is_off,
    Condition.EVENT_IS_CANCELLED: _event_is_not_cancelled,
    Condition.CHANGE_STANDS: _change_is_outdated,
}


def is_overtaken(delivery: Delivery) -> bool:
    """A mail so late that the one after it is due as well (two reminders). Dry runs may ask for either."""
    schedule, event = delivery.facts.schedule, delivery.related_event
    is_dry_run = delivery.registration is not None and delivery.registration.is_dry_run
    if schedule is None or schedule.overtaken_by is None or event is None or is_dry_run:
        return False
    own, later = getattr(event, schedule.at), getattr(event, SCHEDULES[schedule.overtaken_by].at)
    return own is not None and later is not None and own <= later <= timezone.now()


def earlier_refusal(delivery: Delivery) -> Delivery.ProviderStatus | None:
    """How an earlier mail to the same recipient was refused; a corrected address may be tried again."""
    related = delivery.others_to_recipient()
    if related is None or (delivery.is_first and not delivery.provider_status):
        return None
    refused = related.filter(sent_to__iexact=delivery.address).refused().first()
    return Delivery.ProviderStatus(refused.provider_status) if refused else None
