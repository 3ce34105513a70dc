"""Events with many registrations, for the tests of figures."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from registrations.models import Attendance, Event, Registration
from tests.factories import make_event

DAY = timedelta(days=1)
ORGANISATIONS = ["CAF 78"] * 9 + ["Mairie de X"] * 7 + ["Association Y", "Préfecture"]


def fill(event: Event, number: int, **fields: Any) -> Event:
    """Add people: every tenth has withdrawn, every tenth waits; every second attended, if the event is over."""
    people = [
        Registration(
            event=event,
            first_name="Zoë",
            last_name="Nommée",
            email=f"zoe{index}@example.org",
            organisation=ORGANISATIONS[index % len(ORGANISATIONS)],
            job_title="Cheffe de projet",
            territory=["Yvelines (78)", "Val-d’Oise (95)", ""][index % 3],
            heard_from="Autrement",
            status={8: "waitlisted", 9: "cancelled"}.get(index % 10, "confirmed"),
            waiting_since=timezone.now(),
            created_at=event.starts_at - (index % 25 + 1) * DAY,
            **fields,
        )
        for index in range(number)
    ]
    Registration.objects.bulk_create(people)
    if event.is_over:
        seated = event.registrations.seated().order_by("pk")
        Attendance.objects.bulk_create(Attendance(registration=one, origin="join") for one in seated[::2])
    return event


def long_past(number: int = 0, **fields: Any) -> Event:
    return fill(make_event(starts_in=-90 * DAY, retention_months=1, **fields), number)
