"""Attendance: noted when someone opens the room, by hand, or from the attendance report of the meeting tool."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import DatabaseError, InterfaceError, transaction

from registrations.documents import certificate_number
from registrations.models import Attendance, Event, Registration
from registrations.models.search import folded
from registrations.runtime import progress
from registrations.spreadsheets.attendance_report import Participant
from registrations.spreadsheets.names import in_any_order, readings, typo_variants

logger = logging.getLogger(__name__)


class Likeness(StrEnum):
    CERTAIN = "certain"  # the same address
    LIKELY = "likely"  # the same name, and only one such
    DOUBTFUL = "doubtful"  # someone has to choose
    UNMATCHED = "unmatched"


@dataclass(frozen=True)
class Proposal:
    """The registrations a participant of the report may belong to. An organiser confirms before anything is noted."""

    participant: Participant
    likeness: Likeness
    candidates: list[Registration]


@transaction.atomic
def note(registration: Registration, origin: Attendance.Origin, *, minutes: int | None = None) -> None:
    """Note that a person attended, once per origin, and give their certificate its number."""
    noted, is_new = Attendance.objects.get_or_create(
        registration=registration, origin=origin, defaults={"minutes": minutes}
    )
    if not is_new and minutes is not None and noted.minutes != minutes:
        noted.minutes = minutes
        noted.save(update_fields=["minutes"])
    if registration.certificate_number is None:
        unnumbered = Registration.objects.without_dry_runs().filter(
            pk=registration.pk, certificate_number__isnull=True
        )
        unnumbered.update(certificate_number=certificate_number.new())


def note_join(registration: Registration) -> None:
    """Note that the personal link opened the room. A failing database is logged and does not keep anyone out."""
    try:
        note(registration, Attendance.Origin.JOIN)
    except (DatabaseError, InterfaceError):
        logger.exception("The presence of registration %s could not be noted", registration.pk)


@transaction.atomic
def note_report(event: Event, confirmed: Iterable[tuple[int, int | None]]) -> list[Registration]:
    """Note the confirmed pairs (id of a registration, minutes). Returns the registrations that were noted.

    A person with two names in the report gets the sum of the minutes. Registrations without a seat are left out.
    """
    minutes: dict[int, list[int | None]] = defaultdict(list)
    for pk, length in confirmed:
        minutes[pk].append(length)
    present = list(event.registrations.without_dry_runs().seated().filter(pk__in=minutes))
    for number, registration in enumerate(present, 1):
        known = [length for length in minutes[registration.pk] if length is not None]
        is_known = len(known) == len(minutes[registration.pk])
        note(registration, Attendance.Origin.IMPORT, minutes=sum(known) if is_known else None)
        progress.report(number, len(present))
    return present


@transaction.atomic
def take_back(registration: Registration) -> None:
    """Remove all attendance of a person."""
    registration.attendances.all().delete()


def proposals(event: Event, participants: Iterable[Participant]) -> list[Proposal]:
    """A proposal for each participant, among the people with a seat."""
    known = People()
    for registration in event.registrations.without_dry_runs().seated().order_by("last_name", "first_name", "pk"):
        known.add(registration)
    return [known.proposal(participant) for participant in participants]


@dataclass
class People:
    by_address: dict[str, Registration] = field(default_factory=dict)
    by_name: defaultdict[str, list[Registration]] = field(default_factory=lambda: defaultdict(list))
    by_slip: defaultdict[str, list[Registration]] = field(default_factory=lambda: defaultdict(list))

    def add(self, registration: Registration) -> None:
        first, last = registration.first_name, registration.last_name
        self.by_address[registration.email.lower()] = registration
        self.by_name[in_any_order(f"{first} {last}")].append(registration)
        for slip in typo_variants(folded(f"{first} {last}")) | typo_variants(folded(f"{last} {first}")):
            self.by_slip[slip].append(registration)

    def proposal(self, participant: Participant) -> Proposal:
        if found := self.by_address.get(participant.email.lower()):
            return Proposal(participant, Likeness.CERTAIN, [found])
        names = readings(participant.name)
        if same := self._distinct(self.by_name.get(in_any_order(name), []) for name in names):
            return Proposal(participant, Likeness.LIKELY if len(same) == 1 else Likeness.DOUBTFUL, same)
        near = (self.by_slip.get(slip, []) for name in names for slip in sorted(typo_variants(folded(name))))
        if alike := self._distinct(near):
            return Proposal(participant, Likeness.DOUBTFUL, alike)
        return Proposal(participant, Likeness.UNMATCHED, [])

    def _distinct(self, found: Iterable[list[Registration]]) -> list[Registration]:
        return list({registration.pk: registration for some in found for registration in some}.values())
