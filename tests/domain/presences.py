"""Presences that are noted for a person."""

from registrations.models import Registration


def signs(registration: Registration) -> list[tuple[str, int | None]]:
    return list(registration.attendances.values_list("origin", "minutes"))
