"""The webinar."""

from collections.abc import Hashable
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.core.validators import FileExtensionValidator, MaxLengthValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from registrations.models import pdf_file
from registrations.models.event_document import EventDocument, HasDocuments
from registrations.models.event_lock import LocksEvents
from registrations.models.event_parts import EventParts
from registrations.models.event_state import EventState
from registrations.models.event_validators import (  # old migrations import them from here
    MARKDOWN_MAX,
    non_empty_lines,
    validate_lines,
    validate_room,
    validate_timezone,
)
from registrations.models.one_line import OneLineField
from registrations.models.report_section import ReportSection
from registrations.models.retention import HasRetention
from registrations.models.texts import EventTexts
from registrations.runtime import pango

ROOM_WANTED_BEFORE = timedelta(hours=24)  # the opening of the room


class EventQuerySet(LocksEvents["Event"]):
    def published(self) -> Self:
        """Everything but drafts: what has a page."""
        return self.exclude(status=Event.Status.DRAFT)

    def annotate_has_report(self) -> Self:
        """Annotated with `has_report` and `has_documents`, so that pages and mails need no second query."""
        sections = ReportSection.objects.filter(event=OuterRef("pk"))
        documents = Exists(EventDocument.objects.filter(event=OuterRef("pk")))
        return self.annotate(has_report=Q(Exists(sections) | ~Q(report_file="")), has_documents=documents)

    def to_come(self) -> Self:
        """Not over yet, the nearest first."""
        return self.filter(ends_at__gt=Now(), status=Event.Status.PUBLISHED).order_by("starts_at")

    def annotate_page_revision(self) -> Self:
        """Annotated with `page_revision`, by which the page cache knows that what a page shows has changed."""
        return self.annotate(page_revision=F("page__revision"))

    def to_sign_up(self) -> Self:
        """To come, or past and left open."""
        return self.filter(
            Q(ends_at__gt=Now()) | Q(open_after_session=True) | Q(registration_closes_at__gt=Now()),
            status=Event.Status.PUBLISHED,
        )

    def nearest_first(self) -> Self:
        """Those to come, the soonest first; then those that are over, the latest first."""
        to_come = Case(When(ends_at__gt=Now(), then=F("starts_at")))
        return self.order_by(to_come.asc(nulls_last=True), "-starts_at")

    def past(self) -> Self:
        return self.published().exclude(status=Event.Status.POSTPONED).filter(ends_at__lte=Now())


