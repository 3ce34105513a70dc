"""An organiser's own words in an automatic mail of one event; an empty field leaves the words of the site."""

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event
from registrations.models.mail_kinds import Kind
from registrations.models.one_line import OneLineField

WORDS = ["subject", "opening", "closing"]
TEXT_MAX = 4000  # characters


class MailText(models.Model):
    event = models.ForeignKey(Event, models.CASCADE, related_name="mail_texts", verbose_name=_("event"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    subject = OneLineField(_("subject"), max_length=90, blank=True)
    opening = models.TextField(_("opening"), blank=True, validators=[MaxLengthValidator(TEXT_MAX)])
    closing = models.TextField(_("closing"), blank=True, validators=[MaxLengthValidator(TEXT_MAX)])

    class Meta:
        verbose_name = _("own words of a mail")
        verbose_name_plural = _("own words of mails")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["event", "kind", "language"], name="mail_text_is_unique_per_event_kind_and_language"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.language})"

    @property
    def has_words(self) -> bool:
        return any(getattr(self, name) for name in WORDS)
