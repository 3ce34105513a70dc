"""Documents of an event besides the study report, in the event's form."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import FileField
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.events.forms import examined
from registrations.models import Event, EventDocument

DOCUMENTS_MAX = 20
PREFIX = "documents"


class DocumentForm(forms.ModelForm[EventDocument]):
    notes: tuple[str, ...] = ()  # what was taken out of the PDF

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if not isinstance(file, UploadedFile):  # the stored one, none, or False when the box to clear it is ticked
            return file
        outcome = examined(file)
        if isinstance(outcome, ValidationError):
            raise outcome
        self.notes = outcome.notes
        return outcome.file

    def clean(self) -> dict[str, Any]:
        """Said at the field; the constraints say the same of rows that are written elsewhere."""
        typed = super().clean() or self.cleaned_data
        if "file" not in typed or "link" not in typed:
            return typed
        if bool(typed["file"]) == bool(typed["link"]):
            self.add_error("link", _("Give a PDF or a link, one of the two."))
        elif typed.get("attached") and not typed["file"]:
            self.add_error("attached", _("Only a PDF can be attached to a mail."))
        return typed


class DocumentInline(admin.StackedInline[EventDocument, Event]):
    model = EventDocument
    form = DocumentForm
    extra = 0
    max_num = DOCUMENTS_MAX
    fields: ClassVar[Any] = ["position", "name", "name_en", "file", "link", "audience", "attached"]
    formfield_overrides = {
        FileField: {"widget": AdminFileWidget({"aria-label": gettext_lazy("PDF")})}  # a legend does not name the input
    }


def examine_uploads(request: HttpRequest) -> None:
    """PDFs are cleaned before the event is locked: it may take seconds."""
    for name, upload in request.FILES.items():
        if name.startswith(f"{PREFIX}-") and name.endswith("-file"):
            examined(upload)


def notes(formsets: Iterable[Any]) -> Iterator[str]:
    """What organisers must read of the PDFs they have uploaded."""
    for formset in formsets:
        for form in formset.forms:
            if isinstance(form, DocumentForm):
                yield from (
                    _("%(name)s: %(note)s") % {"name": form.instance.name, "note": note} for note in form.notes
                )
