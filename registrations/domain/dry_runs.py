"""A dry run: an organiser signs up as a registrant would, with a registration that is counted nowhere."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from registrations.domain import erasure, signup
from registrations.mailing import own_words, wakeups
from registrations.models import Delivery, Event, MailText, Registration
from registrations.models.dry_run_moment import Moment
from registrations.models.registration import RegistrationQuerySet

KEPT = timedelta(days=30)
DAY = timedelta(days=1)


class StillBeingRemoved(Exception):
    """The earlier dry run of this address is being erased, and its last mail has not left yet."""


@transaction.atomic
def start(event: Event, *, email: str, language: str, **answers: Any) -> Registration:
    """Make a dry run of an event and send it the first mail; a second start sends that mail again.

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
        reason = Delivery.Reason.NEW if is_new else Delivery.Reason.RESENT
        signup.send_link(trial, reason=reason, send_at=signup.correctable_until(email))
    return trial


def of_event(event: Event) -> RegistrationQuerySet:
    return Registration.objects.filter(event=event, is_dry_run=True).order_by("pk")


@transaction.atomic
def send_now(dry_run: Registration, kind: Delivery.Kind) -> None:
    """Send a dry run one of the scheduled mails now."""
    Delivery.objects.enqueue(Registration.objects.locked(dry_run), kind)
    wakeups.send_due_mail.enqueue()


def end_old() -> None:
    """Erase dry runs that are older than 30 days; their last mail removes the calendar entry."""
    for dry_run in Registration.objects.filter(
        is_dry_run=True, erase_by__isnull=True, created_at__lt=timezone.now() - KEPT
    ).select_related("event"):
        erasure.ask_for_erasure(dry_run)


def simulate_moment(registration: Registration, moment: str) -> None:
    """Move the event of a dry run to another time, in memory only."""
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
def send_preview(
    event: Event, key: str, person: str, *, recipient: str, texts: Sequence[MailText] | None = None
) -> None:
    """Send one of the previews to an organiser. `person`: a language (an example person) or a registration's key.

    `texts`: own words that are not saved yet.
    """
    sample: dict[str, Any] = {"event": event.pk, "mail": key, "person": person}
    if texts is not None:
        sample["words"] = own_words.as_typed(texts)
    Delivery.objects.create(kind=Delivery.Kind.TRIAL, recipient=recipient, sample=sample)
    wakeups.send_due_mail.enqueue()
