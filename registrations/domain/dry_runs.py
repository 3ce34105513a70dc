"""A dry run: an organiser signs up as a registrant will, in a registration that counts nowhere."""

from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.domain import erasure, signup
from registrations.mailing import wakeups
from registrations.models import Delivery, Event, Registration
from registrations.models.registration import RegistrationQuerySet

KEPT = timedelta(days=30)
MOMENT = "moment"  # in the address of the personal page
DAY = timedelta(days=1)


class StillBeingRemoved(Exception):
    """The earlier trial of this address has yet to send the mail that ends it."""


class Moment(models.TextChoices):
    """In which an organiser looks at the personal page, whatever the clock says."""

    BEFORE = "avant", _("before the session")
    OPEN = "ouvert", _("the room is open")
    AFTER = "apres", _("after the session")


@transaction.atomic
def start(event: Event, *, email: str, language: str, **answers: Any) -> Registration:
    """Put a trial beside the list of an event, and owe it the first mail; a second start sends that mail again.

    Raises StillBeingRemoved, and signup.SignUpClosed for an event that is neither a draft nor published.
    """
    event = Event.objects.locked(event)
    if not event.may_be_tried:
        raise signup.SignUpClosed
    defaults = {"event": event, "email": email, "language": language, "is_dry_run": True, **answers}
    trial, is_new = of_event(event).of_address(email).get_or_create(defaults=defaults)
    if trial.erase_by:
        raise StillBeingRemoved
    if trial.is_cancelled:
        signup.come_back(trial)
    else:
        signup.send_link(trial, reason=Delivery.Reason.NEW if is_new else Delivery.Reason.RESENT)
    return trial


def of_event(event: Event) -> RegistrationQuerySet:
    return Registration.objects.filter(event=event, is_dry_run=True).order_by("pk")


@transaction.atomic
def send_now(trial: Registration, kind: Delivery.Kind) -> None:
    """Owe a trial one of the mails of the clock, at once."""
    Delivery.objects.enqueue(Registration.objects.locked(trial), kind)
    wakeups.send_due_mail.enqueue()


def end_old() -> None:
    """A trial that nobody has removed ends by itself, as all do: its calendar entry is taken out."""
    for trial in Registration.objects.filter(
        is_dry_run=True, erase_by__isnull=True, created_at__lt=timezone.now() - KEPT
    ).select_related("event"):
        erasure.ask_for_erasure(trial)


def simulate_moment(registration: Registration, moment: str) -> None:
    """Move the session of a trial's event to another moment; nothing of it is written down."""
    event = registration.event
    starts = {
        Moment.BEFORE: timezone.now() + 7 * DAY,
        Moment.OPEN: timezone.now(),
        Moment.AFTER: timezone.now() - 7 * DAY,
    }
    if registration.is_dry_run and moment in starts:
        length = event.ends_at - event.starts_at
        event.starts_at = starts[Moment(moment)]
        event.ends_at = event.starts_at + length


@transaction.atomic
def send_preview(event: Event, key: str, person: str, *, recipient: str) -> None:
    """Owe one of these mails to who asks for it; `person`: a language, for an example, or a registrant’s number."""
    sample = {"event": event.pk, "mail": key, "person": person}
    Delivery.objects.create(kind=Delivery.Kind.TRIAL, recipient=recipient, sample=sample)
    wakeups.send_due_mail.enqueue()
