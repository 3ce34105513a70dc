"""Numbers of people and mails that cost the same to read however many there are.

Triggers of the database keep them (models/triggers.py), in the transaction that changes what is counted: whoever
writes, and by whatever program, they are exact. SQLite, which has one writer, adds to the row of a group. PostgreSQL
appends a row for each change, so that nobody waits for anybody, and workers fold the rows of a group into one.
"""

from collections.abc import Iterable
from typing import Any, Self

from django.db import connection, models
from django.db.models import Sum

from registrations.models.broadcast import Broadcast
from registrations.models.delivery import Delivery
from registrations.models.event import Event
from registrations.models.registration import Registration

# Two statements, since the planner, which knows nothing of a table that grows and shrinks all the time, would join it
# with itself row by row. Any rows of a group may be folded, also while others are added.
TO_FOLD = """
    SELECT id FROM (
        SELECT id, COUNT(*) OVER same AS rows, SUM(number) OVER same AS total
        FROM {table} WINDOW same AS (PARTITION BY {group})
    ) AS grouped WHERE rows > 1 OR total = 0
"""
FOLD = """
    WITH folded AS (DELETE FROM {table} WHERE id = ANY(%s) RETURNING {group}, number)
    INSERT INTO {table} ({group}, number)
    SELECT {group}, SUM(number) FROM folded GROUP BY {group} HAVING SUM(number) <> 0
"""


class LiveCountQuerySet(models.QuerySet[Any]):
    def of(self, event: Event) -> Self:
        return self.filter(event=event)

    def total(self) -> int:
        return int(self.aggregate(total=Sum("number"))["total"] or 0)

    def totals(self, *group: str) -> Any:
        """Rows of the fields of the group and their `total`; without those that count nothing any more."""
        return self.order_by().values_list(*group).annotate(total=Sum("number")).exclude(total=0)

    def fold(self) -> None:
        """One row for each group again: exact whoever writes or folds at the same time."""
        if connection.vendor != "postgresql":
            return
        fields = [field.column for field in self.model._meta.fields if field.name not in {"id", "number"}]
        names = {"table": self.model._meta.db_table, "group": ", ".join(fields)}
        with connection.cursor() as cursor:
            cursor.execute(TO_FOLD.format(**names))
            if numbers := [number for (number,) in cursor.fetchall()]:
                cursor.execute(FOLD.format(**names), [numbers])


class LiveCount(models.Model):
    """No constraint ties its event: a sign-up that holds the event's row must not hold up the mails."""

    event = models.ForeignKey(Event, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    number = models.IntegerField()

    objects = LiveCountQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.number)


class PeopleCount(LiveCount):
    status = models.CharField(max_length=10, choices=Registration.Status)
    territory = models.CharField(max_length=255)
    newsletter = models.BooleanField()
    language = models.CharField(max_length=5)
    attended = models.BooleanField(db_column="came")

    class Meta:
        db_table = "registrations_peopletally"


class SignUpCount(LiveCount):
    """How many signed up in each quarter of an hour: the day of every time zone begins with one."""

    quarter = models.DateTimeField()

    class Meta:
        db_table = "registrations_signuptally"
        indexes = [models.Index(fields=["event", "quarter"], name="sign_up_tally_quarters")]  # one for each sign-up


class MailCount(LiveCount):
    """`not_after` only for reminders, which are counted by date; `error` only for dropped scheduled mails."""

    broadcast = models.ForeignKey(Broadcast, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    kind = models.CharField(max_length=20, choices=Delivery.Kind)
    state = models.CharField(max_length=10, choices=Delivery.State)
    provider_status = models.CharField(max_length=20)
    not_after = models.DateTimeField(null=True)
    error = models.TextField()

    class Meta:
        db_table = "registrations_mailtally"


LIVE_COUNTS: Iterable[type[LiveCount]] = (PeopleCount, SignUpCount, MailCount)


def fold_live_counts() -> None:
    for purged_count in LIVE_COUNTS:
        purged_count.objects.fold()
