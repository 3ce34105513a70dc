"""Read a list of people to import: text or workbook, one person per line. Which column is which: `people_columns`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from registrations.spreadsheets import names, people_columns, reader
from registrations.spreadsheets.people_columns import FULL_NAMES, LAST_FIRST
from registrations.spreadsheets.reader import FileNotUnderstood, Line

MAX_PEOPLE = 5000
LIMIT = MAX_PEOPLE + 1  # with the header
CELLS_COUNTED = 99
KEPT_OF_TOO_LONG = 20  # lines


@dataclass(frozen=True)
class Table:
    """What one sheet lists, or the file if it is text. Lines above the headings, such as a title, are left out."""

    name: str
    is_hidden: bool
    header: Line | None  # None: the first line is a person already
    lines: list[Line]
    hidden_lines: frozenset[int]  # numbers, of these lines
    knows_hidden: bool = True  # otherwise lines may be hidden, and error cells are read as empty ones
    is_too_long: bool = False  # then only its first lines are here

    @property
    def headings(self) -> list[str]:
        width = max((len(line.cells) for line in self.lines), default=0)
        named = self.header.cells if self.header else []
        return [*named, *[""] * (width - len(named))]

    @property
    def holds_addresses(self) -> bool:
        return any(people_columns.is_address(cell) for line in self.lines for cell in line.cells)


@dataclass(frozen=True)
class Row:
    line: int  # in the file
    cells: dict[str, str]  # by the name of the field
    is_name_doubtful: bool = False  # both names were in one column, and may be divided in another way


def tables(content: bytes) -> list[Table]:
    """All that list something, in the order of the file. Raises FileNotUnderstood."""
    if reader.is_workbook(content):
        sheets = reader.workbook_sheets(content, limit=LIMIT)
    else:
        lines = reader.csv_lines(content, count_known=_points, limit=LIMIT)
        sheets = [reader.Sheet("", False, lines, frozenset(), True)]
    found = [table for table in map(_table, sheets) if table.lines]
    if not found:
        raise FileNotUnderstood(_("This file lists nobody."))
    if all(table.is_too_long for table in found):
        raise reader.too_long(LIMIT)
    return found


def likely(found: list[Table]) -> int | None:
    """Index of the only table, or the only visible one, that holds addresses. None: the organiser is asked."""
    if len(found) == 1:
        return 0
    with_addresses = [at for at, table in enumerate(found) if table.holds_addresses]
    visible = [at for at in with_addresses if not found[at].is_hidden]
    candidates = visible or with_addresses
    return candidates[0] if len(candidates) == 1 else None


def rows(table: Table, columns: Mapping[int, str], for_all: Mapping[str, str], *, with_hidden: bool) -> Iterator[Row]:
    """The people of a table; the values are not validated. `for_all`: values of fields that have no column."""
    for line in table.lines:
        if with_hidden or line.number not in table.hidden_lines:
            yield _row(line, columns, for_all)


def _row(line: Line, columns: Mapping[int, str], for_all: Mapping[str, str]) -> Row:
    cells, is_doubtful = dict(for_all), False
    for at, kind in columns.items():
        cell = line.cells[at] if at < len(line.cells) else ""
        if kind in FULL_NAMES:
            divided = names.divided(cell, last_first=kind == LAST_FIRST)
            cells["last_name"], cells["first_name"], is_doubtful = divided
        else:
            cells[kind] = cell
    return Row(line.number, cells, is_doubtful)


def _points(line: Line) -> int:
    """How much a line reads as the header of such a list, or, where no line has known headings, as its widest line."""
    return people_columns.known_headings(line) * (CELLS_COUNTED + 1) + min(len(line.cells), CELLS_COUNTED)


def _table(sheet: reader.Sheet) -> Table:
    at = _header(sheet.lines[: reader.HEADER_WITHIN])
    header = sheet.lines[at] if at is not None else None
    lines = sheet.lines if at is None else sheet.lines[at + 1 :]
    is_too_long = len(lines) > MAX_PEOPLE
    kept = lines[:KEPT_OF_TOO_LONG] if is_too_long else lines
    hidden = sheet.hidden_lines & {line.number for line in kept}
    return Table(sheet.name, sheet.is_hidden, header, kept, hidden, sheet.knows_hidden, is_too_long)


def _header(lines: list[Line]) -> int | None:
    """Index of the line with most known headings; without any, of the line above the first address."""
    known = [people_columns.known_headings(line) for line in lines]
    if any(known):
        return known.index(max(known))
    first = next((at for at, line in enumerate(lines) if any(map(people_columns.is_address, line.cells))), None)
    if first is None:
        return 0 if lines else None
    return first - 1 if first else None
