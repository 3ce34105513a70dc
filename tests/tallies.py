"""What the tallies must say: what counting the rows says."""

from collections import Counter
from typing import Any

from django.db.models import Count, F, QuerySet

from registrations.models import Attendance, Delivery, MailTally, PeopleTally, Registration, SignUpTally

PEOPLE = ["event", "status", "territory", "newsletter", "language", "came"]
MAILS = ["event", "broadcast", "kind", "state", "provider_status"]


def counted(rows: QuerySet[Any], *fields: str) -> dict[Any, int]:
    groups = rows.order_by().values_list(*fields).annotate(count=Count("pk"))
    return {tuple(group): count for *group, count in groups}


def told(model: Any, *fields: str) -> dict[Any, int]:
    return {tuple(group): count for *group, count in model.objects.totals(*fields)}


def assert_exact() -> None:
    """Of all but trials; who came, and of which event a mail is, of trials too."""
    assert told(PeopleTally, *PEOPLE) == counted(Registration.objects.all(), *PEOPLE)
    assert told(MailTally, *MAILS) == counted(Delivery.objects.that_count(), *MAILS)
    here = set(Attendance.objects.values_list("registration", flat=True))
    assert set(Registration.everyone.filter(came=True).values_list("pk", flat=True)) == here
    quarters = Counter(
        (one.event_id, one.created_at.replace(minute=one.created_at.minute // 15 * 15, second=0, microsecond=0))
        for one in Registration.objects.all()
    )
    assert told(SignUpTally, "event", "quarter") == dict(quarters)
    assert not Delivery.objects.exclude(event=F("registration__event")).filter(registration__isnull=False).exists()
