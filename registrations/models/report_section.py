"""A chapter of the presentation that is typeset as long as the organiser has no finished PDF."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.event_validators import MARKDOWN_MAX
from registrations.models.one_line import OneLineField


class ReportSection(models.Model):
    event = models.ForeignKey(
        "registrations.Event", models.CASCADE, related_name="report_sections", verbose_name=_("event")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    heading = OneLineField(_("heading"), max_length=200)
    body = models.TextField(_("text"), help_text=_("In Markdown."), validators=[MaxLengthValidator(MARKDOWN_MAX)])

    class Meta:
        verbose_name = _("report section")
        verbose_name_plural = _("report sections")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.heading
