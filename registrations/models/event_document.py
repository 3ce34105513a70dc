"""A document of an event besides the study report: a PDF or a link, for whom and from when."""

import hashlib
from datetime import datetime
from typing import Any

from django.core.validators import FileExtensionValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from registrations.models import pdf_file
from registrations.models.dry_run_moment import MOMENT, Moment
from registrations.models.one_line import OneLineField
from registrations.models.texts import HasTexts, english


class EventDocument(HasTexts, models.Model):
    class Audience(models.TextChoices):
        EVERYBODY = "everybody", _("everybody, on the event’s page")
        REGISTRANTS = "registrants", _("people who have a seat")
        AFTERWARDS = "afterwards", _("people who have a seat, after the session")

    event = models.ForeignKey("registrations.Event", models.CASCADE, related_name="documents", verbose_name=_("event"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = OneLineField(_("name"), max_length=150)
    name_en = english(OneLineField, _("name in English"), max_length=150)
    file = models.FileField(
        _("PDF"), upload_to=pdf_file.random_name, blank=True, validators=[FileExtensionValidator(["pdf"])]
    )
    link = models.URLField(
        _("or link"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https"])],
        help_text=_("In place of a file: an address that begins with https."),
    )
    audience = models.CharField(_("for whom"), max_length=12, choices=Audience, default=Audience.REGISTRANTS)
    attached = models.BooleanField(
        _("attached to the mail"),
        default=False,
        help_text=_(
            "The PDF is attached to the confirmation, or to the follow-up mail when it is for after the session."
            " Too large for a mail, it is linked."
        ),
    )
    digest = models.CharField(max_length=64, blank=True, editable=False, db_index=True)  # SHA-256 of the file
    size = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="event_document_is_a_file_or_a_link",
                condition=Q(file="") ^ Q(link=""),
                violation_error_message=_("Give a PDF or a link, one of the two."),
            ),
            models.CheckConstraint(
                name="event_document_attached_is_a_file",
                condition=Q(attached=False) | ~Q(file=""),
                violation_error_message=_("Only a PDF can be attached to a mail."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.file and not getattr(self.file, "_committed", True):  # newly given
            self._note_content()
        elif not self.file:
            self.digest, self.size = "", 0
        super().save(*args, **kwargs)

    def _note_content(self) -> None:
        self.file.seek(0)
        content = self.file.read()
        self.file.seek(0)
        self.digest, self.size = hashlib.sha256(content).hexdigest(), len(content)

    @property
    def is_for_everybody(self) -> bool:
        return self.audience == self.Audience.EVERYBODY

    @property
    def is_for_afterwards(self) -> bool:
        return self.audience == self.Audience.AFTERWARDS

    @property
    def dry_run_query(self) -> str:
        """What a dry run adds to the address of what is for after the session: it looks at it as if it were over."""
        return f"?{MOMENT}={Moment.AFTER}" if self.is_for_afterwards else ""

    @property
    def filename(self) -> str:
        return f"{slugify(self.texts.name) or 'document'}.pdf"

    @property
    def public_address(self) -> str:
        return self.link or reverse("public_document", args=[self.digest])


class HasDocuments:
    """What an event offers besides its study report, the recording included: for Event."""

    documents: Any
    ends_at: datetime
    replay_url: Any
    status: Any

    @cached_property
    def all_documents(self) -> list[EventDocument]:
        """None is asked for when the event was read with `has_documents`, and has none."""
        return list(self.documents.all()) if self.__dict__.get("has_documents", True) else []

    @cached_property
    def has_documents(self) -> bool:
        return bool(self.all_documents)

    @cached_property
    def document_count(self) -> int:
        return len(self.all_documents)

    @property
    def documents_of_registrants(self) -> list[EventDocument]:
        """Those that people who have a seat may open now."""
        is_over = timezone.now() >= self.ends_at
        return [document for document in self.all_documents if is_over or not document.is_for_afterwards]

    @property
    def shows_recording(self) -> bool:
        return bool(self.replay_url) and self.status == "published" and timezone.now() >= self.ends_at
