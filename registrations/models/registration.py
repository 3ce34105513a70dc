"""One person on the list of one event."""

import secrets
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models.event import Event


def new_code() -> str:
    """An unguessable code of 22 characters, 128 bits."""
    return secrets.token_urlsafe(16)


def new_calendar_uid() -> str:
    """The UID of the calendar entry (RFC 7986, section 5.3), stored because it must outlive a change of domain."""
    return f"inscription-{uuid.uuid4()}@{settings.HOST}"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def of_address(self, email: str) -> Self:
        """Addresses are compared without regard to case; the unique index does the same."""
        return self.alias(email_lower=Lower("email")).filter(email_lower=email.lower())


class Registration(models.Model):
    class Status(models.TextChoices):
        CONFIRMED = "confirmed", pgettext_lazy("registration", "Confirmed")
        WAITLISTED = "waitlisted", pgettext_lazy("registration", "On the waiting list")
        CANCELLED = "cancelled", pgettext_lazy("registration", "Cancelled")

    event = models.ForeignKey(Event, models.PROTECT, related_name="registrations", verbose_name=_("event"))
    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    email = models.EmailField(_("email address"), max_length=254)
    organisation = models.CharField(_("organisation"), max_length=255)
    job_title = models.CharField(_("job title"), max_length=255)
    territory = models.CharField(_("territory"), max_length=255, blank=True)
    heard_from = models.CharField(_("heard of it by"), max_length=255, blank=True)
    question = models.TextField(_("question"), max_length=1000, blank=True)
    newsletter = models.BooleanField(_("newsletter"), default=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.CONFIRMED)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="fr")
    uid = models.CharField(max_length=255, unique=True, default=new_calendar_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    join_code = models.CharField(max_length=64, unique=True, default=new_code, editable=False)
    manage_code = models.CharField(max_length=64, unique=True, default=new_code, editable=False)
    created_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                "event",
                Lower("email"),
                name="registration_is_unique_per_event_and_address",
                violation_error_message=_("This address is already registered for this event."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.last_name} {self.first_name}"

    @property
    def calendar_sequence(self) -> int:
        """SEQUENCE of the calendar entry (RFC 5545, section 3.8.7.4): its two parts never decrease."""
        return self.event.sequence + self.sequence

    @property
    def join_url(self) -> str:
        return self._personal_url("join", self.join_code)

    @property
    def report_url(self) -> str:
        return self._personal_url("report", self.join_code)

    @property
    def manage_url(self) -> str:
        return self._personal_url("manage", self.manage_code)

    def _personal_url(self, name: str, code: str) -> str:
        """Absolute, on BASE_URL and never on the Host header, in the registrant's language."""
        with translation.override(self.language):
            return settings.BASE_URL + reverse(name, args=[code])
