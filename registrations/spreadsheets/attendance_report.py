"""The participant report of a room, as CSV or XLSX: Zoom, Microsoft Teams, BigBlueButton, Webex, or any list.

Such a file has a table of participants, often after blocks about the meeting. Zoom's webinar reports have a table each
for hosts, panellists and attendees. Teams reports have numbered sections; the third one repeats all participants.
A participant who joined twice, or with two devices, has two lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from registrations.models.search import folded
from registrations.spreadsheets import durations, reader
from registrations.spreadsheets.decoding import Undecodable, decoded
from registrations.spreadsheets.durations import Span, seconds_of
from registrations.spreadsheets.reader import FileNotUnderstood, Line
from registrations.spreadsheets.report_columns import Column, Table, count_known, table

MAX_ROWS = 20_000
MAX_SECONDS = 3 * durations.DAY
MAX_TEXT = 200  # characters of a name or an address

YES = {"yes", "oui", "true", "vrai", "1", "x"}
NO = {"no", "non", "false", "faux", "0", "absent", "absente"}
NOT_REGISTERED = {
    *["canceled", "cancelled", "rejected", "declined", "denied", "waitlisted", "waitlist"],
    *["annule", "annulee", "refuse", "refusee", "rejete", "rejetee", "sur liste d attente"],
}
NOBODY = {"anonymous", "anonyme"}  # BigBlueButton's line for the answers to anonymous polls
NUMBERED_SECTION = re.compile(r"(\d)\. ")
LAST_SECTION_READ = 2


@dataclass(frozen=True)
class Participant:
    name: str
    email: str
    minutes: int | None
    spans: tuple[Span, ...] = field(
        default=(), compare=False
    )  # in the room; empty if one of their sessions lacks them


@dataclass(frozen=True)
class Session:
    """One line of the report."""

    name: str
    email: str
    told: int | None  # seconds, by the report
    span: Span | None

    @property
    def seconds(self) -> int | None:
        return self.told if self.told is not None or self.span is None else self.span[1] - self.span[0]


def participants(content: bytes) -> list[Participant]:
    """Each participant once, in the order of the report. Raises FileNotUnderstood."""
    sessions: dict[str, list[Session]] = {}
    for columns, line in _rows(_lines(content)):
        name, email = _name(columns, line), _email(columns, line)
        if (name or email) and _attended(columns, line):
            told = _told(columns, line)
            session = Session(name, email, told, _span(columns, line, told))
            sessions.setdefault(email.lower() or folded(name) or name, []).append(session)
    if not sessions:
        raise FileNotUnderstood(_("This file lists no participant."))
    return [_merged(of_one) for of_one in sessions.values()]


def _merged(sessions: list[Session]) -> Participant:
    """One participant from their sessions: what overlaps counts once. Minutes: None when one length is unknown."""
    name = next((session.name for session in sessions if session.name), "")
    spans = durations.union(session.span for session in sessions if session.span)
    have_spans = [session.span is not None for session in sessions]
    lengths = [session.seconds for session in sessions if session.seconds is not None]
    if len(lengths) < len(sessions):
        minutes = None
    elif any(have_spans) and not all(have_spans):  # nobody knows what overlaps
        minutes = durations.whole_minutes(max(lengths))
    else:
        is_rounded = all(session.told is not None and session.told % 60 == 0 for session in sessions)
        minutes = durations.whole_minutes(sum(lengths), within=spans, is_rounded=is_rounded)
    return Participant(name, sessions[0].email, minutes, spans if all(have_spans) else ())


# From bytes to rows of tables


def _lines(content: bytes) -> list[Line]:
    """Of a workbook, the sheet whose header has the most known headings; a visible one if there are several."""
    if not reader.is_workbook(content):
        return reader.csv_lines(_repaired(content), count_known=count_known, limit=MAX_ROWS)
    sheets = sorted(reader.workbook_sheets(content, limit=MAX_ROWS), key=lambda sheet: sheet.is_hidden)
    best = max(sheets, key=lambda sheet: max(map(count_known, sheet.lines[: reader.HEADER_WITHIN]), default=0))
    if len(best.lines) > MAX_ROWS:
        raise reader.too_long(MAX_ROWS)
    return best.lines


def _repaired(content: bytes) -> bytes:
    """The text in UTF-8, without NULs: the rest of a report is read in spite of them."""
    if content.startswith(reader.NOT_TEXT) or len(content) > reader.MAX_BYTES:
        return content  # refused by the reader
    try:
        return decoded(content).replace("\0", "").encode()
    except Undecodable:
        return content.decode("cp1252", errors="replace").replace("\0", "").encode()


def _rows(lines: list[Line]) -> Iterator[tuple[Table, Line]]:
    """The rows of all tables of participants, as (table, line)."""
    columns: Table | None = None
    found = False
    for line, following in zip(lines, [*lines[1:], None], strict=False):
        section = NUMBERED_SECTION.match(line.cells[0])
        if section and _is_single_cell(line):
            if found and int(section[1]) > LAST_SECTION_READ:
                return
            columns = None
        elif _is_header(line) or (columns is None and _may_be_header(line)):
            columns = table(line)
            found = found or columns is not None
        elif columns and not (_is_single_cell(line) and following and _is_header(following)):
            yield columns, line
    if not found:
        raise FileNotUnderstood(
            _(
                "No line of this file names its columns. One must be called “Name” or “Email”, "
                "as in the participant reports of Zoom, Teams and BigBlueButton."
            )
        )


def _is_single_cell(line: Line) -> bool:
    return sum(map(bool, line.cells)) == 1


def _is_header(line: Line) -> bool:
    known, filled = count_known(line), sum(map(bool, line.cells))
    return known > 1 or known == filled


def _may_be_header(line: Line) -> bool:
    """Before any table is found, one known heading is enough, except in a pair such as « Participants », « 12 »."""
    return count_known(line) == 1 and sum(map(bool, line.cells)) > 2


# Cells


def _name(columns: Table, line: Line) -> str:
    """First and last name where the line has both; else the name that the room showed."""
    shown = columns.cell(line, Column.NAME)
    pairs = [
        (Column.FIRST_NAME, Column.LAST_NAME),
        (Column.REGISTERED_FIRST_NAME, Column.REGISTERED_LAST_NAME),
    ]
    names = [(columns.cell(line, first), columns.cell(line, last)) for first, last in pairs]
    whole = next((f"{first} {last}" for first, last in names if first and last), "")
    parts = next((first or last for first, last in names if first or last), "")
    return (whole or shown or parts)[:MAX_TEXT]


def _email(columns: Table, line: Line) -> str:
    addresses = [columns.cell(line, column) for column in (Column.EMAIL, Column.ACCOUNT, Column.REGISTERED_EMAIL)]
    return next((address[:MAX_TEXT] for address in addresses if "@" in address), "")


def _attended(columns: Table, line: Line) -> bool:
    """Reports also list people who registered and did not attend, or who were not let in from the waiting room."""
    if folded(columns.cell(line, Column.ATTENDED)) in NO or folded(columns.cell(line, Column.WAITING_ROOM)) in YES:
        return False
    if any(folded(columns.cell(line, column)) for column in (Column.JOIN, Column.LEAVE, Column.DURATION)):
        return True
    if folded(columns.cell(line, Column.NAME)) in NOBODY and not _email(columns, line):
        return False
    if Column.REGISTERED_EMAIL in columns.at and columns.tells_presence:
        return False
    return folded(columns.cell(line, Column.REGISTRATION_STATUS)) not in NOT_REGISTERED


def _told(columns: Table, line: Line) -> int | None:
    """Seconds by the column of durations. None for what is not understood, such as « En cours »."""
    if Column.DURATION not in columns.at:
        return None
    seconds = seconds_of(columns.cell(line, Column.DURATION), unit=_unit(columns))
    return seconds if seconds is not None and seconds <= MAX_SECONDS else None


def _unit(columns: Table) -> int:
    """Seconds of 1 in a column of plain numbers."""
    words = folded(columns.header.cells[columns.at[Column.DURATION]])
    if "minute" in words or "min" in words.split():
        return 60
    return 1 if "second" in words else 3600 if "heure" in words or "hour" in words or "h" in words.split() else 60


def _span(columns: Table, line: Line, told: int | None) -> Span | None:
    """From the arrival to the departure; where one of them is missing, the duration tells it."""
    start = durations.moment(columns.cell(line, Column.JOIN))
    end = durations.moment(columns.cell(line, Column.LEAVE))
    if told is not None and start is not None and end is None:
        end = start + told
    if told is not None and end is not None and start is None:
        start = end - told
    return (start, end) if start is not None and end is not None and 0 <= end - start <= MAX_SECONDS else None
