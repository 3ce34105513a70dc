"""Compare the live counts with counting the rows."""

from collections import Counter
from typing import Any

from django.db.models import Count, F, QuerySet

from registrations.models import Attendance, Delivery, MailCount, PeopleCount, Registration, SignUpCount

PEOPLE = ["event", "status", "territory", "newsletter", "language", "attended"]
MAILS = ["event", "broadcast", "kind", "state", "provider_status"]


def counted(rows: QuerySet[Any], *fields: str) -> dict[Any, int]:
    groups = rows.order_by().values_list(*fields).annotate(count=Count("pk"))
    return {tuple(group): count for *group, count in groups}


def live(model: Any, *fields: str) -> dict[Any, int]:
    return {tuple(group): count for *group, count in model.objects.totals(*fields)}


def assert_exact() -> None:
    """Dry runs are not counted, but their columns `attended` and `event` are correct too."""
    assert live(PeopleCount, *PEOPLE) == counted(Registration.objects.without_dry_runs(), *PEOPLE)
    assert live(MailCount, *MAILS) == counted(Delivery.objects.without_dry_runs(), *MAILS)
    attended = set(Attendance.objects.values_list("registration", flat=True))
    assert set(Registration.objects.filter(attended=True).values_list("pk", flat=True)) == attended
    quarters = Counter(
        (one.event_id, one.created_at.replace(minute=one.created_at.minute // 15 * 15, second=0, microsecond=0))
        for one in Registration.objects.without_dry_runs()
    )
    assert live(SignUpCount, "event", "quarter") == dict(quarters)
    assert not Delivery.objects.exclude(event=F("registration__event")).filter(registration__isnull=False).exists()