class Event(HasRetention, HasDocuments, EventTexts):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        POSTPONED = "postponed", _("Postponed")
        CANCELLED = "cancelled", _("Cancelled")

    slug = models.SlugField(_("address of the page"), unique=True, help_text=_("The last part of the page’s address."))
    title = OneLineField(_("title"), max_length=200)
    short_title = OneLineField(_("short title"), max_length=80, help_text=_("For titles of tabs and mails."))
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
        help_text=_("Shown on the page of a cancelled or postponed event, and in the mail that tells of the change."),
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
    capacity = models.PositiveIntegerField(
        _("seats"), null=True, blank=True, validators=[MinValueValidator(1)], help_text=_("Empty: no limit.")
    )
    waiting_list = models.BooleanField(
        _("waiting list"),
        default=True,
        help_text=_("When all seats are taken, people wait in line and get the seats that become free."),
    )
    room_opens_minutes_before = models.PositiveSmallIntegerField(
        _("the room opens (minutes before the start)"), default=15
    )
    room_stays_open_minutes_after = models.PositiveSmallIntegerField(
        _("the room stays open (minutes after the end)"), default=60
    )
    contact_name = OneLineField(_("contact"), max_length=100, blank=True)
    contact_email = models.EmailField(_("contact’s address"), blank=True, help_text=_("Answers to mails go there."))
    organiser_name = OneLineField(_("organiser"), max_length=100)
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
    newsletter_label = OneLineField(
        _("words of the newsletter box"), max_length=200, blank=True, help_text=_("Empty: no box.")
    )
    replay_url = models.URLField(_("link to the recording"), max_length=500, blank=True)
    reminder_days_before = models.PositiveSmallIntegerField(
        _("first reminder: days before"), default=1, help_text=_("1: the day before.")
    )
    reminder_day_time = models.TimeField(
        _("first reminder: hour"),
        null=True,
        blank=True,
        default=time(9),
        help_text=_("In the event’s time zone. Empty: no such reminder."),
    )
    reminder_minutes_before = models.PositiveSmallIntegerField(
        _("last reminder: minutes before the start"),
        null=True,
        blank=True,
        default=60,
        validators=[MinValueValidator(5)],
        help_text=_("It holds little more than the link. Empty: no such reminder."),
    )
    follow_up_hours_after = models.PositiveSmallIntegerField(
        _("follow-up mail: hours after the end"),
        null=True,
        blank=True,
        help_text=_("Empty: no such mail. Note before that hour who came: those who did not are sent other words."),
    )
    follow_up_present = models.TextField(
        _("words to those who came"), blank=True, help_text=_("Empty: a short thank-you.")
    )
    follow_up_absent = models.TextField(
        _("words to those who did not come"),
        blank=True,
        help_text=_("Empty: a short sentence that leads to the documents."),
    )
    retention_months = models.PositiveSmallIntegerField(
        _("retention (months)"), default=6, help_text=_("After the session, or after a later sign-up.")
    )
    report_title = OneLineField(_("report: title"), max_length=200, blank=True)
    report_subtitle = OneLineField(_("report: subtitle"), max_length=300, blank=True)
    report_authors = models.TextField(_("report: authors"), blank=True, help_text=_("One per line."))
    report_file = models.FileField(
        _("report: finished PDF"),
        upload_to=pdf_file.random_name,
        blank=True,
        validators=[FileExtensionValidator(["pdf"])],
        help_text=_("Takes the place of the document typeset from the sections below."),
    )
    sequence = models.PositiveIntegerField(default=0, editable=False)
    former_starts_at = models.DateTimeField(null=True, editable=False)  # before the last move that people were told of
    former_ends_at = models.DateTimeField(null=True, editable=False)

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
                name="event_has_a_contact_unless_it_is_a_draft",
                condition=Q(status="draft") | ~(Q(contact_name="") | Q(contact_email="")),
                violation_error_message=_("A published event needs a contact and their address."),
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
        if now >= self.starts_at:
            return EventState.LIVE
        return EventState.OPEN if self.has_free_seat else EventState.FULL

    @property
    def accepts_sign_ups(self) -> bool:
        """Whether the form is shown: for a seat, for the waiting list, or for the documents after the session."""
        match self.state:
            case EventState.OPEN | EventState.PAST_AND_OPEN:
                return True
            case EventState.LIVE:
                return self.has_free_seat
            case EventState.FULL:
                return self.waiting_list
        return False

    @property
    def offers_calendar_file(self) -> bool:
        """Until the end of the session; the page says that the invitation of a sign-up makes this entry."""
        return self.status == self.Status.PUBLISHED and not self.is_over

    def seen_at(self, now: datetime) -> tuple[Hashable, ...]:
        """Everything that pages of this event show at that moment: two equal values mean two equal pages.

        Its columns, and what depends on the clock and on other tables.
        """
        columns = (getattr(self, field.attname) for field in self._meta.concrete_fields)
        clock = (self.state_at(now), now >= self.starts_at, now >= self.ends_at)
        return (*columns, *clock, self.has_free_seat, self.offers_report, self.page_revision)

    @cached_property
    def page_revision(self) -> str | None:
        return type(self).objects.filter(pk=self.pk).values_list("page__revision", flat=True).first()

    @cached_property
    def parts(self) -> EventParts:
        """Speakers, programme, partners and other facts of its page."""
        return EventParts(self)

    @property
    def has_links_to_send(self) -> bool:
        """Whether there may be registrants who look for their link."""
        return self.status in {self.Status.PUBLISHED, self.Status.POSTPONED} and self.state != EventState.NOT_YET_OPEN

    @cached_property
    def seats_taken(self) -> int:
        return self.registrations.without_dry_runs().seated().count()

    @property
    def has_free_seat(self) -> bool:
        return self.capacity is None or self.seats_taken < self.capacity

    @property
    def is_today(self) -> bool:
        """Whether it takes place today, in its own time zone, and is not over."""
        today = timezone.now().astimezone(self.zone).date()
        return self.start_date <= today and not self.is_over

    @property
    def start_date(self) -> date:
        return self.starts_at.astimezone(self.zone).date()

    @property
    def reminder_day_at(self) -> datetime | None:
        if self.reminder_day_time is None:
            return None
        day = self.start_date - timedelta(days=self.reminder_days_before)
        return datetime.combine(day, self.reminder_day_time, self.zone).astimezone(UTC)

    @property
    def reminder_hour_at(self) -> datetime | None:
        minutes = self.reminder_minutes_before
        return None if minutes is None else self.starts_at - timedelta(minutes=minutes)

    @property
    def follow_up_at(self) -> datetime | None:
        hours = self.follow_up_hours_after
        return None if hours is None else self.ends_at + timedelta(hours=hours)

    @property
    def may_be_tried(self) -> bool:
        """Whether an organiser may make a dry run: sign up as a registrant will, and get mails to answer."""
        return self.status in {self.Status.DRAFT, self.Status.PUBLISHED} and bool(self.contact_email)

    @property
    def is_over(self) -> bool:
        return timezone.now() >= self.ends_at

    @property
    def has_started(self) -> bool:
        return timezone.now() >= self.starts_at

    @property
    def is_prepared(self) -> bool:
        """Whether one can still ask for what one needs to follow it."""
        return self.status == self.Status.PUBLISHED and not self.has_started

    @property
    def room_opens_at(self) -> datetime:
        return self.starts_at - timedelta(minutes=self.room_opens_minutes_before)

    @property
    def room_closes_at(self) -> datetime:
        return self.ends_at + timedelta(minutes=self.room_stays_open_minutes_after)

    @property
    def room_is_open(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.room_opens_at <= timezone.now() < self.room_closes_at

    @property
    def lacks_its_room(self) -> bool:
        """Whether it takes place soon and nobody could join, because the link to the room is not set."""
        soon = timezone.now() >= self.room_opens_at - ROOM_WANTED_BEFORE
        return self.status == self.Status.PUBLISHED and not self.connection_url and soon and not self.is_over

    @property
    def territory_choices(self) -> list[str]:
        return non_empty_lines(self.territories)

    @cached_property
    def own_question_count(self) -> int:
        return self.own_questions.count()

    @cached_property
    def has_report(self) -> bool:
        return bool(self.report_file) or self.report_sections.exists()

    @property
    def offers_report(self) -> bool:
        """Whether pages and mails may promise it: one that still has to be typeset needs Pango."""
        return self.has_report and (bool(self.report_file) or pango.is_installed())

    @property
    def offers_documents(self) -> bool:
        """Whether there is anything to download or watch after the session."""
        return self.offers_report or bool(self.replay_url) or self.has_documents

    @property
    def report_author_names(self) -> list[str]:
        return non_empty_lines(self.report_authors)
