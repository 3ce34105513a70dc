"""Read a list of people to import: CSV or XLSX, one person per line, columns recognised by their headings."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from registrations.models import person_fields
from registrations.models.search import folded
from registrations.spreadsheets import reader
from registrations.spreadsheets.reader import FileNotUnderstood, Line

MAX_PEOPLE = 5000
IMPORTED = [one for one in person_fields.in_lists() if one.headings]


@dataclass(frozen=True)
class Row:
    line: int  # in the file
    cells: dict[str, str]  # by the name of the field


@dataclass(frozen=True)
class RegistrantList:
    headings: dict[str, str]  # by the name of the field: its heading in the file
    rows: list[Row]


def registrant_list(content: bytes) -> RegistrantList:
    """All rows of the file, in its order; the values are not validated. Raises FileNotUnderstood."""
    header, *lines = _lines(content) or [Line(1, [])]
    columns = _columns(header)
    if missing := [str(one.label) for one in IMPORTED if one.is_required and one.name not in columns]:
        words = {"columns": ", ".join(missing), "line": header.number}
        raise FileNotUnderstood(_("Line %(line)s must name the columns; these are missing: %(columns)s.") % words)
    if not lines:
        raise FileNotUnderstood(_("This file lists nobody."))
    rows = [Row(line.number, {field: _cell(line, column) for field, column in columns.items()}) for line in lines]
    return RegistrantList({field: header.cells[column] for field, column in columns.items()}, rows)


def _lines(content: bytes) -> list[Line]:
    """Lines from the header on. Lines above it, such as a title, are skipped."""
    limit = MAX_PEOPLE + 1  # with the header
    if content.startswith(reader.ZIP):
        lines = reader.workbook_lines(content, limit=limit)
    else:
        lines = reader.csv_lines(content, count_known=_count_known, limit=limit)
    best = max(range(min(len(lines), reader.HEADER_WITHIN)), key=lambda at: _count_known(lines[at]), default=0)
    return lines[best:]


def _count_known(line: Line) -> int:
    return len(_columns(line))


def _columns(line: Line) -> dict[str, int]:
    """Index of the column of each field; the first one if several columns have a heading of the field."""
    headings = [folded(cell) for cell in line.cells]
    found = {
        one.name: next((at for at, heading in enumerate(headings) if heading in one.headings), None)
        for one in IMPORTED
    }
    return {field: at for field, at in found.items() if at is not None}


def _cell(line: Line, column: int) -> str:
    return line.cells[column] if column < len(line.cells) else ""
