"""Live counts of registrations and mails per group: the cost to read them does not grow with the number of rows.

Database triggers (models/triggers.py) update them in the transaction that changes the counted rows, so they are exact
whatever program writes. On SQLite, which has a single writer, a trigger updates the row of the group. On PostgreSQL it
appends a row for each change, so that transactions do not wait for each other; workers merge the rows of a group.
"""

from collections.abc import Iterable
from typing import Any, Self

from django.db import connection, models
from django.db.models import Sum

from registrations.models.broadcast import Broadcast
from registrations.models.delivery import Delivery
from registrations.models.event import Event
from registrations.models.registration import Registration

# Two statements: in a single one, the planner has no useful statistics for a table that changes size all the time, and
# joins it with itself row by row. Rows of a group can be merged while others are added.
TO_MERGE = """
    SELECT id FROM (
        SELECT id, COUNT(*) OVER same AS rows, SUM(number) OVER same AS total
        FROM {table} WINDOW same AS (PARTITION BY {group})
    ) AS grouped WHERE rows > 1 OR total = 0
"""
MERGE = """
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
        """Tuples of the fields of `group` and their total, without groups whose total is 0."""
        return self.order_by().values_list(*group).annotate(total=Sum("number")).exclude(total=0)

    def merge(self) -> None:
        """Merge the rows of each group into one (PostgreSQL only). Safe while others write or merge."""
        if connection.vendor != "postgresql":
            return
        fields = [field.column for field in self.model._meta.fields if field.name not in {"id", "number"}]
        names = {"table": self.model._meta.db_table, "group": ", ".join(fields)}
        with connection.cursor() as cursor:
            cursor.execute(TO_MERGE.format(**names))
            if ids := [pk for (pk,) in cursor.fetchall()]:
                cursor.execute(MERGE.format(**names), [ids])


class LiveCount(models.Model):
    """`event` has no database constraint: checking it would wait for a sign-up that has locked the event's row."""

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
    """Sign-ups per quarter of an hour (UTC): in every time zone, a day begins at one of these quarters."""

    quarter = models.DateTimeField()

    class Meta:
        db_table = "registrations_signuptally"
        indexes = [models.Index(fields=["event", "quarter"], name="sign_up_tally_quarters")]  # used at each sign-up


class MailCount(LiveCount):
    """`not_after` is set for reminders only, which are counted by date; `error` for dropped scheduled mails only."""

    broadcast = models.ForeignKey(Broadcast, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    kind = models.CharField(max_length=20, choices=Delivery.Kind)
    state = models.CharField(max_length=10, choices=Delivery.State)
    provider_status = models.CharField(max_length=20)
    not_after = models.DateTimeField(null=True)
    error = models.TextField()

    class Meta:
        db_table = "registrations_mailtally"


LIVE_COUNTS: Iterable[type[LiveCount]] = (PeopleCount, SignUpCount, MailCount)


def merge_live_counts() -> None:
    for model in LIVE_COUNTS:
        model.objects.merge()
