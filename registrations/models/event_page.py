"""What the page of an event says besides its texts and dates."""

import secrets
from collections.abc import Iterable
from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from registrations.models.event_document import EventDocument
from registrations.models.one_line import OneLineField
from registrations.models.partner import Partner
from registrations.models.picture import Picture
from registrations.models.programme import ProgrammeItem
from registrations.models.speaker import Appearance, Speaker
from registrations.models.texts import HasTexts, english

LANGUAGES = {  # ISO 639-1; the names in the active language are Django's own
    code: gettext_lazy(name)
    for code, name in [
        ("fr", "French"),
        ("en", "English"),
        ("de", "German"),
        ("ar", "Arabic"),
        ("es", "Spanish"),
        ("it", "Italian"),
        ("nl", "Dutch"),
        ("pl", "Polish"),
        ("pt", "Portuguese"),
        ("ro", "Romanian"),
        ("tr", "Turkish"),
        ("uk", "Ukrainian"),
    ]
}


def new_revision() -> str:
    return secrets.token_urlsafe(8)


class EventPage(HasTexts, models.Model):
    """`revision` changes with this row and with all rows that the page shows besides: the page cache asks for it."""

    event = models.OneToOneField("registrations.Event", models.CASCADE, related_name="page", verbose_name=_("event"))
    audience = models.TextField(
        _("for whom"), blank=True, validators=[MaxLengthValidator(1000)], help_text=_("Whom the webinar is meant for.")
    )
    audience_en = english(models.TextField, _("for whom, in English"), validators=[MaxLengthValidator(1000)])
    language = models.CharField(
        _("language of the session"),
        max_length=5,
        blank=True,
        choices=[*LANGUAGES.items()],
        help_text=_("Empty: not said."),
    )
    subtitles = models.BooleanField(_("live subtitles"), default=False)
    sign_language = models.BooleanField(_("interpretation in French sign language"), default=False)
    telephone = models.BooleanField(
        _("by telephone"), default=False, help_text=_("A telephone number is given with the link.")
    )
    accessibility = OneLineField(
        _("more on accessibility"), max_length=300, blank=True, help_text=_("For example: documents in large print.")
    )
    accessibility_en = english(OneLineField, _("more on accessibility, in English"), max_length=300)
    picture = models.ForeignKey(
        Picture, models.SET_NULL, null=True, blank=True, related_name="event_pages", verbose_name=_("picture")
    )
    picture_description = OneLineField(
        _("description of the picture"),
        max_length=200,
        blank=True,
        help_text=_("For those who do not see it. Empty: it only decorates."),
    )
    picture_description_en = english(OneLineField, _("description of the picture, in English"), max_length=200)
    revision = models.CharField(max_length=16, default=new_revision, editable=False)

    class Meta:
        verbose_name = _("facts on the page")
        verbose_name_plural = _("facts on the page")

    def __str__(self) -> str:
        return str(self.event)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.revision = new_revision()
        super().save(*args, **kwargs)

    @property
    def language_name(self) -> str:
        return capfirst(str(LANGUAGES.get(self.language, "")))

    @property
    def ways(self) -> str:
        """How more people can follow, in the active language; the telephone and the organiser's own words apart."""
        ways = [
            self.subtitles and gettext("live subtitles"),
            self.sign_language and gettext("interpretation in French sign language"),
        ]
        return gettext("; ").join(way for way in ways if way)

    @property
    def has_conditions(self) -> bool:
        return bool(self.language or self.ways or self.accessibility or self.telephone)


def touch(event_ids: Iterable[int], *, make: bool = False) -> None:
    """Give the pages of these events another revision. `make`: for an event that has no such row yet, too."""
    for event_id in event_ids:
        changed = EventPage.objects.filter(event_id=event_id).update(revision=new_revision())
        if make and not changed:
            EventPage.objects.get_or_create(event_id=event_id)


@receiver(post_save, sender=Appearance)
@receiver(post_save, sender=ProgrammeItem)
@receiver(post_save, sender=Partner)
@receiver(post_save, sender=EventDocument)
def part_saved(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    touch([instance.event_id], make=not raw)


@receiver(post_delete, sender=Appearance)
@receiver(post_delete, sender=ProgrammeItem)
@receiver(post_delete, sender=Partner)
@receiver(post_delete, sender=EventDocument)
def part_deleted(instance: Any, **kwargs: Any) -> None:
    touch([instance.event_id])


@receiver(post_save, sender=Speaker)
def speaker_saved(instance: Speaker, **kwargs: Any) -> None:
    touch(instance.appearances.values_list("event_id", flat=True))
