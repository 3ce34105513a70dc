"""A dry run, as a test needs it."""

from typing import Any

from registrations.domain import (
    dry_runs,
)
from registrations.models import (
    Event,
    Registration,
)
from tests.factories import answers

TYPED = {"first_name": "Odile", "last_name": "Organisatrice", "email": "odile@example.org", "language": "fr"}


def start(event: Event, **fields: Any) -> Registration:
    return dry_runs.start(event, **answers(**{**TYPED, **fields}))
