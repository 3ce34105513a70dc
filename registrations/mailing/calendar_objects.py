"""What a mail does to the calendar entry of its recipient."""

from django.utils.translation import gettext as _

from registrations.documents.invitation import Method, invitation
from registrations.models import Delivery, Event
from registrations.models.mail_kinds import CalendarRule

Kind, Reason = Delivery.Kind, Delivery.Reason
GAVE_UP_SEAT = {Reason.SEAT, Reason.SEAT_TAKEN}
LEFT_MAILBOX = {Reason.INVITED, Reason.CORRECTED}


def method_of(delivery: Delivery) -> Method | None:
    """The iTIP method that updates the registrant's calendar entry, or None when the mail does not touch it.

    No entry comes into the past.
    """
    registration = delivery.registration
    if registration is None:
        return None
    is_over = registration.event.is_over
    match delivery.facts.calendar:
        case CalendarRule.ADD if not is_over:
            return Method.REQUEST
        case CalendarRule.FOLLOW_THE_CHANGE if registration.is_seated and delivery.reason != Reason.NOTES:
            if delivery.reason == Reason.POSTPONED:
                return Method.CANCEL
            return None if is_over else Method.REQUEST
        case CalendarRule.REMOVE_WITH_THE_EVENT if registration.is_seated:
            return Method.CANCEL
        case CalendarRule.REMOVE_WITH_THE_SEAT if delivery.reason in GAVE_UP_SEAT and not is_over:
            return Method.CANCEL
        case CalendarRule.REMOVE_WHILE_WAITING if delivery.reason == Reason.INVITED and not is_over:
            return Method.CANCEL
        case CalendarRule.LEAVE_THE_MAILBOX if delivery.reason in LEFT_MAILBOX and not is_over:
            return Method.CANCEL
    return None


def calendar_object(delivery: Delivery, method: Method) -> bytes:
    """The object of a mail to a registrant."""
    registration = delivery.registration
    if registration is None:
        raise ValueError("Only a registrant has a calendar entry.")
    comment = _what_happened(delivery, registration.event) if method == Method.CANCEL else ""
    is_named = delivery.reason != Reason.CORRECTED  # that mailbox may be a stranger's
    return invitation(registration, method, mailbox=delivery.address, is_named=is_named, comment=comment)


def _what_happened(delivery: Delivery, event: Event) -> str:
    """COMMENT of a CANCEL: without it, clients say that the organiser has cancelled the event."""
    match delivery.kind, delivery.reason:
        case Kind.CANCELLED, _reason:
            return _("The webinar is cancelled.")
        case Kind.CHANGED, _reason:
            return _("The webinar is postponed. The new date is not known yet.")
        case Kind.ADDRESS_CHANGED, Reason.INVITED:
            words = _("You have changed your address: emails about this webinar now go to the new one.")
        case Kind.ADDRESS_CHANGED, _reason:
            words = _("The address of this registration was corrected: it does not concern this mailbox.")
        case Kind.WAITING_LIST, _reason:
            words = _("You are on the waiting list: no seat is kept for you at the moment.")
        case Kind.ERASED, _reason:
            words = _("Your registration is cancelled and your data erased, as you asked.")
        case Kind.WITHDRAWN, Reason.SEAT_TAKEN:
            words = _("Your registration was cancelled by the team.")
        case _:
            words = _("You have cancelled your registration.")
    if event.status != Event.Status.PUBLISHED:
        return words
    takes_place = _("The webinar does take place.")
    return f"{words} {takes_place}"
