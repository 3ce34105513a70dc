"""The participant report of a room, as CSV: Zoom, Microsoft Teams, BigBlueButton, or any list with names or addresses.

Such a file has a table of participants, often after blocks about the meeting. Zoom's webinar reports have a table each
for hosts, panellists and attendees. Teams reports have numbered sections; the third one repeats all participants.
A participant who joined twice has two lines.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from registrations.models import person_fields
from registrations.models.search import folded
from registrations.spreadsheets import reader
from registrations.spreadsheets.reader import FileNotUnderstood, Line

MAX_ROWS = 20_000
MAX_MINUTES = 3 * 24 * 60
MAX_TEXT = 200  # characters of a name or an address
CELL_EXCERPT = 40  # characters of a cell in an error message

NAME = {
    *["name", "full name", "user name", "username", "display name", "participant", "participant name", "attendee"],
    *["attendee name", "nom", "nom complet", "nom d utilisateur", "nom de l utilisateur", "nom affiche"],
    *["nom du participant", "nom et prenom", "nom prenom", "prenom et nom", "prenom nom", "utilisateur"],
}
FIRST_NAME = person_fields.BY_NAME["first_name"].headings
LAST_NAME = person_fields.BY_NAME["last_name"].headings - NAME  # « nom » alone is the whole name here
EMAIL = person_fields.BY_NAME["email"].headings
ACCOUNT = {"participant id", "id du participant", "id de participant", "upn", "user principal name"}
ATTENDED = {"attended", "a assiste", "a participe", "participe", "present", "presence", "presente"}
ABOUT_THE_MEETING = {
    "topic",
    "sujet",
    "meeting id",
    "id de reunion",
    "id de la reunion",
    "webinar id",
    "id du webinaire",
}
DURATION = re.compile(
    r"((total|in meeting) )?duration|duree( totale| de (presence|participation|connexion)| en reunion)?"
    r"|duree (dans|pendant|de) la (reunion|session)|time in (session|meeting)|online time|minutes"
    r"|temps (en|dans|de) (la )?(session|reunion|ligne|presence|connexion)"
)
NO = {"no", "non", "false", "faux", "0", "absent", "absente"}
NUMBERED_SECTION = re.compile(r"(\d)\. ")
LAST_SECTION_READ = 2

NUMBER = re.compile(r"\d{1,9}([.,]\d{1,3})?", re.ASCII)
CLOCK = re.compile(r"(\d{1,3}):(\d{2})(?::(\d{2}))?", re.ASCII)
ISO_8601 = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,7})(?:\.\d+)?S)?", re.ASCII | re.IGNORECASE)
WORDS = re.compile(
    r"(?:(\d{1,3}) ?(?:h|hrs?|hours?|heures?))? ?(?:(\d{1,5}) ?(?:m|min|mins|mn|minutes?|$))?"
    r" ?(?:(\d{1,7}) ?(?:s|secs?|seconds?|secondes?))?",
    re.ASCII,
)
UNKNOWN = {"", "-", "--", "–", "n/a", "na"}


@dataclass(frozen=True)
class Participant:
    name: str
    email: str
    minutes: int | None


@dataclass(frozen=True)
class Table:
    """Where the columns of a table are."""

    header: Line
    names: list[int]
    first_name: int | None
    last_name: int | None
    email: int | None
    account: int | None
    attended: int | None
    duration: int | None

    @property
    def lists_people(self) -> bool:
        return bool(self.names) or self.email is not None or self.last_name is not None


def participants(content: bytes) -> list[Participant]:
    """Each participant once, in the order of the report. Raises FileNotUnderstood."""
    lines = reader.csv_lines(content, count_known=_count_known, limit=MAX_ROWS)
    sessions: dict[str, list[tuple[str, str, int | None]]] = {}
    for table, line in _rows(lines):
        name, email = _name(table, line), _email(table, line)
        if (name or email) and _attended(table, line):
            sessions.setdefault(email.lower() or folded(name) or name, []).append((name, email, _seconds(table, line)))
    if not sessions:
        raise FileNotUnderstood(_("This file lists no participant."))
    return [_merged(of_one) for of_one in sessions.values()]


def _merged(sessions: list[tuple[str, str, int | None]]) -> Participant:
    """One participant from their sessions (name, email, seconds). Minutes: None when one length is unknown."""
    lengths = [seconds for _name, _email, seconds in sessions]
    known = [seconds for seconds in lengths if seconds is not None]
    minutes = sum(known) // 60 if len(known) == len(lengths) else None
    name = next((name for name, _email, _seconds in sessions if name), "")
    return Participant(name, sessions[0][1], minutes)


# From lines to rows of tables


def _rows(lines: list[Line]) -> Iterator[tuple[Table, Line]]:
    """The rows of all tables of participants, as (table, line)."""
    table: Table | None = None
    found = False
    for line, following in zip(lines, [*lines[1:], None], strict=False):
        section = NUMBERED_SECTION.match(line.cells[0])
        if section and _is_single_cell(line):
            if found and int(section[1]) > LAST_SECTION_READ:
                return
            table = None
        elif _is_header(line) or (table is None and _may_be_header(line)):
            table = _table(line)
            found = found or table is not None
        elif table and not (_is_single_cell(line) and following and _is_header(following)):
            yield table, line
    if not found:
        raise FileNotUnderstood(
            _(
                "No line of this file names its columns. One must be called “Name” or “Email”, "
                "as in the participant reports of Zoom, Teams and BigBlueButton."
            )
        )


def _is_single_cell(line: Line) -> bool:
    return sum(map(bool, line.cells)) == 1


def _heading(cell: str) -> str:
    """« Name (Original Name) » is « name »; « Durée (minutes) » is « duree »."""
    return folded(re.sub(r"\(.*?\)", " ", cell))


def _count_known(line: Line) -> int:
    """Number of known headings in the line; 0 without a column for a name or an address."""
    names = NAME | FIRST_NAME | LAST_NAME | EMAIL | ACCOUNT | ATTENDED
    headings = [_heading(cell) for cell in line.cells if cell]
    people = NAME | EMAIL | LAST_NAME
    if not people & set(headings):
        return 0
    return sum(heading in names or bool(DURATION.fullmatch(heading)) for heading in headings)


def _is_header(line: Line) -> bool:
    known, filled = _count_known(line), sum(map(bool, line.cells))
    return known > 1 or known == filled


def _may_be_header(line: Line) -> bool:
    """Before any table is found, one known heading is enough, except in a pair such as « Participants », « 12 »."""
    return _count_known(line) == 1 and sum(map(bool, line.cells)) > 2


def _table(header: Line) -> Table | None:
    """None for a table about the meeting itself, which may contain the host's address."""
    headings = [_heading(cell) for cell in header.cells]

    def last(known: Collection[str]) -> int | None:
        return max((index for index, heading in enumerate(headings) if heading in known), default=None)

    table = Table(
        header,
        names=[index for index, heading in enumerate(headings) if heading in NAME],
        first_name=last(FIRST_NAME),
        last_name=last(LAST_NAME),
        email=last(EMAIL),
        account=last(ACCOUNT),
        attended=last(ATTENDED),
        duration=max((index for index, heading in enumerate(headings) if DURATION.fullmatch(heading)), default=None),
    )
    about_the_meeting = not table.names and table.last_name is None and ABOUT_THE_MEETING & set(headings)
    return None if about_the_meeting or not table.lists_people else table


