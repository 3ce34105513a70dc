"""The form of an event."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from registrations.documents import uploaded_pdf
from registrations.documents.uploaded_pdf import CleanedPDF
from registrations.models import Event
from registrations.text import time_zones

MOMENTS = {"starts_at", "ends_at", "registration_opens_at", "registration_closes_at"}


class TimeZoneSelect(forms.Select):
    """Each choice with the words that name it beside the hours, for the script event.js."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        return {**option, "attrs": {**option["attrs"], "data-spoken": capfirst(time_zones.spoken(str(value)))}}


class EventForm(forms.ModelForm[Event]):
    """Hours are read and shown in the active time zone, which the page sets to that of the event (`zone_of`)."""

    report_notes: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        for name in MOMENTS & self.fields.keys():
            field = self.fields[name]
            field.help_text = format_html(
                "{} <span data-zone>{}</span>.", field.help_text, capfirst(time_zones.spoken(zone))
            )
        if "timezone" in self.fields:
            self.fields["timezone"].widget = TimeZoneSelect(choices=time_zones.choices(zone))
            self.fields["timezone"].help_text = _("The hours of this page are read and told in it.")

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
