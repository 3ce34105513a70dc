"""Logo and colour of the organisation, on all public pages; the colour in mails too: one row."""

import hashlib
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registrations.models import colours
from registrations.models.picture import Picture

ONLY_ROW = 1
COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Write a colour as # and six digits, for example #9c3a1b."))
RULE = "{{--accent:{0.accent};--on-accent:{0.on_accent};--accent-hover:{0.hover}}}"
TOO_PALE = _("Too little contrast, %(found).1f:1, where 4.5:1 is needed to read it: choose a darker colour.")
TOO_DARK = _("Too little contrast in the dark, %(found).1f:1, where 4.5:1 is needed: choose a lighter colour.")


def is_colour(text: str) -> bool:
    return bool(re.match(COLOUR.regex, text))


class SiteIdentity(models.Model):
    logo = models.ForeignKey(
        Picture, models.SET_NULL, null=True, blank=True, related_name="site_identities", verbose_name=_("logo")
    )
    accent = models.CharField(
        _("colour"),
        max_length=7,
        blank=True,
        validators=[COLOUR],
        help_text=_("Of buttons and dates, for example #9c3a1b. Empty: the site’s own."),
    )
    dark_accent = models.CharField(
        _("colour in the dark"),
        max_length=7,
        blank=True,
        validators=[COLOUR],
        help_text=_("For those whose screen is dark. Empty: a lighter shade of the colour."),
    )

    class Meta:
        verbose_name = _("logo and colour")
        verbose_name_plural = _("logo and colour")
        constraints = [models.CheckConstraint(name="site_identity_is_one_row", condition=Q(pk=ONLY_ROW))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = ONLY_ROW
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Light and dark are checked: on the page, on a button, on a button under the pointer."""
        if is_colour(self.accent) and (low := colours.for_light(self.accent).failures(colours.PAPER)):
            raise ValidationError({"accent": TOO_PALE % {"found": min(low)}})
        if is_colour(self.dark_accent) and (low := colours.for_dark(self.dark_accent).failures(colours.DARK_PAPER)):
            raise ValidationError({"dark_accent": TOO_DARK % {"found": min(low)}})

    @property
    def accents(self) -> colours.Accents:
        return colours.accents(self.accent, self.dark_accent)

    @property
    def stylesheet(self) -> str:
        """It follows site.css, and sets its variables; on paper, site.css stays."""
        if not self.accent:
            return ""
        return (
            f"@media screen{{:root{RULE.format(self.accents.light)}}}\n"
            f"@media screen and (prefers-color-scheme:dark){{:root{RULE.format(self.accents.dark)}}}\n"
        )

    @property
    def stylesheet_digest(self) -> str:
        return hashlib.sha256(self.stylesheet.encode()).hexdigest()[:16] if self.accent else ""
