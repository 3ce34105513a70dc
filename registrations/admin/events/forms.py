"""The form of an event."""

from datetime import datetime, time
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from registrations.admin.shared.fields import EndField, EndWidget, MarkdownInput, StartWidget, end_at
from registrations.documents import uploaded_pdf
from registrations.documents.uploaded_pdf import CleanedPDF
from registrations.domain import slugs
from registrations.models import Event
from registrations.models.event_validators import non_empty_lines
from registrations.models.texts import SUFFIX
from registrations.text import time_zones

SHORT_TITLE_MAX = 80
DERIVED = {"short_title", "slug"}  # made from title and date where they are empty
CONTACT = {"contact_name", "contact_email"}
IN_MARKDOWN = [
    f"{name}{suffix}" for name in ("description", "follow_up_present", "follow_up_absent") for suffix in ("", SUFFIX)
]
MOMENTS = {"starts_at", "ends_at", "registration_opens_at", "registration_closes_at"}


class TimeZoneSelect(forms.Select):
    """Each choice with the words that name it beside the hours, for the script event.js."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        return {**option, "attrs": {**option["attrs"], "data-spoken": capfirst(time_zones.spoken(str(value)))}}


class EventForm(forms.ModelForm[Event]):
    """Hours are read and shown in the active time zone, which the page sets to that of the event (`zone_of`).

    Title and date make a draft: short title and address are made from the title where they are empty.
    """

    report_notes: tuple[str, ...] = ()

    class Meta:
        widgets: ClassVar[dict[str, Any]] = {
            "title": forms.Textarea({"rows": 2}),
            "starts_at": StartWidget,
            "ends_at": EndWidget,
            "title_en": forms.Textarea({"rows": 2}),
            **dict.fromkeys(IN_MARKDOWN, MarkdownInput),
        }
        field_classes: ClassVar[dict[str, Any]] = {"ends_at": EndField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in DERIVED & self.fields.keys():
            self.fields[name].required = False
        if "ends_at" in self.fields:
            self.fields["ends_at"].widget.start = self.instance.starts_at
        zone = timezone.get_current_timezone_name()
        for name in MOMENTS & self.fields.keys():
            field = self.fields[name]
            field.help_text = format_html(
                "{} <span data-zone>{}</span>.", field.help_text, capfirst(time_zones.spoken(zone))
            )
        if "timezone" in self.fields:
            self.fields["timezone"].widget = TimeZoneSelect(choices=time_zones.choices(zone))
            self.fields["timezone"].help_text = _("The hours of this page are read and told in it.")

    @cached_property
    def changed_data(self) -> list[str]:
        """Without the moments that only look otherwise: the end with and without its day."""
        changed = forms.ModelForm.changed_data.func(self)  # type: ignore[attr-defined]
        typed = getattr(self, "cleaned_data", {})
        return [name for name in changed if name not in MOMENTS or self.initial.get(name) != typed.get(name)]

    def clean_slug(self) -> str:
        """An address that is emptied stays as it was."""
        return str(self.cleaned_data["slug"] or self.instance.slug)

    def clean_short_title(self) -> str:
        short_title, title = self.cleaned_data["short_title"], self.cleaned_data.get("title", "")
        return short_title or Truncator(title).chars(SHORT_TITLE_MAX)

    def clean_short_title_en(self) -> str:
        short_title, title = self.cleaned_data["short_title_en"], self.cleaned_data.get("title_en", "")
        return short_title or (Truncator(title).chars(SHORT_TITLE_MAX) if title else "")

    def clean_origins_en(self) -> str:
        lines = self.cleaned_data["origins_en"]
        if lines and len(non_empty_lines(lines)) != len(non_empty_lines(self.cleaned_data.get("origins", ""))):
            raise ValidationError(_("Write as many lines as in French, in the same order."))
        return str(lines)

    def clean_ends_at(self) -> datetime | None:
        """An hour alone is one of the day of the start."""
        start = self.cleaned_data.get("starts_at")
        end = end_at(self.cleaned_data["ends_at"], start)
        if start and end and end <= start:
            raise ValidationError(_("The end must come after the start."))
        return end

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if "slug" in self.fields and not typed.get("slug") and typed.get("title") and typed.get("starts_at"):
            typed["slug"] = slugs.for_title(typed["title"], timezone.localtime(typed["starts_at"]).year)
        return typed

    def _post_clean(self) -> None:
        """What is missing is asked before publishing, and not before a draft is saved."""
        if self.cleaned_data.get("status", self.instance.status) != Event.Status.DRAFT:
            for name in CONTACT & self.fields.keys():
                if not self.cleaned_data.get(name) and name not in self.errors:
                    self.add_error(name, _("Needed before the event is published."))
        super()._post_clean()  # type: ignore[misc]

    def clean_report_file(self) -> Any:
        """The uploaded PDF without what can act; what was taken out is in `report_notes`."""
        file = self.cleaned_data["report_file"]
        if not isinstance(file, UploadedFile):  # the stored one, or none
            return file
        outcome = examined(file)
        if isinstance(outcome, ValidationError):
            raise outcome
        self.report_notes = outcome.notes
        return outcome.file


def examined(upload: Any) -> CleanedPDF | ValidationError:
    """Kept on the upload, so that it can be asked for before the event is locked: it may take seconds."""
    if not hasattr(upload, "examined"):
        try:
            upload.examined = uploaded_pdf.cleaned(upload)
        except ValidationError as refusal:
            upload.examined = refusal
    outcome: CleanedPDF | ValidationError = upload.examined
    return outcome


def zone_of(request: HttpRequest, event: Event | None) -> str:
    """The zone in which the hours of the event's form are typed: the one chosen beside them, if there is one."""
    stored = event.timezone if event else settings.TIME_ZONE
    typed = request.POST.get("timezone", stored)
    return typed if typed == stored or typed in available_timezones() else stored


def defaults() -> dict[str, Any]:
    """For a new event: organiser and contact of the last one, else those of the site, and hours to start from."""
    last = Event.objects.order_by("-pk").first()
    return {
        "organiser_name": last.organiser_name if last else settings.LEGAL_NAME,
        "contact_name": last.contact_name if last else "",
        "contact_email": last.contact_email if last else settings.LEGAL_CONTACT,
        "starts_at": [None, time(14)],
        "ends_at": [None, time(15, 30)],
    }
