"""The form of an event."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from registrations.documents import uploaded_pdf
from registrations.documents.uploaded_pdf import CleanedPDF
from registrations.models import Event


class EventForm(forms.ModelForm[Event]):
    report_notes: tuple[str, ...] = ()

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
