"""Each kind of mail in the situations in which it is sent: to be looked at, or tried on oneself, before it is real."""

import copy
from dataclasses import dataclass

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.models import Attendance, Delivery, Event, Registration
from registrations.models.registration import new_code

Kind, Reason, Status = Delivery.Kind, Delivery.Reason, Registration.Status
EXAMPLE_ADDRESS = "adresse@example.org"
EXAMPLES = {
    "fr": gettext_lazy("An example person"),
    "en": gettext_lazy("An example person, in English"),
}


@dataclass(frozen=True)
class Sample:
    """A mail in a situation in which it is sent."""

    kind: Delivery.Kind
    reason: str = ""
    status: str = Status.CONFIRMED
    event_status: str = Event.Status.PUBLISHED
    is_present: bool = False

    @property
    def key(self) -> str:
        return "-".join(filter(None, [self.kind, self.reason, "present" if self.is_present else ""]))

    @property
    def title(self) -> str:
        words = [self.kind.label, Reason(self.reason).label if self.reason else "", _("present") * self.is_present]
        return " – ".join(str(word) for word in words if word)


SAMPLES: dict[str, Sample] = {
    sample.key: sample
    for sample in [
        Sample(Kind.CONFIRMATION, Reason.NEW),
        Sample(Kind.CONFIRMATION, Reason.KNOWN),
        Sample(Kind.CONFIRMATION, Reason.RESENT),
        Sample(Kind.CONFIRMATION, Reason.RETURNED),
        Sample(Kind.CONFIRMATION, Reason.CORRECTED),
        Sample(Kind.WAITING_LIST, Reason.NEW, Status.WAITLISTED),
        Sample(Kind.WAITING_LIST, Reason.KNOWN, Status.WAITLISTED),
        Sample(Kind.PROMOTED, Reason.PROMOTED),
        Sample(Kind.REMINDER_DAY),
        Sample(Kind.REMINDER_HOUR),
        Sample(Kind.FOLLOW_UP),
        Sample(Kind.FOLLOW_UP, is_present=True),
        Sample(Kind.CHANGED, Reason.MOVED),
        Sample(Kind.CHANGED, Reason.HOUR),
        Sample(Kind.CHANGED, Reason.REOPENED),
        Sample(Kind.CHANGED, Reason.NOTES),
        Sample(Kind.CHANGED, Reason.POSTPONED, event_status=Event.Status.POSTPONED),
        Sample(Kind.CANCELLED, event_status=Event.Status.CANCELLED),
        Sample(Kind.WITHDRAWN, Reason.SEAT, Status.CANCELLED),
        Sample(Kind.WITHDRAWN, Reason.LINE, Status.CANCELLED),
        Sample(Kind.UPDATED),
        Sample(Kind.ADDRESS_CHECK),
        Sample(Kind.ADDRESS_CHANGED),
        Sample(Kind.ERASED, Reason.SEAT, Status.CANCELLED),
        Sample(Kind.ERASED, Reason.LINE, Status.CANCELLED),
    ]
}


def owed(event: Event, sample: Sample, person: str) -> Delivery:
    """What would be owed in this situation; nothing of it is written down."""
    event = copy.copy(event)
    if sample.event_status != Event.Status.PUBLISHED or event.status == Event.Status.DRAFT:
        event.status = sample.event_status
    delivery = Delivery(registration=_registrant(event, sample, person), kind=sample.kind, reason=sample.reason)
    delivery.revision = 0 if sample.reason == Reason.NEW else 1
    if sample.kind in {Kind.ADDRESS_CHECK, Kind.ADDRESS_CHANGED}:
        delivery.recipient = EXAMPLE_ADDRESS
    return delivery


def _registrant(event: Event, sample: Sample, person: str) -> Registration:
    registration = example(event, sample, person) if person in EXAMPLES else Registration.objects.get(pk=person)
    registration.event, registration.status = event, sample.status
    registration.waiting_since = registration.created_at if registration.is_waiting else None
    if sample.kind == Kind.ADDRESS_CHECK:
        registration.new_email, registration.new_email_code = EXAMPLE_ADDRESS, new_code()
    return registration


def example(event: Event, sample: Sample, language: str) -> Registration:
    """Nobody: number 0 has no mails, no presences and a place at the end of the line."""
    with translation.override(language):
        first_name, last_name, organisation = _("First name"), _("Last name"), _("Organisation")
    registration = Registration(
        pk=0,
        event=event,
        first_name=first_name,
        last_name=last_name,
        organisation=organisation,
        email=EXAMPLE_ADDRESS,
        language=language,
        created_at=timezone.now(),
    )
    signs = Attendance.objects.none()
    signs._result_cache = [Attendance(registration=registration)] if sample.is_present else []
    registration._prefetched_objects_cache = {"attendances": signs}  # type: ignore[attr-defined]
    return registration


def tried(trial: Delivery) -> Delivery:
    """The mail that a trial stands for, with links to the event's page; who is gone meanwhile is an example."""
    asked = trial.sample or {}
    person = asked["person"]
    if person not in EXAMPLES and not Registration.objects.filter(pk=person).exists():
        person = "fr"
    delivery = owed(Event.objects.get(pk=asked["event"]), SAMPLES[asked["mail"]], person)
    delivery.pk, delivery.message_id, delivery.attempts = trial.pk, trial.message_id, trial.attempts
    delivery.recipient, delivery.sample = trial.recipient, asked
    if registration := delivery.registration:
        registration.is_trial = True
        registration.join_code, registration.manage_code, registration.new_email_code = "", "", None
    return delivery
