"""The webinar, and the sections of the study report that goes with it."""

from calendar import monthrange
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.validators import FileExtensionValidator, MaxLengthValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from registrations.models import pdf_file

MARKDOWN_MAX = 20_000  # characters
CHOICE_MAX = 255  # characters


class EventState(StrEnum):
    """What a visitor meets; computed, in this order, from status and dates."""

    DRAFT = "draft"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    NOT_YET_OPEN = "not_yet_open"
    PAST_AND_OPEN = "past_and_open"
    PAST = "past"
    CLOSED = "closed"
    LIVE = "live"
    OPEN = "open"


SIGN_UP_STATES = {EventState.OPEN, EventState.LIVE, EventState.PAST_AND_OPEN}


def validate_timezone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("Choose a time zone such as Europe/Paris."), code="invalid")


def validate_pdf(file: File[bytes]) -> None:
    if not getattr(file, "_committed", False):  # else stored already, and checked then
        pdf_file.validate(file)


def validate_room(url: str) -> None:
    """ROOM_HOSTS names the hosts of rooms, or domains that they belong to; empty: any."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return  # no address at all: the other validator says so
    allowed = settings.ROOM_HOSTS
    if allowed and not any(host == name or host.endswith(f".{name}") for name in allowed):
        words = _("The room must be on one of these sites: %(hosts)s.")
        raise ValidationError(words, code="host", params={"hosts": ", ".join(allowed)})


def validate_lines(text: str) -> None:
    if any(len(line) > CHOICE_MAX for line in non_empty_lines(text)):
        raise ValidationError(_("Each line must be at most 255 characters long."), code="too_long")


def non_empty_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class EventQuerySet(models.QuerySet["Event"]):
    def published(self) -> Self:
        """Everything but drafts: what has a page."""
        return self.exclude(status=Event.Status.DRAFT)

    def to_sign_up(self) -> Self:
        """Shown on the home page as an event one can sign up to: coming, or past and left open."""
        return self.filter(
            Q(ends_at__gt=Now()) | Q(open_after_session=True) | Q(registration_closes_at__gt=Now()),
            status=Event.Status.PUBLISHED,
        )

    def past(self) -> Self:
        return self.published().exclude(status=Event.Status.POSTPONED).filter(ends_at__lte=Now())


class Event(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        POSTPONED = "postponed", _("Postponed")
        CANCELLED = "cancelled", _("Cancelled")

    slug = models.SlugField(_("address of the page"), unique=True, help_text=_("The last part of the page’s address."))
    title = models.CharField(_("title"), max_length=200)
    short_title = models.CharField(_("short title"), max_length=80, help_text=_("For titles of tabs and mails."))
    summary = models.TextField(_("summary"), blank=True, help_text=_("One or two sentences under the title."))
    description = models.TextField(
        _("description"), blank=True, help_text=_("In Markdown."), validators=[MaxLengthValidator(MARKDOWN_MAX)]
    )
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Paris", validators=[validate_timezone])
    connection_url = models.URLField(
        _("link to the room"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https"]), validate_room],
        help_text=_("Never shown before the room opens, never in a mail. It may change until the last second."),
    )
    connection_notes = models.TextField(
        _("notes on the connection"),
        blank=True,
        help_text=_("Shown when the room is open, for example a code."),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    organiser_words = models.TextField(
        _("the organiser’s words"),
        blank=True,
        help_text=_("Shown on the page of a cancelled or postponed event."),
    )
    registration_opens_at = models.DateTimeField(_("registration opens"), null=True, blank=True)
    registration_closes_at = models.DateTimeField(
        _("registration closes"), null=True, blank=True, help_text=_("Empty: at the end of the session.")
    )
    open_after_session = models.BooleanField(
        _("open after the session"),
        default=False,
        help_text=_("Sign-up stays possible afterwards; page and mails then say that the session took place."),
    )
    room_opens_minutes_before = models.PositiveSmallIntegerField(
        _("the room opens (minutes before the start)"), default=15
    )
    room_stays_open_minutes_after = models.PositiveSmallIntegerField(
        _("the room stays open (minutes after the end)"), default=60
    )
    contact_name = models.CharField(_("contact"), max_length=100)
    contact_email = models.EmailField(_("contact’s address"))
    organiser_name = models.CharField(_("organiser"), max_length=100)
    territories = models.TextField(
        _("territories"),
        blank=True,
        validators=[validate_lines],
        help_text=_("Choices of the form, one per line. Empty: not asked."),
    )
    origins = models.TextField(
        _("origins"),
        blank=True,
        validators=[validate_lines],
        help_text=_("“How did you hear of it?”, one per line. Empty: not asked."),
    )
    newsletter_label = models.CharField(
        _("words of the newsletter box"), max_length=200, blank=True, help_text=_("Empty: no box.")
    )
    replay_url = models.URLField(_("link to the recording"), max_length=500, blank=True)
    retention_months = models.PositiveSmallIntegerField(
        _("retention (months)"), default=6, help_text=_("After the session, or after a later sign-up.")
    )
    report_title = models.CharField(_("report: title"), max_length=200, blank=True)
    report_subtitle = models.CharField(_("report: subtitle"), max_length=300, blank=True)
    report_authors = models.TextField(_("report: authors"), blank=True, help_text=_("One per line."))
    report_file = models.FileField(
        _("report: finished PDF"),
        upload_to=pdf_file.random_name,
        blank=True,
        validators=[FileExtensionValidator(["pdf"]), validate_pdf],
        help_text=_("Takes the place of the document typeset from the sections below."),
    )
    sequence = models.PositiveIntegerField(default=0, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                name="event_ends_after_it_starts",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message=_("The end must come after the start."),
            ),
            models.CheckConstraint(
                name="event_registration_closes_after_it_opens",
                condition=Q(registration_opens_at__isnull=True)
                | Q(registration_closes_at__isnull=True)
                | Q(registration_closes_at__gt=F("registration_opens_at")),
                violation_error_message=_("Registration must close after it opens."),
            ),
            models.CheckConstraint(
                name="event_retention_at_most_three_years",
                condition=Q(retention_months__range=(1, 36)),
                violation_error_message=_("Keep the data between 1 and 36 months."),
            ),
        ]

    def __str__(self) -> str:
        return self.short_title

    def get_absolute_url(self) -> str:
        return reverse("event", args=[self.slug])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def state(self) -> EventState:
        return self.state_at(timezone.now())

    def state_at(self, now: datetime) -> EventState:
        if self.status != self.Status.PUBLISHED:
            return EventState(self.status)
        if self.registration_opens_at and now < self.registration_opens_at:
            return EventState.NOT_YET_OPEN
        closed = self.registration_closes_at is not None and now >= self.registration_closes_at
        if now >= self.ends_at:
            still_open = self.open_after_session or (self.registration_closes_at is not None and not closed)
            return EventState.PAST_AND_OPEN if still_open else EventState.PAST
        if closed:
            return EventState.CLOSED
        return EventState.LIVE if now >= self.starts_at else EventState.OPEN

    @property
    def accepts_sign_ups(self) -> bool:
        return self.state in SIGN_UP_STATES

    @property
    def is_over(self) -> bool:
        return timezone.now() >= self.ends_at

    @property
    def has_started(self) -> bool:
        return timezone.now() >= self.starts_at

    @property
    def room_opens_at(self) -> datetime:
        return self.starts_at - timedelta(minutes=self.room_opens_minutes_before)

    @property
    def room_closes_at(self) -> datetime:
        return self.ends_at + timedelta(minutes=self.room_stays_open_minutes_after)

    @property
    def room_is_open(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.room_opens_at <= timezone.now() < self.room_closes_at

    def kept_until(self, registered_at: datetime) -> datetime:
        """When the data of a registration made at that moment is erased at the latest."""
        start = max(self.ends_at, registered_at).astimezone(self.zone)
        years, month = divmod(start.month - 1 + self.retention_months, 12)
        last_day = monthrange(start.year + years, month + 1)[1]
        return start.replace(year=start.year + years, month=month + 1, day=min(start.day, last_day))

    @property
    def territory_choices(self) -> list[str]:
        return non_empty_lines(self.territories)

    @property
    def origin_choices(self) -> list[str]:
        return non_empty_lines(self.origins)

    @cached_property
    def has_report(self) -> bool:
        return bool(self.report_file) or self.report_sections.exists()

    @property
    def report_author_names(self) -> list[str]:
        return non_empty_lines(self.report_authors)


class ReportSection(models.Model):
    """One chapter of the report that is typeset when the organiser has no finished PDF."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="report_sections", verbose_name=_("event"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    heading = models.CharField(_("heading"), max_length=200)
    body = models.TextField(_("text"), help_text=_("In Markdown."), validators=[MaxLengthValidator(MARKDOWN_MAX)])

    class Meta:
        verbose_name = _("report section")
        verbose_name_plural = _("report sections")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.heading
