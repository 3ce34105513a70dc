"""A registration: one person for one event."""

import secrets
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower, Now
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models import person_fields
from registrations.models.event import Event
from registrations.models.event_lock import LocksRows
from registrations.models.one_line import OneLineField
from registrations.models.prepared import Parameter
from registrations.models.search import SearchField, search_terms
from registrations.runtime import pango

LISTS: dict[str, list[str]] = {  # name of the index, and the fields by which a list is filtered
    "registration_by_date": [],
    "registration_by_event": ["event"],
    "registration_by_status": ["status"],
    "registration_by_territory": ["territory"],
    "registration_by_newsletter": ["newsletter"],
    "registration_by_language": ["language"],
}


VERY_MANY = 5000
CORRECTED_WITHIN = timedelta(
    minutes=30
)  # whoever made a sign-up may move it to another address, if its link is unused


def new_code() -> str:
    """An unguessable code of 22 characters, 128 bits."""
    return secrets.token_urlsafe(16)


def new_calendar_uid() -> str:
    """The UID of the first calendar entry (RFC 7986, section 5.3), stored because it outlives a change of domain."""
    return f"inscription-{uuid.uuid4()}@{settings.HOST}"


def matching_ids(words: list[str]) -> RawSQL | None:
    """A subquery of the ids of matching rows, from SQLite's full-text index (models/search_index.py).

    None on PostgreSQL, whose planner chooses the index itself. None also for VERY_MANY matches: reading the table in
    its order then finds the first page sooner.
    """
    if connection.vendor != "sqlite" or not words:
        return None
    match = " AND ".join(f'"{word}"' for word in words)
    numbers = RawSQL("SELECT rowid FROM registrations_search WHERE registrations_search MATCH %s", [match])
    with connection.cursor() as cursor:
        cursor.execute(numbers.sql, numbers.params)
        found = cursor.fetchmany(VERY_MANY)
    return numbers if len(found) < VERY_MANY else None


class RegistrationQuerySet(LocksRows["Registration"]):
    def without_dry_runs(self) -> Self:
        """Without the dry runs of organisers, which are in no list and no figure, and take no seat."""
        return self.filter(is_dry_run=False)

    def of_address(self, email: str | Parameter) -> Self:
        """Of this address, in capitals or not, as the unique index compares it."""
        asked = Value(email) if isinstance(email, str) else email
        return self.alias(email_lower=Lower("email")).filter(email_lower=Lower(asked))

    def seated(self) -> Self:
        """With a seat."""
        return self.filter(status=Registration.Status.CONFIRMED)

    def on_waiting_list(self) -> Self:
        """Those on the waiting list, in its order."""
        return self.filter(status=Registration.Status.WAITLISTED).order_by("waiting_since", "pk")

    def like(self, registration: "Registration") -> Self:
        """The other registrations of its event; for a dry run, the other dry runs."""
        return self.filter(event=registration.event_id, is_dry_run=registration.is_dry_run).exclude(pk=registration.pk)

    def reachable(self) -> Self:
        """Those whose personal links work, with their event. In a draft, only those of dry runs do."""
        return self.select_related("event").exclude(event__status=Event.Status.DRAFT, is_dry_run=False)

    def waiting_positions(self, events: Collection[int]) -> dict[int, int]:
        """Position on the waiting list, by id of the registration: 1 for the first of each of these events."""
        waiting = self.on_waiting_list().filter(event__in=events).values_list("event", "pk")
        standing = Counter[int]()
        places = {}
        for event, pk in waiting:
            standing[event] += 1
            places[pk] = standing[event]
        return places

    def found_by(self, words: str) -> Self:
        """Those whose searched fields contain each of the words, without regard to accents and capitals."""
        wanted = search_terms(words)
        few = matching_ids(wanted)
        return self.filter(pk__in=few) if few else self.containing(wanted)

    def containing(self, words: list[str]) -> Self:
        return self.filter(*(Q(search__contains=word) for word in words))

    def territories(self) -> list[str]:
        """The territories that they have named."""
        named = self.exclude(territory="").order_by("territory")
        return list(named.values_list("territory", flat=True).distinct())

    def not_cancelled(self) -> Self:
        """Not cancelled: those who are told when the event changes."""
        return self.exclude(status=Registration.Status.CANCELLED)

    def certified(self) -> Self:
        """Those who have a certificate: present at a session that took place and has ended."""
        took_place = Q(event__status=Event.Status.PUBLISHED, event__ends_at__lte=Now())
        attended = Q(attendances__isnull=False)
        return self.seated().filter(took_place, attended, certificate_number__isnull=False).distinct()


