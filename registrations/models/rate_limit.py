"""Hits of rate limits, stored in the database so that all processes share the same counts."""

import time
from datetime import timedelta
from typing import Any, Self

from django.db import connection, models

from registrations.models.prepared import rows_of

RETENTION = timedelta(days=1)
CLOCKS_DIFFER_BY = 60  # seconds, between machines and simultaneous requests

# One statement, so that simultaneous hits are counted correctly: when two take the same number, the unique constraint
# refuses one of them. `free_at` is when the next hit may happen: one period after the limit-th hit before it, which is
# found by its number, since the numbers of a key have no gaps. It is a scalar subquery and not a join: without
# statistics, the planner would read all hits of the key for a join. `forgets`: no hit is ever delayed, so one
# that is later than now was counted by a clock that has been put back since, and refuses nothing.
TAKE = """
    INSERT INTO registrations_hit (key, number, at)
    SELECT %(key)s, number + 1, CASE WHEN %(delays)s AND free_at > %(now)s THEN free_at ELSE %(now)s END
    FROM (
        SELECT number, (
            SELECT at + %(period)s FROM registrations_hit
            WHERE key = %(key)s AND number <= last.number - %(others)s ORDER BY number DESC LIMIT 1
        ) AS free_at
        FROM (SELECT COALESCE(MAX(number), 0) AS number FROM registrations_hit WHERE key = %(key)s) AS last
        LIMIT 1
    ) AS asked{unwaited}
    WHERE %(delays)s OR free_at IS NULL OR free_at <= %(now)s OR (%(forgets)s AND free_at > %(no_clock)s)
    ON CONFLICT (key, number) DO NOTHING
    RETURNING at
"""

# A hit outside a transaction does not wait for the disk: after a power failure, the last hits may be lost.
UNWAITED = ", (SELECT set_config('synchronous_commit', 'off', true)) AS unwaited"


class RateLimitHitQuerySet(models.QuerySet["RateLimitHit"]):
    def take(
        self, key: str, *, limit: int, period: timedelta, delays: bool, never_delays: bool = False
    ) -> float | None:
        """Record a hit of what may happen `limit` times in any `period`; returns when it may happen.

        `delays`: above the limit, that is in the future. Otherwise None is returned and nothing is recorded.
        `never_delays`: no other hit of this key does either.
        """
        values: dict[str, Any] = {"key": key, "period": period.total_seconds(), "others": limit - 1, "delays": delays}
        values["forgets"], longest = never_delays, period.total_seconds() + CLOCKS_DIFFER_BY
        is_alone = connection.vendor == "postgresql" and connection.get_autocommit()
        statement = TAKE.format(unwaited=UNWAITED if is_alone else "")
        while True:
            for (at,) in rows_of(statement, {**values, "now": (now := time.time()), "no_clock": now + longest}):
                return float(at)
            if not delays and self.free_at(key, limit=limit, period=period) > time.time():  # else: another took it
                return None

    def give_back(self, key: str) -> None:
        """Remove the last hit of the key, even one of another request: the numbers of a key must have no gaps."""
        if last := self.filter(key=key).order_by("-number").first():
            last.delete()

    def free_at(self, key: str, *, limit: int, period: timedelta) -> float:
        """When the next hit may happen, in seconds since 1970; 0 when it may happen now."""
        earlier = self.filter(key=key).order_by("-number").values_list("at", flat=True)[limit - 1 : limit]
        return next((at + period.total_seconds() for at in earlier), 0.0)

    def old(self) -> Self:
        return self.filter(at__lt=time.time() - RETENTION.total_seconds())


class RateLimitHit(models.Model):
    key = models.CharField(max_length=64)  # an HMAC digest: contains no address and no network
    number = models.PositiveIntegerField()
    at = models.FloatField()  # seconds since 1970: SQLite and PostgreSQL calculate with numbers in the same way

    objects = RateLimitHitQuerySet.as_manager()

    class Meta:
        db_table = "registrations_hit"
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="hit_is_unique_per_key_and_number")]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.number}"
