"""Who came: noted when the room is opened, by hand, or from the room's own report."""

import logging
import secrets

from django.db import DatabaseError, InterfaceError, transaction

from registrations.models import Attendance, Registration

logger = logging.getLogger(__name__)

SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another
GROUPS, GROUP = 3, 4


@transaction.atomic
def note(registration: Registration, origin: Attendance.Origin, *, minutes: int | None = None) -> None:
    """Write down that a person was there, once per origin; their certificate gets its number."""
    noted, is_new = Attendance.objects.get_or_create(
        registration=registration, origin=origin, defaults={"minutes": minutes}
    )
    if not is_new and minutes is not None and noted.minutes != minutes:
        noted.minutes = minutes
        noted.save(update_fields=["minutes"])
    if registration.certificate_number is None:
        unnumbered = Registration.objects.filter(pk=registration.pk, certificate_number__isnull=True)
        unnumbered.update(certificate_number=new_certificate_number())


def note_join(registration: Registration) -> None:
    """The room was opened with the personal link. A database that is away must not cost anyone the meeting."""
    try:
        note(registration, Attendance.Origin.JOIN)
    except (DatabaseError, InterfaceError):
        logger.exception("The presence of registration %s could not be noted", registration.pk)


@transaction.atomic
def take_back(registration: Registration) -> None:
    """The person was not there after all."""
    registration.attendances.all().delete()


def new_certificate_number() -> str:
    """Like 7KQ2-M9XD-4HTR: 59 bits, so that nobody finds another's by trying."""
    return grouped("".join(secrets.choice(SIGNS) for _sign in range(GROUPS * GROUP)))


def grouped(signs: str) -> str:
    return "-".join(signs[start : start + GROUP] for start in range(0, len(signs), GROUP))
