"""What remains of the words of purged registrations: how many of each group came, tied to no anonymous row."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db import models
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event


class Counts(NamedTuple):
    """Of people who had a seat: how many; of them, who could have come (signed up in time); and who came."""

    registered: int = 0
    expected: int = 0
    present: int = 0


class TallyQuerySet(models.QuerySet["Tally"]):
    def add(self, event: Event, dimension: "Tally.Dimension", counted: Mapping[str, Counts]) -> None:
        """Add to what is there. In the order of the groups: two purges at once wait for each other, and never both."""
        for group, counts in sorted(counted.items()):
            tally, _is_new = self.get_or_create(event=event, dimension=dimension, group=group)
            self.filter(pk=tally.pk).update(**{name: F(name) + number for name, number in counts._asdict().items()})

    def raise_to(self, event: Event, dimension: "Tally.Dimension", number: int) -> None:
        """A number that is counted as a whole, and never sinks."""
        tally, _is_new = self.get_or_create(event=event, dimension=dimension, group="")
        self.filter(pk=tally.pk).update(registered=Greatest(F("registered"), number))


class Tally(models.Model):
    class Dimension(models.TextChoices):
        ORGANISATION = "organisation_type", _("type of organisation")
        FUNCTION = "function", _("function")
        SIGN = "sign", _("how presence is known")
        NAMES = "names", _("different organisations")

    event = models.ForeignKey(Event, models.CASCADE, related_name="tallies", verbose_name=_("event"))
    dimension = models.CharField(_("dimension"), max_length=20, choices=Dimension)
    group = models.CharField(_("group"), max_length=20, blank=True)
    registered = models.PositiveIntegerField(_("with a seat"), default=0)
    expected = models.PositiveIntegerField(_("of them, signed up in time"), default=0)
    present = models.PositiveIntegerField(_("present"), default=0)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "dimension", "group"], name="tally_is_unique_per_event_and_group"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.group}"
