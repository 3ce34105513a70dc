"""The row that replaces a registration when its personal data is purged, so that statistics stay correct."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event
from registrations.models.one_line import OneLineField
from registrations.models.registration import Registration


class AnonymousRegistration(models.Model):
    """It has no key to the registration, no time of day and no free text that could identify a person."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="anonymous_registrations", verbose_name=_("event"))
    registered_on = models.DateField(_("registered"))
    status = models.CharField(_("status"), max_length=10, choices=Registration.Status)
    was_present = models.BooleanField(_("present"))
    minutes = models.PositiveIntegerField(_("minutes in the room"), null=True)
    territory = OneLineField(_("territory"), max_length=255, blank=True)
    heard_from = OneLineField(_("heard of it by"), max_length=255, blank=True)

    class Meta:
        db_table = "registrations_trace"
        verbose_name = _("anonymous registration")
        verbose_name_plural = _("anonymous registrations")

    def __str__(self) -> str:
        return f"{self.registered_on:%Y-%m-%d}"
