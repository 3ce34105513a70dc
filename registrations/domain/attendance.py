"""Attendance: noted when someone opens the room, by hand, or from the attendance report of the meeting tool."""

import itertools
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import DatabaseError, InterfaceError, transaction
from django.tasks import task

from registrations.documents import certificate_number
from registrations.models import Attendance, Event, Registration
from registrations.models.search import folded
from registrations.runtime import progress
from registrations.spreadsheets import durations
from registrations.spreadsheets.attendance_report import Participant
from registrations.spreadsheets.names import in_any_order, readings, typo_variants

logger = logging.getLogger(__name__)

WORDS_COMPARED = 10  # of a name that a room displays


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


@task
def note_entry(made: int | None) -> None:
    """Note that who signed up in the last hour went into the room from the thank-you page.

    `made`: the row that this sign-up made. None when the address was on the list before: another person may have typed
    it, so nobody is noted, and the same task is enqueued, from which the visitor learns nothing.
    """
    seated = Registration.objects.without_dry_runs().seated()
    if made is not None and (registration := seated.filter(pk=made).first()):
        note_join(registration)


def note_entry_later(made: int | None) -> None:
    """A failing database is logged and does not keep anyone out."""
    try:
        note_entry.enqueue(made)
    except (DatabaseError, InterfaceError):
        logger.exception("The presence of registration %s could not be noted", made)


@transaction.atomic
def note_report(event: Event, confirmed: Iterable[tuple[int, int | None]]) -> list[Registration]:
    """Note the confirmed pairs (id of a registration, minutes). Returns the registrations that were noted.

    Each registration is named once: see `minutes_together`. Registrations without a seat are left out.
    """
    minutes = dict(confirmed)
    present = list(event.registrations.without_dry_runs().seated().filter(pk__in=minutes))
    for number, registration in enumerate(present, 1):
        note(registration, Attendance.Origin.IMPORT, minutes=minutes[registration.pk])
        progress.report(number, len(present))
    return present


def minutes_together(participants: Sequence[Participant]) -> int | None:
    """Minutes of one person who has several names in the report. None when the minutes of one of them are unknown.

    What overlaps counts once: often it is a computer and a telephone. Without hours in the report, the longest counts.
    """
    known = [one.minutes or 0 for one in participants if one.minutes is not None or one.spans]  # 0: seconds only
    if len(known) < len(participants):
        return None
    if not all(participant.spans for participant in participants):
        return max(known) or None
    spans = [span for participant in participants for span in participant.spans]
    return durations.whole_minutes(sum(known) * 60, within=spans, is_rounded=True)


@transaction.atomic
def take_back(registration: Registration) -> None:
    """Remove all attendance of a person."""
    registration.attendances.all().delete()


def seated(event: Event) -> list[Registration]:
    """The people whose presence can be noted, by name."""
    return list(event.registrations.without_dry_runs().seated().order_by("last_name", "first_name", "pk"))


def proposals(event: Event, participants: Iterable[Participant]) -> list[Proposal]:
    """A proposal for each participant, among the people with a seat."""
    known = People()
    for registration in seated(event):
        known.add(registration)
    return [known.proposal(participant) for participant in participants]


@dataclass
class People:
    by_address: dict[str, Registration] = field(default_factory=dict)
    by_name: defaultdict[str, list[Registration]] = field(default_factory=lambda: defaultdict(list))
    by_slip: defaultdict[str, list[Registration]] = field(default_factory=lambda: defaultdict(list))
    by_ends: defaultdict[tuple[str, str], list[Registration]] = field(default_factory=lambda: defaultdict(list))

    def add(self, registration: Registration) -> None:
        first, last = registration.first_name, registration.last_name
        self.by_address[registration.email.lower()] = registration
        self.by_name[in_any_order(f"{first} {last}")].append(registration)
        for slip in typo_variants(folded(f"{first} {last}")) | typo_variants(folded(f"{last} {first}")):
            self.by_slip[slip].append(registration)
        if folded(first) and folded(last):
            self.by_ends[folded(first).split()[0], folded(last).split()[-1]].append(registration)

    def proposal(self, participant: Participant) -> Proposal:
        if found := self.by_address.get(participant.email.lower()):
            return Proposal(participant, Likeness.CERTAIN, [found])
        names = readings(participant.name)
        if same := self._distinct(self.by_name.get(in_any_order(name), []) for name in names):
            return Proposal(participant, Likeness.LIKELY if len(same) == 1 else Likeness.DOUBTFUL, same)
        near = (self.by_slip.get(slip, []) for name in names for slip in sorted(typo_variants(folded(name))))
        if alike := self._distinct(near):
            return Proposal(participant, Likeness.DOUBTFUL, alike)
        if within := self._within(participant.name):
            return Proposal(participant, Likeness.DOUBTFUL, within)
        return Proposal(participant, Likeness.UNMATCHED, [])

    def _within(self, name: str) -> list[Registration]:
        """Those whose whole name is in this one: « Zoë "la fée" Durand », « Zoë Durand Ville de Nulle-Part »."""
        words = folded(name).split()[:WORDS_COMPARED]
        found = self._distinct(self.by_ends.get(ends, []) for ends in itertools.permutations(words, 2))
        return [one for one in found if set(folded(f"{one.first_name} {one.last_name}").split()) <= set(words)]

    def _distinct(self, found: Iterable[list[Registration]]) -> list[Registration]:
        return list({registration.pk: registration for some in found for registration in some}.values())
