"""Read an uploaded table into lines of cells: text of any encoding and delimiter, or a workbook (XLSX, XLS, ODS)."""

import csv
import io
import json
import logging
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.spreadsheets.decoding import Undecodable, decoded

logger = logging.getLogger(__name__)
WORKBOOK_READER = "registrations.spreadsheets.workbook_reader"
TIMEOUT = 30  # seconds; the child's own limits come first
MAX_BYTES = 2_000_000
MAX_INFLATED = 60_000_000  # bytes of all parts of a workbook
HEADER_WITHIN = 100  # lines
DELIMITERS = "\t;,|"
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # how XLSX and ODS begin; how XLS begins
NOT_TEXT = (ZIP, OLE, b"%PDF", b"\x1f\x8b")  # and PDF, GZIP
REFUSALS = {
    "broken": gettext_lazy("This workbook cannot be read: save it again as XLSX or as CSV."),
    "password": gettext_lazy("This workbook asks for a password: save it without one."),
    "too_large": gettext_lazy("This workbook holds too much: copy the list alone into a new one."),
}


class FileNotUnderstood(ValueError):
    """The message tells the organiser what is wrong, and where."""


@dataclass(frozen=True)
class Line:
    number: int  # in the file
    cells: list[str]


@dataclass(frozen=True)
class Sheet:
    name: str
    is_hidden: bool
    lines: list[Line]
    hidden_lines: frozenset[int]  # numbers of lines that a filter, or a person, has hidden
    knows_hidden: bool  # XLS tells neither hidden lines nor error cells, which are read as empty ones


def is_workbook(content: bytes) -> bool:
    return content.startswith((ZIP, OLE))


def csv_lines(content: bytes, *, count_known: Callable[[Line], int], limit: int) -> list[Line]:
    """Lines that are not empty. Raises FileNotUnderstood, also for more than `limit` lines.

    The delimiter is the one that gives a header with the most known headings, as counted by `count_known`.
    """
    candidates = [_parsed(_text(content), delimiter, limit) for delimiter in DELIMITERS]
    best = max(candidates, key=lambda lines: max(map(count_known, lines[:HEADER_WITHIN]), default=0))
    return _require_at_most(limit, best)


def workbook_sheets(content: bytes, *, limit: int) -> list[Sheet]:
    """All sheets with their lines that are not empty, at most `limit` + 1 of each. Of a formula, its stored result.

    An error cell is the text of its error. Raises FileNotUnderstood.
    """
    _require_size(content)
    if content.startswith(ZIP):
        _require_inflated_size(content)
    answer = _ask_workbook_reader(content, limit)
    if "refused" in answer:
        raise FileNotUnderstood(str(REFUSALS[answer["refused"]]))
    return [
        Sheet(
            one["name"],
            one["is_hidden"],
            [Line(number, [_clean(cell) for cell in cells]) for number, cells in one["rows"]],
            frozenset(one["hidden_rows"]),
            one["is_marked"],
        )
        for one in answer["sheets"]
    ]


def _ask_workbook_reader(content: bytes, limit: int) -> dict[str, Any]:
    command = [sys.executable, "-E", "-s", "-m", WORKBOOK_READER, str(limit)]
    try:
        child = subprocess.run(  # noqa: S603 - our own module, no shell
            command, input=content, capture_output=True, timeout=TIMEOUT, cwd=settings.BASE_DIR, check=False
        )
    except subprocess.TimeoutExpired:
        return {"refused": "too_large"}
    if child.returncode < 0:  # a signal: over its limits
        return {"refused": "too_large"}
    if child.returncode:
        logger.info("A workbook could not be read: %s", child.stderr.decode(errors="replace"))
        return {"refused": "broken"}
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


def _require_inflated_size(content: bytes) -> None:
    """Protects against a small file that inflates to more than the memory can hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inflated = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile as error:
        raise FileNotUnderstood(str(REFUSALS["broken"])) from error
    if inflated > MAX_INFLATED:
        raise FileNotUnderstood(str(REFUSALS["too_large"]))


def _require_at_most(limit: int, lines: list[Line]) -> list[Line]:
    if len(lines) > limit:
        raise too_long(limit)
    return lines


def too_long(limit: int) -> FileNotUnderstood:
    words = {"limit": f"{limit:,}".replace(",", "\u00a0")}
    return FileNotUnderstood(_("This file has more than %(limit)s lines: it is not the list of one webinar.") % words)


def _require_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise FileNotUnderstood(_("This file is larger than 2 MB: a list of one webinar is much smaller."))


def _text(content: bytes) -> str:
    _require_size(content)
    if content.startswith(NOT_TEXT):
        raise FileNotUnderstood(
            _("This is not a CSV file but a workbook, an archive or a document. Open it and save it as CSV.")
        )
    try:
        text = decoded(content)
    except Undecodable as error:
        raise FileNotUnderstood(
            _("Line %(line)s holds signs that cannot be read: save the file as CSV in UTF-8.") % {"line": error.line}
        ) from error
    if "\0" in text:
        raise FileNotUnderstood(_("This file is not text: download or save it again as CSV."))
    return text


def _parsed(text: str, delimiter: str, limit: int) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _filled(((reader.line_num, cells) for cells in reader), limit)
    except csv.Error as error:
        raise FileNotUnderstood(
            _("Line %(line)s cannot be read: a quotation mark may be missing.") % {"line": reader.line_num}
        ) from error


def _filled(rows: Iterable[tuple[int, list[str]]], limit: int) -> list[Line]:
    """Lines that are not empty, at most `limit` + 1 of them, so that the caller can see that there are too many."""
    lines: list[Line] = []
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            lines.append(Line(number, [_clean(cell) for cell in cells]))
        if len(lines) > limit:
            break
    return lines


def _clean(cell: str) -> str:
    """On one line, without invisible characters."""
    if cell.isprintable():
        return " ".join(cell.split())
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in cell)
    return " ".join(visible.split())
