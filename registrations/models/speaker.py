"""Who speaks: a person of the desk's address book, and that person's place at an event."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from registrations.models.one_line import OneLineField
from registrations.models.picture import Picture
from registrations.models.texts import HasTexts, english

BIO_MAX = 400  # two or three lines on the page


class Speaker(HasTexts, models.Model):
    """One person, whom several events may name. A correction shows on the pages of all of them."""

    name = OneLineField(_("name"), max_length=100)
    role = OneLineField(_("role"), max_length=150, blank=True, help_text=_("For example: social mediator."))
    organisation = OneLineField(_("organisation"), max_length=150, blank=True)
    bio = models.TextField(
        _("a few words"), blank=True, validators=[MaxLengthValidator(BIO_MAX)], help_text=_("Two lines are enough.")
    )
    picture = models.ForeignKey(
        Picture, models.SET_NULL, null=True, blank=True, related_name="speakers", verbose_name=_("picture")
    )
    picture_description = OneLineField(
        _("description of the picture"),
        max_length=200,
        blank=True,
        help_text=_("For those who do not see it: who is in the picture, and how the person looks."),
    )
    role_en = english(OneLineField, _("role, in English"), max_length=150)
    bio_en = english(models.TextField, _("a few words, in English"), validators=[MaxLengthValidator(BIO_MAX)])
    picture_description_en = english(OneLineField, _("description of the picture, in English"), max_length=200)

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.organisation})" if self.organisation else self.name

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()


class Appearance(models.Model):
    event = models.ForeignKey(
        "registrations.Event", models.CASCADE, related_name="appearances", verbose_name=_("event")
    )
    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="appearances", verbose_name=_("speaker"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("speaker of the event")
        verbose_name_plural = _("speakers of the event")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "speaker"],
                name="speaker_appears_once_at_an_event",
                violation_error_message=_("This person is on the list already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.speaker)
