"""Validation of an uploaded PDF: complete, not too large, without scripts, actions or attachments."""

import re
import secrets
import zlib
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

MEGABYTE = 1024 * 1024
SIZE_MAX = 20 * MEGABYTE
INFLATED_MAX = 200 * MEGABYTE
FIRST_PIECE, PIECE = 256, 64 * 1024
END_WITHIN = 1024  # bytes (ISO 32000-1, annex H, note 18)
STREAM = re.compile(rb"stream\r?\n")
OBJECTS = re.compile(rb"\s*\d+\s+\d+\s")  # how an object stream begins: number and place of its first object
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")  # in names (ISO 32000-1, 7.3.5)
END_OF_NAME = rb"(?![^\s()<>\[\]{}/%])"
ACTIVE = re.compile(rb"/(?:JavaScript|Launch|SubmitForm|ImportData|RichMedia|Rendition)" + END_OF_NAME)
EMBEDDED = re.compile(rb"/EmbeddedFiles?" + END_OF_NAME)
ENCRYPTED = re.compile(rb"/Encrypt" + END_OF_NAME)
OBJECT_STREAM = re.compile(rb"/ObjStm" + END_OF_NAME)


def random_name(instance: Any, filename: str) -> str:
    """A random file name: the name of the uploaded file may contain a person's name or be too long."""
    return f"reports/{secrets.token_urlsafe(16)}.pdf"


def validate(file: File[bytes]) -> None:
    """Raises ValidationError with the code too_large, not_a_pdf, incomplete, encrypted, active, embedded, unreadable
    or bomb (inflates to more than INFLATED_MAX)."""
    if (file.size or 0) > SIZE_MAX:
        raise ValidationError(_("The report must not be larger than 20 MB."), code="too_large")
    file.seek(0)
    content = file.read()
    file.seek(0)
    if not content.startswith(b"%PDF-"):
        raise ValidationError(_("This file is not a PDF."), code="not_a_pdf")
    if b"%%EOF" not in content[-END_WITHIN:]:
        raise ValidationError(_("This PDF is incomplete: export or download it again."), code="incomplete")
    _refuse_active_content(content)


def _refuse_active_content(content: bytes) -> None:
    """Search the file and its object streams for forbidden names; not streams of texts and pictures."""
    structure = _unescaped(content)
    if ENCRYPTED.search(structure):
        raise ValidationError(
            _("This PDF is protected, so it cannot be checked: export it again without protection."), code="encrypted"
        )
    _refuse_forbidden_names(structure)
    read = 0
    for objects in _object_streams(content):
        _refuse_forbidden_names(_unescaped(objects))
        read += 1
    if read < len(OBJECT_STREAM.findall(structure)):
        raise ValidationError(
            _("This PDF is packed in a way that cannot be checked: export it again, for example as PDF/A."),
            code="unreadable",
        )


def _refuse_forbidden_names(text: bytes) -> None:
    if ACTIVE.search(text):
        raise ValidationError(
            _("This PDF contains a script or an action (form, program, media): export it again without."),
            code="active",
        )
    if EMBEDDED.search(text):
        raise ValidationError(
            _("This PDF carries another file: export it again without attachments."), code="embedded"
        )


def _unescaped(text: bytes) -> bytes:
    return ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)


def _object_streams(content: bytes) -> Iterator[bytes]:
    """Inflated object streams. Every stream is tried, since its dictionary may lie about what it contains.

    Raises ValidationError when all streams together inflate to more than INFLATED_MAX.
    """
    left = INFLATED_MAX
    for start in (match.end() for match in STREAM.finditer(content)):
        pieces: list[bytes] = []
        for piece in _inflated(memoryview(content)[start:]):
            left -= len(piece)
            if left < 0:
                raise ValidationError(_("This PDF becomes enormous when it is opened."), code="bomb")
            if pieces or OBJECTS.match(piece):
                pieces.append(piece)
        if pieces:
            yield b"".join(pieces)


def _inflated(data: memoryview) -> Iterator[bytes]:
    """Inflate piece by piece until the stream ends; stop at the first error, for example when it is no zlib stream."""
    inflater = zlib.decompressobj()
    rest, data = bytes(data[:FIRST_PIECE]), data[FIRST_PIECE:]  # small: most candidates are no zlib stream
    while not inflater.eof and (rest or data):
        if not rest:
            rest, data = bytes(data[:PIECE]), data[PIECE:]
        try:
            piece = inflater.decompress(rest, PIECE)
        except zlib.error:
            return
        rest = inflater.unconsumed_tail
        if piece:
            yield piece
