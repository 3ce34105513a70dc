"""What happens at which hour of the session."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.one_line import OneLineField
from registrations.models.texts import HasTexts, english


class ProgrammeItem(HasTexts, models.Model):
    event = models.ForeignKey("registrations.Event", models.CASCADE, related_name="programme", verbose_name=_("event"))
    starts_at = models.TimeField(_("hour"), help_text=_("In the event’s time zone."))
    title = OneLineField(_("title"), max_length=200)
    title_en = english(OneLineField, _("title in English"), max_length=200)
    speakers = OneLineField(_("with whom"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("part of the programme")
        verbose_name_plural = _("programme")
        ordering = ["starts_at", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def moment(self) -> datetime:
        """On the day of the event, in its zone; after midnight, on the next day."""
        start = self.event.starts_at.astimezone(self.event.zone)
        moment = datetime.combine(start.date(), self.starts_at, start.tzinfo)
        later = datetime.combine(self.event.ends_at.astimezone(self.event.zone).date(), self.starts_at, start.tzinfo)
        return moment if moment >= start else later

    @property
    def is_within_the_session(self) -> bool:
        return self.event.starts_at <= self.moment < self.event.ends_at
