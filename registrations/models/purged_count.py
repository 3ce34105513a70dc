"""Counts of purged registrations per group (type of organisation, function …), not linked to anonymous rows."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db import models
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event


class Counts(NamedTuple):
    """People with a seat (`registered`); of them, those who signed up in time (`expected`) and those who attended."""

    registered: int = 0
    expected: int = 0
    present: int = 0


class PurgedCountQuerySet(models.QuerySet["PurgedCount"]):
    def add(self, event: Event, dimension: "PurgedCount.Dimension", counted: Mapping[str, Counts]) -> None:
        """Add these counts. The groups are sorted, so that two concurrent purges lock rows in the same order."""
        for group, counts in sorted(counted.items()):
            purged_count, _is_new = self.get_or_create(event=event, dimension=dimension, group=group)
            self.filter(pk=purged_count.pk).update(
                **{name: F(name) + number for name, number in counts._asdict().items()}
            )

    def set_at_least(self, event: Event, dimension: "PurgedCount.Dimension", number: int) -> None:
        """Store a count of the whole event; it is never lowered."""
        purged_count, _is_new = self.get_or_create(event=event, dimension=dimension, group="")
        self.filter(pk=purged_count.pk).update(registered=Greatest(F("registered"), number))


class PurgedCount(models.Model):
    class Dimension(models.TextChoices):
        ORGANISATION = "organisation_type", _("type of organisation")
        FUNCTION = "function", _("function")
        ORIGIN = "sign", _("how presence is known")
        DISTINCT_ORGANISATIONS = "names", _("different organisations")

    event = models.ForeignKey(Event, models.CASCADE, related_name="purged_counts", verbose_name=_("event"))
    dimension = models.CharField(_("dimension"), max_length=20, choices=Dimension)
    group = models.CharField(_("group"), max_length=20, blank=True)
    registered = models.PositiveIntegerField(_("with a seat"), default=0)
    expected = models.PositiveIntegerField(_("of them, signed up in time"), default=0)
    present = models.PositiveIntegerField(_("present"), default=0)

    objects = PurgedCountQuerySet.as_manager()

    class Meta:
        db_table = "registrations_tally"
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "dimension", "group"], name="tally_is_unique_per_event_and_group"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.group}"
