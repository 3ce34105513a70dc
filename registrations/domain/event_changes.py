"""The event changes: one act writes the change, tells everyone with the right mail, and moves what was planned."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from registrations.domain import waiting_list
from registrations.mailing import reminders, wakeups
from registrations.models import Delivery, Event, Registration
from registrations.runtime import progress
from registrations.security import audit

Kind, Reason, Status = Delivery.Kind, Delivery.Reason, Event.Status


def needs_telling(event: Event, *, listed: int | None = None) -> bool:
    """Whether people are on the list whom a change of date or status concerns; else the form of the desk is enough.

    A postponed or cancelled event has no date that could be over: its people are told whenever it gets a new one.
    `listed`: how many are on the list, for who knows it.
    """
    to_come = event.status in {Status.POSTPONED, Status.CANCELLED} or not event.is_over
    if event.status == Status.DRAFT or not to_come:
        return False
    return event.registrations.without_dry_runs().on_the_list().exists() if listed is None else listed > 0


@transaction.atomic
def reschedule(
    event: Event, *, starts_at: datetime, ends_at: datetime, connection_notes: str | None = None, words: str = ""
) -> int:
    """Give the event a date, an hour or a note on the connection; a postponed or cancelled one takes place again.

    Returns how many people are told: nobody when there is no news. A change of date or status raises SEQUENCE (RFC
    5546, section 2.1.4).
    """
    event = Event.objects.locked(event)
    notes = event.connection_notes if connection_notes is None else connection_notes
    reason = reason_of(event, starts_at=starts_at, ends_at=ends_at)
    is_news = reason != Reason.NOTES or notes not in {"", event.connection_notes}
    event.starts_at, event.ends_at, event.connection_notes = starts_at, ends_at, notes
    event.status, event.organiser_words = Status.PUBLISHED, words
    if not is_news:
        event.save()
        return 0
    return _announce(event, Kind.CHANGED, reason)


@transaction.atomic
def postpone(event: Event, *, words: str = "") -> int:
    """No new date yet: calendars get a CANCEL, the date is hidden. Returns how many people are told."""
    event = Event.objects.locked(event)
    event.status, event.organiser_words = Status.POSTPONED, words
    return _announce(event, Kind.CHANGED, Reason.POSTPONED)


@transaction.atomic
def cancel(event: Event, *, words: str = "") -> int:
    """The event will not take place: calendars get a CANCEL. Returns how many people are told."""
    event = Event.objects.locked(event)
    event.status, event.organiser_words = Status.CANCELLED, words
    return _announce(event, Kind.CANCELLED)


def reason_of(event: Event, *, starts_at: datetime, ends_at: datetime) -> Delivery.Reason:
    """What a new date or note means to those who are told, given the event as it is before."""
    if event.status != Status.PUBLISHED:
        return Reason.REOPENED
    if (event.starts_at, event.ends_at) == (starts_at, ends_at):
        return Reason.NOTES
    same_day = event.start_date == starts_at.astimezone(event.zone).date()
    return Reason.HOUR if same_day else Reason.MOVED


def told(event: Event, reason: str) -> QuerySet[Registration]:
    """Whom a change concerns: everyone on the list; a note on the connection only those who have a link."""
    registrations = event.registrations.without_dry_runs()
    return registrations.seated() if reason == Reason.NOTES else registrations.on_the_list()


def _announce(event: Event, kind: Delivery.Kind, reason: Any = "") -> int:
    untold = Delivery.objects.yet_to_leave().filter(registration__event=event, kind__in=[Kind.CHANGED, Kind.CANCELLED])
    a_note = Q(reason=Reason.NOTES)  # tells nothing of a date, and no date tells of it
    untold = untold.filter(a_note if reason == Reason.NOTES else ~a_note)
    if reason != Reason.NOTES:
        event.sequence += 1
    if reason == Reason.HOUR and untold.filter(reason=Reason.MOVED).exists():
        reason = Reason.MOVED  # some have not heard of the new day yet
    event.save()
    untold.drop(_("a later change of the event is told in its place"))
    progress.report(1, 4, _("Mails that tell of the change"))
    count = Delivery.objects.enqueue_all(told(event, reason), kind, reason=reason)
    progress.report(2, 4, _("Reminders"))
    audit.record(audit.Action.BULK_MAIL, about=event, kind=str(kind), count=count)
    reminders.schedule(event)
    progress.report(3, 4, _("Waiting list"))
    waiting_list.promote(event)
    wakeups.send_due_mail.enqueue()
    return count
