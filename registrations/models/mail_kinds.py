"""The kinds of mail and the rules of each, declared once.

To add one: a member of `Kind`, an entry of `KINDS`, its templates. See "Add a mail kind" in registrations/README.md.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event
from registrations.models.registration import Registration


class Kind(models.TextChoices):
    CONFIRMATION = "confirmation", _("Confirmation")
    WAITING_LIST = "waiting_list", _("Waiting list")
    PROMOTED = "promoted", _("A seat has become free")
    REMINDER_DAY = "reminder_day", _("First reminder")
    REMINDER_HOUR = "reminder_hour", _("Last reminder")
    CHANGED = "changed", _("Event changed")
    CANCELLED = "cancelled", _("Event cancelled")
    WITHDRAWN = "withdrawn", _("Withdrawal")
    UPDATED = "updated", _("Answers corrected")
    ADDRESS_CHECK = "address_check", _("New address to confirm")
    ADDRESS_CHANGED = "address_changed", _("Address changed, to the old one")
    ERASED = "erased", _("Data erased")
    FOLLOW_UP = "follow_up", _("Follow-up")
    BROADCAST = "broadcast", _("Message from the organiser")
    TRIAL = "trial", _("Trial, to who writes")
    INVITATION = "invitation", _("Invitation of a colleague")
    ALERT = "alert", _("Alert to the operator")


class Reason(models.TextChoices):
    """Chooses the first sentence of a mail."""

    NEW = "new", _("New registration")
    KNOWN = "known", _("Address already registered")
    RESENT = "resent", _("Sent again")
    RETURNED = "returned", _("Came back")
    CORRECTED = "corrected", _("Address corrected")
    INVITED = "invited", _("Had the invitation")
    PROMOTED = "promoted", _("A seat has become free")
    MOVED = "moved", _("New date")
    HOUR = "hour", _("New hour")
    REOPENED = "reopened", _("Takes place after all")
    POSTPONED = "postponed", _("Postponed")
    NOTES = "notes", _("New note on the connection")
    SEAT = "seat", _("Gave back a seat")
    SEAT_TAKEN = "seat_taken", _("Taken off the list by the team")
    LINE = "line", _("Left the waiting list")


class Moment(models.TextChoices):
    """When the mail leaves, as all pages of the desk group the kinds: those that matter first."""

    SIGN_UP = "sign_up", _("On signing up")
    BEFORE = "before", _("Before the session")
    DAY = "day", _("On the day itself")
    AFTER = "after", _("After the session")
    CHANGE = "change", _("When the event changes")
    REGISTRATION = "registration", _("When a person changes something")
    MESSAGE = "message", _("When you write a message")
    TEAM = "team", _("To the team")


class Recipient(enum.Enum):
    REGISTRANT = enum.auto()  # the registration's address
    CONTACT = enum.auto()  # the contact address of the event
    STAFF = enum.auto()  # the organiser who asks for a trial, or a colleague who is invited
    OPERATOR = enum.auto()  # ALERT_EMAIL

    @property
    def is_internal(self) -> bool:
        """Someone of the team: neither the suppression list nor the state of an event stops the mail."""
        return self in {Recipient.STAFF, Recipient.OPERATOR}


class Condition(enum.Enum):
    """What must still be true when the mail is sent; otherwise it is obsolete. Checked by mailing/relevance.py."""

    ON_THE_LIST = enum.auto()  # the registration is not cancelled
    HAS_A_SEAT = enum.auto()
    WAITS = enum.auto()  # for a seat
    LEFT_THE_LIST = enum.auto()  # the registration is cancelled
    ADDRESS_IS_ASKED_FOR = enum.auto()  # the new address is still the one to confirm
    ADDRESS_IS_LEFT = enum.auto()  # no registration of this person uses it again
    MESSAGE_STANDS = enum.auto()  # the broadcast was not stopped, and is still for this person
    WANTS_MESSAGES = enum.auto()  # the person still wants those that organisers write
    WANTS_REMINDERS = enum.auto()  # the person still wants the mails of the clock
    EVENT_STANDS = enum.auto()  # the event is neither cancelled nor postponed
    EVENT_IS_CANCELLED = enum.auto()
    CHANGE_STANDS = enum.auto()  # the change of the event, by its reason
    INVITATION_STANDS = enum.auto()  # the colleague has not used it, and nobody has withdrawn or repeated it


class CalendarRule(enum.Enum):
    """What the mail does to the registrant's calendar entry. mailing/composer.py applies it."""

    NONE = enum.auto()
    ADD = enum.auto()
    FOLLOW_THE_CHANGE = enum.auto()  # of those who have a seat, by the reason of the change
    REMOVE_WITH_THE_EVENT = enum.auto()  # of those who have a seat
    REMOVE_WITH_THE_SEAT = enum.auto()  # of someone who gave a seat back, unless the event is over
    REMOVE_WHILE_WAITING = enum.auto()  # of someone who had a seat, came back, and waits for one
    LEAVE_THE_MAILBOX = enum.auto()  # of an address that is no longer used and was sent the invitation


