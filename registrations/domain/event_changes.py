"""Changes of an event that registrants are told of: a new date, postponed, cancelled.

Each function is one transaction: it saves the change, enqueues the mails, and moves the scheduled mails.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from registrations.domain import waiting_list
from registrations.mailing import first_mails, reminders, wakeups
from registrations.models import Delivery, Event, Registration
from registrations.runtime import progress
from registrations.security import audit

Kind, Reason, Status = Delivery.Kind, Delivery.Reason, Event.Status


def must_be_announced(event: Event, *, listed: int | None = None) -> bool:
    """Whether a change of date or status has to be announced; if not, the plain admin form is enough.

    True while somebody is on the list and the event is still to come. A postponed or cancelled event always counts as
    still to come. `listed`: the number of people on the list, if the caller knows it.
    """
    to_come = event.status in {Status.POSTPONED, Status.CANCELLED} or not event.is_over
    if event.status == Status.DRAFT or not to_come:
        return False
    return event.registrations.without_dry_runs().not_cancelled().exists() if listed is None else listed > 0


@transaction.atomic
def reschedule(
    event: Event,
    *,
    starts_at: datetime,
    ends_at: datetime,
    connection_notes: str | None = None,
    connection_notes_en: str = "",
    words: str = "",
    words_en: str = "",
) -> int:
    """Set date, hour or connection notes, and publish the event again if it was postponed or cancelled.

    Returns how many people are told: 0 if nothing changed for them. A change of date or status raises SEQUENCE (RFC
    5546, section 2.1.4). A new note without English words leaves no English ones of the note before.
    """
    event = Event.objects.locked(event)
    if connection_notes is None:
        connection_notes, connection_notes_en = event.connection_notes, event.connection_notes_en
    reason = reason_of(event, starts_at=starts_at, ends_at=ends_at)
    notes = connection_notes, connection_notes_en
    is_other_note = any(notes) and notes != (event.connection_notes, event.connection_notes_en)
    is_news = reason != Reason.NOTES or is_other_note
    if reason in {Reason.MOVED, Reason.HOUR}:
        event.former_starts_at, event.former_ends_at = announced_dates(event)
    event.starts_at, event.ends_at = starts_at, ends_at
    event.connection_notes, event.connection_notes_en = connection_notes, connection_notes_en
    event.status, event.organiser_words, event.organiser_words_en = Status.PUBLISHED, words, words_en
    if not is_news:
        event.save()
        return 0
    return _announce(event, Kind.CHANGED, reason)


@transaction.atomic
def postpone(event: Event, *, words: str = "", words_en: str = "") -> int:
    """Postpone without a new date: the date is hidden, calendars get a CANCEL. Returns how many people are told."""
    event = Event.objects.locked(event)
    event.status, event.organiser_words, event.organiser_words_en = Status.POSTPONED, words, words_en
    return _announce(event, Kind.CHANGED, Reason.POSTPONED)


@transaction.atomic
def cancel(event: Event, *, words: str = "", words_en: str = "") -> int:
    """Cancel the event; calendars get a CANCEL. Returns how many people are told."""
    event = Event.objects.locked(event)
    event.status, event.organiser_words, event.organiser_words_en = Status.CANCELLED, words, words_en
    return _announce(event, Kind.CANCELLED)


def reason_of(event: Event, *, starts_at: datetime, ends_at: datetime) -> Delivery.Reason:
    """The reason of the mail for this new date or note; `event` is as it was before the change."""
    if event.status != Status.PUBLISHED:
        return Reason.REOPENED
    if (event.starts_at, event.ends_at) == (starts_at, ends_at):
        return Reason.NOTES
    same_day = event.start_date == starts_at.astimezone(event.zone).date()
    return Reason.HOUR if same_day else Reason.MOVED


def announced_dates(event: Event) -> tuple[datetime | None, datetime | None]:
    """The dates that people know: those before a move whose mails have not left yet."""
    moved = Q(kind=Kind.CHANGED, reason__in=[Reason.MOVED, Reason.HOUR])
    if Delivery.objects.yet_to_leave().filter(moved, registration__event=event).exists():
        return event.former_starts_at, event.former_ends_at
    return event.starts_at, event.ends_at


def concerned(event: Event, reason: str) -> QuerySet[Registration]:
    """The people whom a change concerns: everyone on the list; for connection notes, only those with a seat."""
    registrations = event.registrations.without_dry_runs()
    return registrations.seated() if reason == Reason.NOTES else registrations.not_cancelled()


def _announce(event: Event, kind: Delivery.Kind, reason: Any = "") -> int:
    earlier = Delivery.objects.yet_to_leave().filter(
        registration__event=event, kind__in=[Kind.CHANGED, Kind.CANCELLED]
    )
    is_note = Q(reason=Reason.NOTES)  # a mail about notes does not mention the date, and the other way round
    earlier = earlier.filter(is_note if reason == Reason.NOTES else ~is_note)
    if reason != Reason.NOTES:
        event.sequence += 1
    if reason == Reason.HOUR and earlier.filter(reason=Reason.MOVED).exists():
        reason = Reason.MOVED  # the mail about the new day has not left yet
    event.save()
    earlier.drop(_("a later change of the event is told in its place"))
    progress.report(1, 4, _("Mails that tell of the change"))
    count = _tell(concerned(event, reason), kind, reason)
    progress.report(2, 4, _("Reminders"))
    audit.record(audit.Action.BULK_MAIL, about=event, kind=str(kind), count=count)
    reminders.schedule(event)
    progress.report(3, 4, _("Waiting list"))
    waiting_list.promote(event)
    wakeups.send_due_mail.enqueue()
    return count


def _tell(registrations: QuerySet[Registration], kind: Delivery.Kind, reason: str) -> int:
    """Enqueue the mail about the change; of an event that stands again, the first mail to those who never had it."""
    if reason != Reason.REOPENED:
        return Delivery.objects.enqueue_all(registrations, kind, reason=reason)
    without_first_mail = first_mails.missing(registrations).values("pk")
    informed = registrations.exclude(pk__in=without_first_mail)
    return Delivery.objects.enqueue_all(informed, kind, reason=reason) + first_mails.enqueue_missing(registrations)
