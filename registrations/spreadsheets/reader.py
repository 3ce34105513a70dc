"""A table that someone uploads: CSV of any encoding and delimiter, or a workbook (XLSX), as lines of cells."""

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
    """The sentence tells the organiser what is wrong, and where."""


@dataclass(frozen=True)
class Line:
    number: int  # in the file
    cells: list[str]


def csv_lines(content: bytes, *, known: Callable[[Line], int], most: int) -> list[Line]:
    """Lines that are not empty, cut at the delimiter under which the best header is found; `known` judges a header."""
    cut = [_cut(_text(content), delimiter, most) for delimiter in DELIMITERS]
    best = max(cut, key=lambda lines: max(map(known, lines[:HEADER_WITHIN]), default=0))
    return _not_too_many(best, most)


def workbook_lines(content: bytes, *, most: int) -> list[Line]:
    """The same of the first sheet of a workbook; of a formula, what it came to."""
    import openpyxl  # here: it is large, and stands in every web process otherwise

    _require_size(content)
    try:
        _require_bearable(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(max_row=most * 2, max_col=MAX_CELLS, values_only=True)
        lines = _filled(enumerate(([_written(value) for value in row] for row in rows), 1), most)
    except FileNotUnderstood:
        raise
    except Exception as error:  # whatever a broken workbook makes the library stumble over
        raise FileNotUnderstood(_("This workbook cannot be read: save it again as XLSX or as CSV.")) from error
    return _not_too_many(lines, most)


def _require_bearable(content: bytes) -> None:
    """A small file may inflate to more than the memory holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MAX_INFLATED:
            raise FileNotUnderstood(_("This workbook holds too much: copy the list alone into a new one."))


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)


def _not_too_many(lines: list[Line], most: int) -> list[Line]:
    if len(lines) > most:
        words = {"limit": f"{most:,}".replace(",", "\u00a0")}
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
        if content[1:40:2].count(0) > len(content[1:40:2]) / 2:  # UTF-16 whose mark was lost
            return content.decode("utf-16-le")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded_as_old_windows(content)


def _decoded_as_old_windows(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileNotUnderstood(
            _("Line %(line)s holds signs that cannot be read: save the file as CSV in UTF-8.") % {"line": line}
        ) from error


def _cut(text: str, delimiter: str, most: int) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _filled(((reader.line_num, cells) for cells in reader), most)
    except csv.Error as error:
        raise FileNotUnderstood(
            _("Line %(line)s cannot be read: a quotation mark may be missing.") % {"line": reader.line_num}
        ) from error


def _filled(rows: Iterable[tuple[int, list[str]]], most: int) -> list[Line]:
    """Those that hold anything, and one more than are allowed."""
    lines: list[Line] = []
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            lines.append(Line(number, [_clean(cell) for cell in cells]))
        if len(lines) > most:
            break
    return lines


def _clean(cell: str) -> str:
    """One line, without signs that are not seen."""
    if cell.isprintable():
        return " ".join(cell.split())
    seen = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in cell)
    return " ".join(seen.split())