@dataclass(frozen=True)
class Schedule:
    """When the mail is sent: at a time computed from the event. A change of the event moves pending mails."""

    at: str  # attribute of the event: the time, or None when the organiser has switched the mail off
    fields: tuple[str, ...]  # of the event, besides its dates, from which that time is computed; empty: a fixed delay
    audience: Any  # a description of the recipients
    useless_after_start: bool = False  # and a new date needs it again
    overtaken_by: Kind | None = None  # a later mail that is sent in its place when both are due
    words: tuple[str, ...] = ()  # fields of the event with the organiser's own words


@dataclass(frozen=True)
class OwnWords:
    """Where organisers may put words of their own. The facts of the mail stay, whatever they write."""

    subject_reasons: tuple[str, ...] = ("",)  # other reasons keep the site's subject, which says what is the matter
    has_opening: bool = True
    has_link: bool = True  # its readers have a seat, and so a link to the room


@dataclass(frozen=True)
class Situation:
    """A situation in which the mail is sent, to preview it."""

    reason: str = ""
    status: str = Registration.Status.CONFIRMED
    event_status: str = Event.Status.PUBLISHED
    is_present: bool = False


@dataclass(frozen=True)
class MailKind:
    """Its templates are `mail/<kind>.txt` (partials `subject` and `body`) and `mail/<kind>.html`."""

    moment: Moment
    conditions: tuple[Condition, ...]  # in the order in which they are checked
    recipient: Recipient = Recipient.REGISTRANT
    priority: int = 0  # the lower is sent first
    schedule: Schedule | None = None  # None: it is sent at once
    calendar: CalendarRule = CalendarRule.NONE
    has_report: bool = False  # the study report is attached, or linked
    has_documents: bool = False  # the event's other documents are attached, or linked
    is_written_by_organiser: bool = False  # its words are a Broadcast's
    may_unsubscribe: bool = False  # List-Unsubscribe, with one click
    in_thread: bool = True  # In-Reply-To the first mail to the same recipient
    situations: tuple[Situation, ...] = ()  # none: it has no preview
    own_words: OwnWords | None = None  # None: only the site's


_LISTED, _SEATED, _WAITS = Condition.ON_THE_LIST, Condition.HAS_A_SEAT, Condition.WAITS
_STANDS, _LEFT = Condition.EVENT_STANDS, Condition.LEFT_THE_LIST
_WITH_A_SEAT = _("people who have a seat")
_WAITLISTED, _CANCELLED = Registration.Status.WAITLISTED, Registration.Status.CANCELLED

