"""The columns of a participant report: what each heading means in Zoom, Teams, BigBlueButton and Webex."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from registrations.models import person_fields
from registrations.models.search import folded
from registrations.spreadsheets.reader import Line


class Column(Enum):
    NAME = auto()
    FIRST_NAME = auto()
    LAST_NAME = auto()
    EMAIL = auto()
    ACCOUNT = auto()
    ATTENDED = auto()
    WAITING_ROOM = auto()
    JOIN = auto()
    LEAVE = auto()
    DURATION = auto()
    # What people typed when they registered with the meeting tool (Teams)
    REGISTERED_FIRST_NAME = auto()
    REGISTERED_LAST_NAME = auto()
    REGISTERED_EMAIL = auto()
    REGISTRATION_STATUS = auto()


PERSON = {Column.NAME, Column.FIRST_NAME, Column.LAST_NAME, Column.REGISTERED_FIRST_NAME, Column.REGISTERED_LAST_NAME}
LISTS_PEOPLE = PERSON - {Column.FIRST_NAME, Column.REGISTERED_FIRST_NAME} | {Column.EMAIL, Column.REGISTERED_EMAIL}
IN_THE_ROOM = {Column.JOIN, Column.LEAVE, Column.DURATION}
REGISTERED = {
    Column.FIRST_NAME: Column.REGISTERED_FIRST_NAME,
    Column.LAST_NAME: Column.REGISTERED_LAST_NAME,
    Column.EMAIL: Column.REGISTERED_EMAIL,
}

MAX_HEADING = 200  # characters that are read of it
SURNAME = "nom"  # alone it is the whole name; beside a column of first names, the last name
EXACT = {
    Column.NAME: {
        *["name", "full name", "user name", "username", "display name", "participant", "participant name", "attendee"],
        *["attendee name", SURNAME, "nom complet", "nom d utilisateur", "nom de l utilisateur", "nom affiche"],
        *["nom du participant", "nom et prenom", "nom prenom", "prenom et nom", "prenom nom", "utilisateur"],
        *["nom d affichage", "nom du participant ou de la participante"],
    },
    Column.FIRST_NAME: person_fields.BY_NAME["first_name"].headings,
    Column.LAST_NAME: person_fields.BY_NAME["last_name"].headings - {SURNAME},
    Column.EMAIL: person_fields.BY_NAME["email"].headings,
    Column.ACCOUNT: {"participant id", "id du participant", "id de participant", "upn", "user principal name"},
    Column.ATTENDED: {"attended", "a assiste", "a participe", "participe", "present", "presence", "presente"},
}
PATTERNS = {
    column: re.compile(pattern)
    for column, pattern in {
        Column.EMAIL: r"(adresse (electronique|(e )?mail|de messagerie)|courriel|e ?mail) d(u|e la|e l)"
        r" (participant|utilisa|personne|invite)\w*",
        Column.WAITING_ROOM: r"((is |was )?in (the )?|(est |etait )?(dans|en) (la )?)?"
        r"(waiting room|salle d attente|lobby)",
        Column.JOIN: r"(first )?join(ed)?( time| at)?|time joined|(first )?arrival( time)?"
        r"|((premiere? )?heure |premiere? )?(d )?(arrivee|entree|acces|connexion)|heure de (connexion|participation)"
        r"|premiere participation",
        Column.LEAVE: r"(last )?le(ave|ft)( time| at)?|time (exited|left)|departure( time)?"
        r"|((derniere? )?heure |derniere? )?(de )?(depart|sortie|deconnexion)",
        Column.DURATION: r"((total|in meeting|attendance|attended) )?duration( in (meeting|session))?"
        r"|duree( totale| (de|d) (la )?(presence|participation|connexion|assistance)| en reunion)?"
        r"|duree (dans|pendant|de) la (reunion|session)|time in (session|meeting)|(online )?time attended|online time"
        r"|minutes|temps (en|dans|de) (la )?(session|reunion|ligne|presence|connexion)",
        Column.REGISTRATION_STATUS: r"registration status|(statut|etat) (d|de l) ?inscription",
    }.items()
}
VALUE = re.compile(r"\d|.*@")  # an hour, a length, an address: no heading, and quickly told
REGISTRATION = re.compile(r"registration (.+)|(.+?)(?: d| de l)? inscription")

ABOUT_THE_MEETING = {
    *["topic", "meeting id", "webinar id", "meeting name", "meeting title"],
    *["sujet", "id de reunion", "id de la reunion", "id du webinaire", "nom de la reunion", "titre de la reunion"],
}
BIGBLUEBUTTON = re.compile(
    r"(is )?moderator|moderat(eur|rice).*|activity score|score d activite|talk time|temps de parole|webcam time"
    r"|temps de webcam|poll votes|votes au sondage|raise hands|mains levees"
)


def heading(cell: str) -> str:
    """« Name (Original Name) » is « name »; « Durée (minutes) » is « duree »."""
    return folded(re.sub(r"\(.*?\)", " ", cell[:MAX_HEADING]))


def meaning(text: str) -> Column | None:
    """Of a folded heading."""
    for column, headings in EXACT.items():
        if text in headings:
            return column
    for column, pattern in PATTERNS.items():
        if pattern.fullmatch(text):
            return column
    if found := REGISTRATION.fullmatch(text):
        base = found[1] or found[2]
        return Column.REGISTERED_LAST_NAME if base == SURNAME else REGISTERED.get(meaning(base) or Column.NAME)
    return None


def count_known(line: Line) -> int:
    """Number of known headings in the line; 0 without a column for a name or an address."""
    meanings = [meaning(heading(cell)) for cell in line.cells if cell and not VALUE.match(cell)]
    return sum(map(bool, meanings)) if LISTS_PEOPLE & set(meanings) else 0


@dataclass(frozen=True)
class Table:
    """Where the columns of a table are."""

    header: Line
    at: dict[Column, int]

    def cell(self, line: Line, column: Column) -> str:
        """Webex writes ="text" so that a spreadsheet changes nothing."""
        index = self.at.get(column)
        text = line.cells[index] if index is not None and index < len(line.cells) else ""
        return text[2:-1].strip() if text.startswith('="') and text.endswith('"') and text.count('"') == 2 else text

    @property
    def tells_presence(self) -> bool:
        return bool(IN_THE_ROOM & set(self.at))


def table(header: Line) -> Table | None:
    """None for a table about the meeting itself, which may contain the host's address."""
    headings = [heading(cell) for cell in header.cells]
    meanings = _without_polls(headings)
    is_about_the_meeting = bool(ABOUT_THE_MEETING & set(headings))
    if not LISTS_PEOPLE & set(meanings) or (is_about_the_meeting and not PERSON & set(meanings)):
        return None
    person = next((index for index, column in enumerate(meanings) if column in PERSON), 0)
    if is_about_the_meeting:  # its columns stand before those of the person, with the host's address
        meanings[:person] = [None] * person
    return Table(header, _places(headings, meanings, person))


def _without_polls(headings: list[str]) -> list[Column | None]:
    """BigBlueButton adds a column for each poll, called by its question: « Durée », « Présence ? »."""
    meanings = [meaning(text) for text in headings]
    if sum(bool(BIGBLUEBUTTON.fullmatch(text)) for text in headings) > 1 and Column.DURATION in meanings:
        last = meanings.index(Column.DURATION)
        return meanings[: last + 1]
    return meanings


def _places(headings: list[str], meanings: list[Column | None], person: int) -> dict[Column, int]:
    """Of two columns with one meaning, the first from the person's name on; else the last before it."""
    at: dict[Column, int] = {}
    for index in [*range(person, len(meanings)), *reversed(range(person))]:
        if (column := meanings[index]) is not None:
            at.setdefault(column, index)
    if Column.FIRST_NAME in at and Column.LAST_NAME not in at:
        names = [index for index, column in enumerate(meanings) if column == Column.NAME]
        surname = next((index for index in names if headings[index] == SURNAME), names[0] if names else None)
        if surname is not None:
            at[Column.LAST_NAME] = surname
    return at
