"""What strangers have set off lately, counted in the database so that every process counts alike."""

import time
from datetime import timedelta
from typing import Any, Self

from django.db import connection, models

from registrations.models.prepared import rows_of

KEPT = timedelta(days=1)

# One statement, so that simultaneous hits are counted one by one: of two that find the same number free, the unique
# constraint lets one in. `free_at` is when the next one may happen: a period after the limit-th before it, which is
# found by its number, since the numbers of one key follow each other. It is looked up, not joined, and once: a planner
# that does not know yet how many hits of a key there are reads all of them to join them.
TAKE = """
    INSERT INTO registrations_hit (key, number, at)
    SELECT %(key)s, number + 1, CASE WHEN free_at > %(now)s THEN free_at ELSE %(now)s END
    FROM (
        SELECT number, (
            SELECT at + %(period)s FROM registrations_hit
            WHERE key = %(key)s AND number <= last.number - %(others)s ORDER BY number DESC LIMIT 1
        ) AS free_at
        FROM (SELECT COALESCE(MAX(number), 0) AS number FROM registrations_hit WHERE key = %(key)s) AS last
        LIMIT 1
    ) AS asked{unwaited}
    WHERE %(delays)s OR free_at IS NULL OR free_at <= %(now)s
    ON CONFLICT (key, number) DO NOTHING
    RETURNING number, at
"""

# A count that is a transaction of its own does not wait for the disk: a server that loses its power forgets some.
UNWAITED = ", (SELECT set_config('synchronous_commit', 'off', true)) AS unwaited"


class HitQuerySet(models.QuerySet["Hit"]):
    def take(self, key: str, *, limit: int, period: timedelta, delays: bool) -> "Hit | None":
        """Count one more of what may happen `limit` times in any `period`: now, or later when it may be delayed.

        None, and nothing counted, when it would have to wait and may not.
        """
        values: dict[str, Any] = {"key": key, "period": period.total_seconds(), "others": limit - 1, "delays": delays}
        is_alone = connection.vendor == "postgresql" and connection.get_autocommit()
        statement = TAKE.format(unwaited=UNWAITED if is_alone else "")
        while True:
            for number, at in rows_of(statement, {**values, "now": time.time()}):
                return Hit(key=key, number=number, at=at)
            if not delays and self.free_at(key, limit=limit, period=period) > time.time():
                return None

    def give_back(self, key: str) -> None:
        """One less: the last of them, whoever's it is, so that the numbers of a key go on without a gap."""
        if last := self.filter(key=key).order_by("-number").first():
            last.delete()

    def free_at(self, key: str, *, limit: int, period: timedelta) -> float:
        """When the next one may happen; 0 when nothing stands in its way."""
        earlier = self.filter(key=key).order_by("-number").values_list("at", flat=True)[limit - 1 : limit]
        return next((at + period.total_seconds() for at in earlier), 0.0)

    def old(self) -> Self:
        return self.filter(at__lt=time.time() - KEPT.total_seconds())


class Hit(models.Model):
    key = models.CharField(max_length=64)  # a keyed digest: no address, no origin
    number = models.PositiveIntegerField()
    at = models.FloatField()  # seconds since 1970: both databases compute alike with numbers

    objects = HitQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="hit_is_unique_per_key_and_number")]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.number}"