# Priorities: a mail that one person is waiting for is sent before mails to many people.
KINDS: Mapping[Kind, MailKind] = {
    Kind.CONFIRMATION: MailKind(
        moment=Moment.SIGN_UP,
        conditions=(_LISTED, _SEATED, _STANDS),
        calendar=CalendarRule.ADD,
        has_report=True,
        has_documents=True,
        situations=tuple(
            Situation(reason)
            for reason in (
                *(Reason.NEW, Reason.KNOWN, Reason.RESENT),
                *(Reason.RETURNED, Reason.CORRECTED, Reason.REOPENED),
            )
        ),
        own_words=OwnWords(subject_reasons=(Reason.NEW,)),
    ),
    Kind.WAITING_LIST: MailKind(
        moment=Moment.SIGN_UP,
        conditions=(_LISTED, _WAITS, _STANDS),
        calendar=CalendarRule.REMOVE_WHILE_WAITING,
        situations=(Situation(Reason.NEW, _WAITLISTED), Situation(Reason.KNOWN, _WAITLISTED)),
        own_words=OwnWords(subject_reasons=(Reason.NEW,), has_link=False),
    ),
    Kind.PROMOTED: MailKind(
        moment=Moment.SIGN_UP,
        conditions=(_LISTED, _SEATED, _STANDS),
        calendar=CalendarRule.ADD,
        has_report=True,
        has_documents=True,
        situations=(Situation(Reason.PROMOTED),),
        own_words=OwnWords(subject_reasons=(Reason.PROMOTED,)),
    ),
    Kind.REMINDER_DAY: MailKind(
        moment=Moment.BEFORE,
        conditions=(_LISTED, _SEATED, Condition.WANTS_REMINDERS, _STANDS),
        priority=2,
        has_documents=True,
        schedule=Schedule(
            at="reminder_day_at",
            fields=("reminder_days_before", "reminder_day_time"),
            audience=_WITH_A_SEAT,
            useless_after_start=True,
            overtaken_by=Kind.REMINDER_HOUR,
        ),
        situations=(Situation(),),
        own_words=OwnWords(),
    ),
    Kind.REMINDER_HOUR: MailKind(
        moment=Moment.DAY,
        conditions=(_LISTED, _SEATED, Condition.WANTS_REMINDERS, _STANDS),
        priority=-1,
        has_documents=True,
        schedule=Schedule(
            at="reminder_hour_at",
            fields=("reminder_minutes_before",),
            audience=_WITH_A_SEAT,
            useless_after_start=True,
        ),
        situations=(Situation(),),
        own_words=OwnWords(),
    ),
    Kind.FOLLOW_UP: MailKind(
        moment=Moment.AFTER,
        conditions=(_LISTED, _SEATED, Condition.WANTS_REMINDERS, _STANDS),
        priority=3,
        has_documents=True,
        schedule=Schedule(
            at="follow_up_at",
            fields=("follow_up_hours_after",),
            audience=_("people who have a seat: other words to those who came than to those who did not"),
            words=("follow_up_present", "follow_up_absent"),
        ),
        situations=(Situation(), Situation(is_present=True)),
        own_words=OwnWords(has_opening=False),
    ),
    Kind.CHANGED: MailKind(
        moment=Moment.CHANGE,
        conditions=(_LISTED, Condition.CHANGE_STANDS),
        priority=1,
        calendar=CalendarRule.FOLLOW_THE_CHANGE,
        situations=(
            Situation(Reason.MOVED),
            Situation(Reason.HOUR),
            Situation(Reason.REOPENED),
            Situation(Reason.NOTES),
            Situation(Reason.POSTPONED, event_status=Event.Status.POSTPONED),
        ),
        own_words=OwnWords(subject_reasons=(), has_link=False),
    ),
    Kind.CANCELLED: MailKind(
        moment=Moment.CHANGE,
        conditions=(_LISTED, Condition.EVENT_IS_CANCELLED),
        priority=1,
        calendar=CalendarRule.REMOVE_WITH_THE_EVENT,
        situations=(Situation(event_status=Event.Status.CANCELLED),),
        own_words=OwnWords(has_link=False),
    ),
    Kind.WITHDRAWN: MailKind(
        moment=Moment.REGISTRATION,
        conditions=(_LEFT,),
        calendar=CalendarRule.REMOVE_WITH_THE_SEAT,
        situations=tuple(
            Situation(reason, _CANCELLED) for reason in (Reason.SEAT, Reason.SEAT_TAKEN, Reason.LINE, Reason.RESENT)
        ),
        own_words=OwnWords(subject_reasons=(Reason.SEAT,), has_link=False),
    ),
    Kind.UPDATED: MailKind(
        moment=Moment.REGISTRATION, conditions=(_LISTED,), situations=(Situation(),), own_words=OwnWords()
    ),
    Kind.ADDRESS_CHECK: MailKind(
        moment=Moment.REGISTRATION, conditions=(Condition.ADDRESS_IS_ASKED_FOR,), situations=(Situation(),)
    ),
    Kind.ADDRESS_CHANGED: MailKind(
        moment=Moment.REGISTRATION,
        conditions=(Condition.ADDRESS_IS_LEFT,),
        calendar=CalendarRule.LEAVE_THE_MAILBOX,
        situations=(Situation(), Situation(Reason.INVITED), Situation(Reason.CORRECTED)),
    ),
    Kind.ERASED: MailKind(
        moment=Moment.REGISTRATION,
        conditions=(_LEFT,),
        calendar=CalendarRule.REMOVE_WITH_THE_SEAT,
        situations=(Situation(Reason.SEAT, _CANCELLED), Situation(Reason.LINE, _CANCELLED)),
    ),
    Kind.BROADCAST: MailKind(
        moment=Moment.MESSAGE,
        conditions=(_LISTED, Condition.WANTS_MESSAGES, Condition.MESSAGE_STANDS),
        priority=4,
        is_written_by_organiser=True,
        may_unsubscribe=True,
    ),
    Kind.TRIAL: MailKind(
        moment=Moment.TEAM, conditions=(), recipient=Recipient.STAFF, is_written_by_organiser=True, in_thread=False
    ),
    Kind.INVITATION: MailKind(
        moment=Moment.TEAM, conditions=(Condition.INVITATION_STANDS,), recipient=Recipient.STAFF, in_thread=False
    ),
    Kind.ALERT: MailKind(
        moment=Moment.TEAM, conditions=(), recipient=Recipient.OPERATOR, priority=-10, in_thread=False
    ),
}

SCHEDULES: Mapping[Kind, Schedule] = {kind: facts.schedule for kind, facts in KINDS.items() if facts.schedule}
SCHEDULED = list(SCHEDULES)
AUTOMATIC = [kind for kind, facts in KINDS.items() if facts.situations]  # to people, and not written by an organiser
OWN_WORDS: Mapping[Kind, OwnWords] = {kind: facts.own_words for kind, facts in KINDS.items() if facts.own_words}
HOUR_FIELDS = [name for schedule in SCHEDULES.values() for name in schedule.fields]
WORD_FIELDS = [name for schedule in SCHEDULES.values() for name in schedule.words]
RESCHEDULED_BY = {"starts_at", "ends_at", "status", "timezone", *HOUR_FIELDS}  # fields of an event


def by_moment(kinds: Iterable[Kind] = KINDS) -> list[tuple[Moment, list[Kind]]]:
    """The kinds in groups, those that matter first; no group is empty."""
    known = list(kinds)
    groups = [(moment, [kind for kind in known if KINDS[kind].moment == moment]) for moment in Moment]
    return [(moment, found) for moment, found in groups if found]
