"""A picture in a form of the desk: uploaded, written anew, shown as it is, taken out."""

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from registrations.documents import uploaded_picture
from registrations.documents.uploaded_picture import Rewritten, Use

UPLOAD = "upload"  # the last part of the field's name in every form


class PictureForm(forms.ModelForm[Any]):
    """A form of a model with one picture, in its field `picture_field`."""

    picture_field: ClassVar[str] = "picture"
    use: ClassVar[Use] = Use.PORTRAIT

    upload = forms.FileField(
        label=_("picture"),
        required=False,
        widget=AdminFileWidget({"aria-label": _("picture"), "accept": "image/*"}),  # a legend does not name the input
        help_text=_("JPEG, PNG, WebP or AVIF. The site makes it small, and takes out the place and the camera."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if UPLOAD in self.fields:
            self.initial[UPLOAD] = getattr(self.instance, self.picture_field)

    def clean_upload(self) -> Any:
        file = self.cleaned_data[UPLOAD]
        if not isinstance(file, UploadedFile):  # the picture it has, None, or False when the box to clear it is ticked
            return file
        outcome = examined(file, self.use)
        if isinstance(outcome, ValidationError):
            raise outcome
        return outcome

    def save(self, commit: bool = True) -> Any:
        wanted = self.cleaned_data.get(UPLOAD)
        if isinstance(wanted, Rewritten):
            setattr(self.instance, self.picture_field, wanted.keep())
        elif wanted is False:
            setattr(self.instance, self.picture_field, None)
        return super().save(commit)


def examined(upload: Any, use: Use) -> Rewritten | ValidationError:
    """Kept on the upload, so that it can be asked for before the event is locked: it may take seconds."""
    if not hasattr(upload, "examined"):
        try:
            upload.examined = uploaded_picture.rewritten(upload, use)
        except ValidationError as refusal:
            upload.examined = refusal
    outcome: Rewritten | ValidationError = upload.examined
    return outcome


def shown(picture: Any) -> str:
    """A small picture for a form; nothing where there is none."""
    return format_html('<img src="{}" alt="" width="80">', picture.src) if picture else ""


def without_upload(fields: Any, *, may_change: bool) -> list[Any]:
    """Who may only look has no field to upload to."""
    return [field for field in fields if may_change or field != UPLOAD]
