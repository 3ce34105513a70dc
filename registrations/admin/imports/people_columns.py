"""What was uploaded, and how the organiser wants it to be read: the sheet, and what each column is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.models import Event
from registrations.models.person_fields import BY_NAME, Kind
from registrations.spreadsheets import people_columns, people_list, reader
from registrations.spreadsheets.people_columns import FIRST_LAST, FULL_NAMES, IMPORTED, LAST_FIRST
from registrations.spreadsheets.people_list import Table
from registrations.spreadsheets.reader import Line

STATE_KEPT = 24 * 3600  # seconds
STATE_MAX = 900_000  # characters: see DATA_UPLOAD_MAX_MEMORY_SIZE
SALT = "registrations.admin.registrant_import"
EXAMPLES, EXAMPLE_LENGTH = 2, 40
COLUMN, FOR_ALL, HIDDEN, SHEET = "column-", "all-", "hidden", "sheet"  # names of fields
NAMES_IN_ONE = {
    LAST_FIRST: gettext_lazy("Last name then first name"),
    FIRST_LAST: gettext_lazy("First name then last name"),
}


@dataclass(frozen=True)
class Upload:
    """What travels from page to page in the form, signed: nothing is kept on the server."""

    tables: list[Table]
    sheet: int | None  # index of the table to import; None: not chosen yet
    choice: dict[str, Any] | None = None  # what the last page showed: the columns, as cleaned by the form
    new: list[int] = field(default_factory=list)  # lines that it said it would add

    def packed(self, event: Event) -> str:
        tables = [
            [
                *[one.name, one.is_hidden, one.knows_hidden, one.is_too_long],
                *[one.header and [one.header.number, one.header.cells], sorted(one.hidden_lines)],
                [[line.number, line.cells] for line in one.lines],
            ]
            for one in self.tables
        ]
        return signing.dumps([tables, self.sheet, self.choice, self.new], salt=f"{SALT}.{event.pk}", compress=True)

    @classmethod
    def unpacked(cls, event: Event, state: str) -> Self | None:
        """None when it is older than a day, or not signed by this site."""
        try:
            tables, *rest = signing.loads(state, salt=f"{SALT}.{event.pk}", max_age=STATE_KEPT)
        except signing.BadSignature:
            return None
        found = [
            Table(
                name=name,
                is_hidden=is_hidden,
                header=Line(*header) if header else None,
                lines=[Line(*line) for line in lines],
                hidden_lines=frozenset(hidden),
                knows_hidden=knows_hidden,
                is_too_long=is_too_long,
            )
            for name, is_hidden, knows_hidden, is_too_long, header, hidden, lines in tables
        ]
        return cls(found, *rest)

    def with_sheet(self, posted: QueryDict) -> Self:
        """With another sheet, its columns are guessed anew."""
        sheet = posted.get(SHEET, "")
        if not (sheet.isascii() and sheet.isdigit() and int(sheet) < len(self.tables)) or int(sheet) == self.sheet:
            return self
        return replace(self, sheet=int(sheet), choice=None)

    @property
    def table(self) -> Table | None:
        return None if self.sheet is None else self.tables[self.sheet]

    @property
    def sheets(self) -> list["SheetChoice"]:
        """To choose from; none when there is only one."""
        if len(self.tables) == 1:
            return []
        return [SheetChoice(at, table, at == self.sheet) for at, table in enumerate(self.tables)]


@dataclass(frozen=True)
class SheetChoice:
    value: int
    table: Table
    is_chosen: bool

    @property
    def words(self) -> str:
        count = len(self.table.lines)
        words = ngettext("%(sheet)s (%(count)s line)", "%(sheet)s (%(count)s lines)", count)
        if self.table.is_too_long:
            words = _("%(sheet)s (too many lines)")
        elif self.table.is_hidden:
            words = ngettext("%(sheet)s (hidden, %(count)s line)", "%(sheet)s (hidden, %(count)s lines)", count)
        return words % {"sheet": self.table.name, "count": count}


class ColumnsForm(forms.Form):
    """What each column of a table is. Without data, as it is guessed."""

    def __init__(self, data: Mapping[str, Any] | None, *, table: Table) -> None:
        self.table = table
        self.guess = people_columns.guess(table.headings, table.lines)
        super().__init__(data or {f"{COLUMN}{at}": kind for at, kind in self.guess.columns.items()}, label_suffix="")
        self.is_guessed = not data
        choices = [("", _("Not imported")), *_kinds()]
        for at, heading in enumerate(table.headings):
            examples = _examples(table, at)
            if heading or examples:
                self.fields[f"{COLUMN}{at}"] = forms.ChoiceField(
                    label=_("Column “%(heading)s” is") % {"heading": heading or _letters(at)},
                    help_text=_("For example: %(cells)s") % {"cells": " · ".join(examples)} if examples else "",
                    choices=choices,
                    required=False,
                )
        for one in IMPORTED:
            if one.is_required and one.asked and one.asked.kind == Kind.TEXT:
                self.fields[f"{FOR_ALL}{one.name}"] = forms.CharField(
                    label=_("%(field)s of everyone, if no column has it") % {"field": one.label},
                    max_length=one.column.max_length,
                    required=False,
                )
        if table.hidden_lines:
            self.fields[HIDDEN] = forms.BooleanField(label=_("Import the hidden lines too"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.table.is_too_long:
            raise ValidationError(str(reader.too_long(people_list.LIMIT)))
        met: set[str] = set()
        for name, kind in _columns(cleaned):
            for chosen in _fields(kind):
                if chosen in met:
                    words = {"field": BY_NAME[chosen].label}
                    self.add_error(name, _("“%(field)s” is chosen twice: keep one.") % words)
            met.update(_fields(kind))
        for one in IMPORTED:
            if one.is_required and one.name not in met and not cleaned.get(f"{FOR_ALL}{one.name}"):
                self.add_error(None, _("No column is “%(field)s”: choose it below.") % {"field": one.label})
        return cleaned

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(COLUMN)]

    @property
    def others(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(FOR_ALL)]

    @property
    def needs_a_look(self) -> bool:
        """Whether something is wrong, or is no more than a guess."""
        return bool(self.errors) or (self.is_guessed and not self.guess.is_certain)

    @property
    def chosen(self) -> dict[int, str]:
        """Kind by the index of the column."""
        return {int(name.removeprefix(COLUMN)): kind for name, kind in _columns(self.cleaned_data)}

    @property
    def headings(self) -> dict[str, str]:
        """Of each field its heading in the file, or where it comes from."""
        named = self.table.headings
        found = {one.name: str(one.label) for one in IMPORTED}
        for at, kind in self.chosen.items():
            found.update(dict.fromkeys(_fields(kind), named[at] or _letters(at)))
        return found

    def rows(self) -> Iterator[people_list.Row]:
        columns = self.chosen
        found = {one for kind in columns.values() for one in _fields(kind)}
        for_all = {
            name.removeprefix(FOR_ALL): value
            for name, value in self.cleaned_data.items()
            if name.startswith(FOR_ALL) and value and name.removeprefix(FOR_ALL) not in found
        }
        return people_list.rows(self.table, columns, for_all, with_hidden=self.cleaned_data.get(HIDDEN, True))


def _kinds() -> Iterator[tuple[str, Any]]:
    for one in IMPORTED:
        yield one.name, one.label
        if one.name == "first_name":
            yield from NAMES_IN_ONE.items()


def _columns(cleaned: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind in cleaned.items() if name.startswith(COLUMN) and kind]


def _fields(kind: str) -> tuple[str, ...]:
    return ("last_name", "first_name") if kind in FULL_NAMES else (kind,)


def _examples(table: Table, at: int) -> list[str]:
    cells = (line.cells[at] for line in table.lines if at < len(line.cells))
    different = dict.fromkeys(cell for cell in cells if cell)
    return [cell[:EXAMPLE_LENGTH] for cell, _number in zip(different, range(EXAMPLES), strict=False)]


def _letters(at: int) -> str:
    """As spreadsheets name a column without a heading: A, B … Z, AA."""
    return (chr(ord("A") + at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)
