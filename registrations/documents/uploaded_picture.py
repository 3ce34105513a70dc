"""A picture that an organiser uploads: written anew by a child process, or refused with what to do."""

import hashlib
import json
from enum import Enum
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from registrations.documents import limited_child
from registrations.models import Picture, PictureFile

WRITER = "registrations.documents.picture_writer"
SIZE_MAX = 15 * 1024 * 1024
REFUSALS = {
    "too_large": _("The picture must not be larger than 15 MB."),
    "too_heavy": _("This picture has too many pixels: make it smaller, to 3,000 pixels of width for example."),
    "damaged": _("This file is not a picture that the site can read: choose a JPEG, PNG, WebP, AVIF or GIF file."),
}


class Wanted(NamedTuple):
    """Widths in pixels: what the page shows, and twice that for fine screens. A file that is too large is left out."""

    widths: tuple[int, ...]
    square: bool
    bytes: int  # of one file: a page with a logo, a picture and four portraits stays under 120 kB


class Use(Enum):
    PORTRAIT = Wanted((160, 320), square=True, bytes=8_000)
    COVER = Wanted((480, 720, 1376), square=False, bytes=42_000)
    LOGO = Wanted((192, 384), square=False, bytes=9_000)


class Rewritten(NamedTuple):
    files: list[tuple[int, int, bytes]]  # width, height, WebP

    def keep(self) -> Picture:
        """The row of this picture; the same one for the same files."""
        digest = hashlib.sha256(b"".join(content for _width, _height, content in self.files)).hexdigest()[:32]
        sizes = [[width, height] for width, height, _content in self.files]
        picture, created = Picture.objects.get_or_create(digest=digest, defaults={"sizes": sizes})
        if created:
            PictureFile.objects.bulk_create(
                PictureFile(picture=picture, width=width, content=content) for width, _height, content in self.files
            )
        return picture


def rewritten(file: File[bytes], use: Use) -> Rewritten:
    """Raises ValidationError, whose code is a key of REFUSALS."""
    if (file.size or 0) > SIZE_MAX:
        raise _refusal("too_large")
    file.seek(0)
    answer, content = limited_child.ask(WRITER, file.read(), json.dumps(use.value._asdict()))
    if why := answer.get("refused"):
        raise _refusal(why)
    files = []
    for width, height, length in answer["files"]:
        files.append((width, height, content[:length]))
        content = content[length:]
    return Rewritten(files)


def _refusal(code: str) -> ValidationError:
    return ValidationError(REFUSALS[code], code=code)