class Registration(models.Model):
    class Status(models.TextChoices):
        CONFIRMED = "confirmed", pgettext_lazy("registration", "Confirmed")
        WAITLISTED = "waitlisted", pgettext_lazy("registration", "On the waiting list")
        CANCELLED = "cancelled", pgettext_lazy("registration", "Cancelled")

    event = models.ForeignKey(Event, models.PROTECT, related_name="registrations", verbose_name=_("event"))
    first_name = OneLineField(_("first name"), max_length=100)
    last_name = OneLineField(_("last name"), max_length=100)
    email = models.EmailField(_("email address"), max_length=254)
    organisation = OneLineField(_("organisation"), max_length=255)
    job_title = OneLineField(_("job title"), max_length=255)
    territory = OneLineField(_("territory"), max_length=255, blank=True)
    heard_from = OneLineField(_("heard of it by"), max_length=255, blank=True)
    question = models.TextField(_("question"), max_length=1000, blank=True)
    own_answers = models.JSONField(
        _("answers to the event’s own questions"), default=dict, db_default={}, blank=True, editable=False
    )  # by id of the question: a text, a list of choices, "yes" or "no"; a question without an answer has no key
    newsletter = models.BooleanField(_("newsletter"), default=False)
    newsletter_at = models.DateTimeField(_("newsletter: asked for"), null=True, blank=True, editable=False)
    newsletter_words = OneLineField(
        _("newsletter: words that were agreed to"), max_length=200, blank=True, editable=False
    )
    wants_messages = models.BooleanField(
        _("receives the organiser’s messages"), default=True, db_default=True, editable=False
    )
    wants_reminders = models.BooleanField(
        _("receives reminders and the follow-up"), default=True, db_default=True, editable=False
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.CONFIRMED)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="fr")
    uid = models.CharField(max_length=255, unique=True, default=new_calendar_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    join_code = models.CharField(max_length=64, unique=True, default=new_code, editable=False)
    manage_code = models.CharField(max_length=64, unique=True, default=new_code, editable=False)
    created_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True, editable=False)
    erase_by = models.DateTimeField(_("to be erased by"), null=True, blank=True, editable=False)
    figures = models.JSONField(null=True, editable=False)  # of who asked for erasure: what stays, without a name
    new_email = models.EmailField(_("new address, not yet confirmed"), max_length=254, blank=True, editable=False)
    new_email_code = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 - unique
    first_email = models.EmailField(
        _("address of the first calendar entry"), max_length=254, blank=True, default="", db_default="", editable=False
    )  # the mailbox that knows `uid`; empty as long as it is the present one
    is_dry_run = models.BooleanField(_("trial"), default=False, db_default=False, editable=False, db_column="is_trial")
    certificate_number = models.CharField(  # noqa: DJ001 - unique, and only for those who were present
        _("certificate number"), max_length=20, unique=True, null=True, editable=False
    )

    link_was_used = models.BooleanField(default=False, db_default=False, editable=False)  # while it may be corrected
    came = models.BooleanField(default=False, db_default=False, editable=False)  # read by 1.3 only: goes with 1.5
    search = SearchField(of=person_fields.names(lambda one: one.is_searched))

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ["-created_at"]
        permissions = [("export_registration", _("Can take registrations out of the site"))]
        constraints = [
            models.UniqueConstraint(
                "event",
                Lower("email"),
                "is_dry_run",
                name="registration_is_unique_per_event_and_address",
                violation_error_message=_("This address is already registered for this event."),
            ),
            models.CheckConstraint(
                name="registration_waiting_since_is_known_for_who_waits",
                condition=Q(waiting_since__isnull=False) | ~Q(status="waitlisted"),
            ),
        ]
        indexes = [
            models.Index(fields=["event", "status", "waiting_since", "is_dry_run"], name="registration_line"),
            models.Index(fields=["event", "status", "created_at", "is_dry_run"], name="registration_sign_ups"),
            models.Index(
                fields=["event", "status", "territory", "newsletter", "language", "is_dry_run"],
                name="registration_counts",
            ),
            models.Index(fields=["erase_by"], name="registration_to_erase", condition=Q(erase_by__isnull=False)),
            models.Index(fields=["event"], name="registration_trials", condition=Q(is_dry_run=True)),
            models.Index(fields=["event", "status"], name="registration_questions", condition=~Q(question="")),
            *(
                models.Index(fields=[*fields, "created_at", "id", "is_dry_run"], name=name)
                for name, fields in LISTS.items()
            ),
            models.Index(fields=["last_name", "first_name"], name="registration_by_name"),
            models.Index(fields=["event", "last_name", "first_name"], name="registration_by_event_name"),
        ]

    def __str__(self) -> str:
        return f"{self.last_name} {self.first_name}"

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Check the unique address even in a form without `is_dry_run`, for which Django would skip it."""
        super().validate_constraints(exclude=set(exclude or ()) - {"is_dry_run"})

    def preview_as_published(self) -> None:
        """For a dry run of a draft, treat the event as published, in memory only."""
        if self.is_dry_run and self.event.status == Event.Status.DRAFT:
            self.event.status = Event.Status.PUBLISHED

    @property
    def is_seated(self) -> bool:
        return self.status == self.Status.CONFIRMED

    @property
    def is_waiting(self) -> bool:
        return self.status == self.Status.WAITLISTED

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @cached_property
    def attended(self) -> bool:
        return self.attendances.exists()

    @property
    def has_certificate(self) -> bool:
        return Registration.objects.without_dry_runs().certified().filter(pk=self.pk).exists()

    @property
    def offers_certificate(self) -> bool:
        """Whether pages and mails may offer the certificate, which is typeset on request."""
        return pango.is_installed() and self.has_certificate

    @property
    def kept_until(self) -> datetime:
        """When this row is erased at the latest, and its links stop working."""
        if self.cancelled_at:
            return self.event.cancelled_kept_until(self.cancelled_at)
        return self.event.kept_until(self.created_at)

    @property
    def waiting_position(self) -> int:
        """Position on the waiting list: 1 for the first."""
        ahead = Q(waiting_since__lt=self.waiting_since) | Q(waiting_since=self.waiting_since, pk__lt=self.pk)
        return (
            Registration.objects.without_dry_runs()
            .filter(ahead, event=self.event_id, status=self.Status.WAITLISTED)
            .count()
            + 1
        )

    def answer(self, typed: Mapping[str, Any]) -> None:
        """Merge answers to the event's own questions, by key; None removes an answer."""
        answers = {**self.own_answers, **typed}
        self.own_answers = {key: answer for key, answer in answers.items() if answer is not None}

    def note_use_of_link(self) -> None:
        """One of its links was opened: from now on, only who has a link moves it. Written once, while that matters."""
        if not self.link_was_used and timezone.now() - self.created_at < CORRECTED_WITHIN:
            Registration.objects.filter(pk=self.pk).update(link_was_used=True)

    def renew_codes(self) -> None:
        """Make all links sent so far invalid."""
        self.join_code, self.manage_code = new_code(), new_code()

    def calendar_uid(self, mailbox: str) -> str:
        """UID of the entry in the calendar of this mailbox, the same for ever.

        Two mailboxes never share one: two accounts in one client would delete each other's entry.
        """
        if not self.first_email or mailbox.lower() == self.first_email.lower():
            return self.uid
        own = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.uid} {mailbox.lower()}")
        return f"inscription-{own}@{self.uid.rpartition('@')[2]}"

    @property
    def calendar_sequence(self) -> int:
        """SEQUENCE of the calendar entry (RFC 5545, section 3.8.7.4). Neither part ever decreases."""
        return self.event.sequence + self.sequence

    @property
    def join_url(self) -> str:
        return self._personal_url("join", self.join_code)

    @property
    def report_url(self) -> str:
        return self._personal_url("report", self.join_code)

    def document_url(self, document: Any) -> str:
        """Of a PDF or a link of the event."""
        if document.link:
            return str(document.link)
        address = self._personal_url("registrant_document", self.join_code, document.pk)
        return address + document.dry_run_query if self.is_dry_run and self.join_code else address

    @property
    def manage_url(self) -> str:
        return self._personal_url("manage", self.manage_code)

    @property
    def not_me_url(self) -> str:
        return self._personal_url("not_me", self.manage_code)

    @property
    def stop_messages_url(self) -> str:
        return self._personal_url("stop_messages", self.manage_code)

    @property
    def new_address_url(self) -> str:
        return self._personal_url("confirm_address", self.new_email_code or "")

    @property
    def public_url(self) -> str:
        """Address of the event's page, which people may pass on."""
        with translation.override(self.language):
            return settings.BASE_URL + self.event.get_absolute_url()

    def _personal_url(self, name: str, code: str, *more: Any) -> str:
        """An absolute address on BASE_URL (never the Host header), in the registrant's language.

        Without a code, as in a preview, the address of the event's page.
        """
        if not code:
            return self.public_url
        with translation.override(self.language):
            return settings.BASE_URL + reverse(name, args=[code, *more])
