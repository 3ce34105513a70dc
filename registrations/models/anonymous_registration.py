"""What remains of a registration once its data is purged: a figure, and nobody to be found in it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event
from registrations.models.registration import Registration


class Trace(models.Model):
    """One anonymous registration. No key, no moment and no free text leads back to a person."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="traces", verbose_name=_("event"))
    registered_on = models.DateField(_("registered"))
    status = models.CharField(_("status"), max_length=10, choices=Registration.Status)
    was_present = models.BooleanField(_("present"))
    minutes = models.PositiveIntegerField(_("minutes in the room"), null=True)
    territory = models.CharField(_("territory"), max_length=255, blank=True)
    heard_from = models.CharField(_("heard of it by"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("anonymous registration")
        verbose_name_plural = _("anonymous registrations")

    def __str__(self) -> str:
        return f"{self.registered_on:%Y-%m-%d}"
