"""Read an uploaded table into lines of cells: CSV of any encoding and delimiter, or a workbook (XLSX)."""

import codecs
import csv
import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

MAX_BYTES = 2_000_000
MAX_INFLATED = 60_000_000  # bytes of all parts of a workbook
MAX_CELLS = 100  # of one line of a workbook
HEADER_WITHIN = 100  # lines
DELIMITERS = "\t;,"
ZIP = b"PK\x03\x04"
NOT_TEXT = (ZIP, b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")  # XLSX, XLS, PDF, GZIP


class FileNotUnderstood(ValueError):
    """The message tells the organiser what is wrong, and where."""


@dataclass(frozen=True)
class Line:
    number: int  # in the file
    cells: list[str]


def csv_lines(content: bytes, *, count_known: Callable[[Line], int], limit: int) -> list[Line]:
    """Lines that are not empty. Raises FileNotUnderstood, also for more than `limit` lines.

    The delimiter is the one that gives a header with the most known headings, as counted by `count_known`.
    """
    candidates = [_parsed(_text(content), delimiter, limit) for delimiter in DELIMITERS]
    best = max(candidates, key=lambda lines: max(map(count_known, lines[:HEADER_WITHIN]), default=0))
    return _require_at_most(limit, best)


def workbook_lines(content: bytes, *, limit: int) -> list[Line]:
    """Lines of the first sheet that are not empty; of a formula, its stored result. Raises FileNotUnderstood."""
    import openpyxl  # here and not at the top: it is large, and most web processes never need it

    _require_size(content)
    try:
        _require_inflated_size(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(max_row=limit * 2, max_col=MAX_CELLS, values_only=True)
        lines = _filled(enumerate(([_as_text(value) for value in row] for row in rows), 1), limit)
    except FileNotUnderstood:
        raise
    except Exception as error:  # the library raises many types for a broken workbook
        raise FileNotUnderstood(_("This workbook cannot be read: save it again as XLSX or as CSV.")) from error
    return _require_at_most(limit, lines)


def _require_inflated_size(content: bytes) -> None:
    """Protects against a small file that inflates to more than the memory can hold."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MAX_INFLATED:
            raise FileNotUnderstood(_("This workbook holds too much: copy the list alone into a new one."))


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)


def _require_at_most(limit: int, lines: list[Line]) -> list[Line]:
    if len(lines) > limit:
        words = {"limit": f"{limit:,}".replace(",", "\u00a0")}
        raise FileNotUnderstood(
            _("This file has more than %(limit)s lines: it is not the list of one webinar.") % words
        )
    return lines


def _require_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise FileNotUnderstood(_("This file is larger than 2 MB: a list of one webinar is much smaller."))


def _text(content: bytes) -> str:
    _require_size(content)
    if content.startswith(NOT_TEXT):
        raise FileNotUnderstood(
            _("This is not a CSV file but a workbook, an archive or a document. Open it and save it as CSV.")
        )
    text = _decoded(content)
    if "\0" in text:
        raise FileNotUnderstood(_("This file is not text: download or save it again as CSV."))
    return text


def _decoded(content: bytes) -> str:
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        if content[1:40:2].count(0) > len(content[1:40:2]) / 2:  # UTF-16 without a byte order mark
            return content.decode("utf-16-le")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded_as_cp1252(content)


def _decoded_as_cp1252(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileNotUnderstood(
            _("Line %(line)s holds signs that cannot be read: save the file as CSV in UTF-8.") % {"line": line}
        ) from error


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
