"""A PDF that an organiser uploads: what can act is taken out and said, or the file is refused with what to do."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registrations.documents import limited_child

CLEANER = "registrations.documents.pdf_cleaner"
SIZE_MAX = 20 * 1024 * 1024
HEAD = 1024  # bytes that may come before the PDF: a line end, headers of HTTP
REFUSALS = {
    "too_large": _("A PDF must not be larger than 20 MB."),
    "not_a_pdf": _("This file is not a PDF."),
    "damaged": _("This PDF is damaged, incomplete or enormous once opened: export or download it again."),
    "password": _("This PDF asks for a password, or is protected in another way: export it again without protection."),
    "form": _("This PDF is a form whose pages a program makes when it is opened: print it to a PDF, and upload that."),
    "signed": _(
        "This PDF is signed, and what it holds besides text and pictures (scripts, attached files…) cannot be "
        "taken out without breaking the signature: sign a version without it."
    ),
    "too_heavy": _("This PDF takes too long or too much memory to be read: export it again, for example as PDF/A."),
}
REMOVED = {
    "script": _("scripts"),
    "action": _("actions that open programs or other files, or send data"),
    "link": _("links that lead neither to a web page nor to a mail address"),
    "attachment": _("attached files"),
    "form": _("the script form (XFA)"),
    "media": _("sounds, videos and 3D objects"),
}


class CleanedPDF(NamedTuple):
    file: File[bytes]
    notes: tuple[str, ...]  # sentences that the organiser must read


def cleaned(file: File[bytes]) -> CleanedPDF:
    """The same file if nothing had to change. Raises ValidationError, whose code is a key of REFUSALS."""
    if (file.size or 0) > SIZE_MAX:
        raise _refusal("too_large")
    file.seek(0)
    content = file.read()
    file.seek(0)
    if b"%PDF-" not in content[:HEAD]:
        raise _refusal("not_a_pdf")
    answer, changed = limited_child.ask(CLEANER, content)
    if why := answer.get("refused"):
        raise _refusal(why)
    return CleanedPDF(ContentFile(changed, file.name) if changed else file, tuple(_notes(answer)))


def _refusal(code: str) -> ValidationError:
    return ValidationError(REFUSALS[code], code=code)


def _notes(answer: dict[str, Any]) -> Iterator[str]:
    if answer["removed"]:
        parts = ", ".join(str(REMOVED[kind]) for kind in answer["removed"])
        yield gettext("Taken out of the PDF: %(parts)s. The rest is unchanged; look at it once.") % {"parts": parts}
    if answer["repaired"]:
        yield gettext("The PDF had faults, which were repaired: look through all its pages once.")
