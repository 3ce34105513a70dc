"""Each kind of mail in each situation, as a preview in the back office or as a trial to an organiser's own address."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.models import Delivery, Event, MailText, Registration
from registrations.models.mail_kinds import KINDS, Recipient, Situation

Kind, Reason = Delivery.Kind, Delivery.Reason
EXAMPLE_ADDRESS = "adresse@example.org"
PERSONAL_LINK = "lien-personnel-du-destinataire"  # in place of a code: a preview opens nobody's registration
EXAMPLES = {
    "fr": gettext_lazy("An example person"),
    "en": gettext_lazy("An example person, in English"),
}


@dataclass(frozen=True)
class Sample:
    """A kind of mail in one of the situations in which it is sent."""

    kind: Delivery.Kind
    situation: Situation

    @property
    def key(self) -> str:
        return "-".join(filter(None, [self.kind, self.situation.reason, "present" * self.situation.is_present]))

    @property
    def title(self) -> str:
        reason = self.situation.reason
        words = [self.kind.label, Reason(reason).label if reason else "", _("present") * self.situation.is_present]
        return " – ".join(str(word) for word in words if word)


SAMPLES: dict[str, Sample] = {
    sample.key: sample
    for sample in (Sample(kind, situation) for kind, facts in KINDS.items() for situation in facts.situations)
}


def sample_delivery(event: Event, sample: Sample, person: str, *, texts: Sequence[MailText] | None = None) -> Delivery:
    """The mail that would be sent in this situation. Nothing is saved. `texts`: own words as they are typed now."""
    event, situation = copy.copy(event), sample.situation
    if texts is not None:
        event.typed_texts = texts  # type: ignore[attr-defined] # read by mailing/own_words.py
    if situation.event_status != Event.Status.PUBLISHED or event.status == Event.Status.DRAFT:
        event.status = situation.event_status
    delivery = Delivery(event=event, kind=sample.kind, reason=situation.reason)
    if KINDS[sample.kind].recipient == Recipient.REGISTRANT:
        delivery.registration = _registrant(event, sample, person)
    delivery.revision = 0 if situation.reason == Reason.NEW else 1
    if sample.kind in {Kind.ADDRESS_CHECK, Kind.ADDRESS_CHANGED}:
        delivery.recipient = EXAMPLE_ADDRESS
    return delivery


def _registrant(event: Event, sample: Sample, person: str) -> Registration:
    registration = (
        example(event, sample, person)
        if person in EXAMPLES
        else Registration.objects.without_dry_runs().get(pk=person)
    )
    registration.event, registration.status = event, sample.situation.status
    registration.waiting_since = registration.created_at if registration.is_waiting else None
    registration.join_code = registration.manage_code = registration.new_email_code = PERSONAL_LINK
    if sample.kind == Kind.ADDRESS_CHECK:
        registration.new_email = EXAMPLE_ADDRESS
    return registration


def example(event: Event, sample: Sample, language: str) -> Registration:
    """An invented person: primary key 0 has no mails and no presences, and is last on the waiting list."""
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
    registration.attended = sample.situation.is_present
    return registration


def trial_delivery(trial: Delivery) -> Delivery:
    """The mail that a trial shows, with links to the event's page. An example replaces a person who was erased."""
    asked = trial.sample or {}
    person = asked["person"]
    if person not in EXAMPLES and not Registration.objects.without_dry_runs().filter(pk=person).exists():
        person = "fr"
    event, words = Event.objects.get(pk=asked["event"]), asked.get("words")
    texts = None if words is None else [MailText(**one) for one in words]
    delivery = sample_delivery(event, SAMPLES[asked["mail"]], person, texts=texts)
    delivery.pk, delivery.message_id, delivery.attempts = trial.pk, trial.message_id, trial.attempts
    delivery.recipient, delivery.sample = trial.recipient, asked
    if registration := delivery.registration:
        registration.is_dry_run = True
        registration.join_code, registration.manage_code, registration.new_email_code = "", "", None
    return delivery
