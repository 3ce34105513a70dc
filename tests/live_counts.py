"""What the live counts must say: what counting the rows says."""

from collections import Counter
from typing import Any

from django.db.models import Count, F, QuerySet

from registrations.models import Attendance, Delivery, MailCount, PeopleCount, Registration, SignUpCount

PEOPLE = ["event", "status", "territory", "newsletter", "language", "attended"]
MAILS = ["event", "broadcast", "kind", "state", "provider_status"]


def counted(rows: QuerySet[Any], *fields: str) -> dict[Any, int]:
    groups = rows.order_by().values_list(*fields).annotate(count=Count("pk"))
    return {tuple(group): count for *group, count in groups}


def told(model: Any, *fields: str) -> dict[Any, int]:
    return {tuple(group): count for *group, count in model.objects.totals(*fields)}


def assert_exact() -> None:
    """Dry runs are not counted, but it is known which of them attended, and of which event their mails are."""
    assert told(PeopleCount, *PEOPLE) == counted(Registration.objects.without_dry_runs(), *PEOPLE)
    assert told(MailCount, *MAILS) == counted(Delivery.objects.without_dry_runs(), *MAILS)
    here = set(Attendance.objects.values_list("registration", flat=True))
    assert set(Registration.objects.filter(attended=True).values_list("pk", flat=True)) == here
    quarters = Counter(
        (one.event_id, one.created_at.replace(minute=one.created_at.minute // 15 * 15, second=0, microsecond=0))
        for one in Registration.objects.without_dry_runs()
    )
    assert told(SignUpCount, "event", "quarter") == dict(quarters)
    assert not Delivery.objects.exclude(event=F("registration__event")).filter(registration__isnull=False).exists()
