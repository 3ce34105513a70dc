"""With whom an event is organised."""

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.one_line import OneLineField
from registrations.models.picture import Picture


class Partner(models.Model):
    event = models.ForeignKey("registrations.Event", models.CASCADE, related_name="partners", verbose_name=_("event"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = OneLineField(_("name"), max_length=100)
    link = models.URLField(_("link"), max_length=500, blank=True, validators=[URLValidator(schemes=["https", "http"])])
    logo = models.ForeignKey(
        Picture, models.SET_NULL, null=True, blank=True, related_name="partners", verbose_name=_("logo")
    )

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name