# Cells


def _cell(line: Line, column: int | None) -> str:
    return line.cells[column] if column is not None and column < len(line.cells) else ""


def _name(table: Table, line: Line) -> str:
    first_name = _cell(line, table.first_name)
    shown = _cell(line, table.names[0]) if table.names else ""
    last_name = shown if table.last_name is None else _cell(line, table.last_name)
    if table.first_name is not None and last_name:
        shown = f"{first_name} {last_name}".strip()
    return (shown or first_name)[:MAX_TEXT]


def _email(table: Table, line: Line) -> str:
    addresses = [_cell(line, table.email), _cell(line, table.account)]
    return next((address[:MAX_TEXT] for address in addresses if "@" in address), "")


def _attended(table: Table, line: Line) -> bool:
    """Zoom's webinar reports also list people who registered and did not attend."""
    return folded(_cell(line, table.attended)) not in NO


def _seconds(table: Table, line: Line) -> int | None:
    text = _cell(line, table.duration)
    if text.lower() in UNKNOWN or table.duration is None:
        return None
    heading = table.header.cells[table.duration]
    seconds = seconds_of(text, unit=1 if "second" in folded(heading) else 60)
    if seconds is None or seconds > MAX_MINUTES * 60:
        words = {"line": line.number, "column": heading, "text": text[:CELL_EXCERPT]}
        raise FileNotUnderstood(
            _("Line %(line)s, column “%(column)s”: “%(text)s” is not understood as a duration.") % words
        )
    return seconds


def seconds_of(text: str, *, unit: int = 60) -> int | None:
    """Seconds of « 75 » (times `unit`), « 1:15:00 », « 1 h 15 min » or « PT1H15M »; None if it is no duration."""
    if NUMBER.fullmatch(text):
        return int(float(text.replace(",", ".")) * unit)
    for pattern in (CLOCK, ISO_8601, WORDS):
        found = pattern.fullmatch(text.lower() if pattern is WORDS else text)
        if found and any(found.groups()):
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return (hours * 60 + minutes) * 60 + seconds
    return None
