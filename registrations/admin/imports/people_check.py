"""What would become of each line of a list of people: added, to be corrected, known already."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from registrations.domain import bulk_enrolment
from registrations.models import Event, EventQuestion, Suppression, person_fields
from registrations.spreadsheets.decoding import UNREADABLE
from registrations.spreadsheets.people_list import Row
from registrations.spreadsheets.workbook_marks import ERROR
from registrations.text import email_typos
from registrations.web.forms import AddressForm, AnswersForm


class ImportedForm(AnswersForm, AddressForm):
    """The checks of the public form, for one line after another."""

    corrects = False

    def __init__(self, *, event: Event) -> None:
        super().__init__(event=event)
        self.is_bound = True
        for name in person_fields.names(lambda one: not one.headings):
            self.fields.pop(name, None)

    def _asked(self, event: Event) -> list[EventQuestion]:
        return []  # only the person answers the custom questions, on their own page

    def check(self, row: Row) -> None:
        self.data = row.cells  # the form reads it like data from a browser
        self.full_clean()


@dataclass(frozen=True)
class Fault:
    line: int
    column: str
    sentence: str


@dataclass
class Reading:
    """The lines, by what happens to them."""

    good: dict[int, dict[str, Any]] = field(default_factory=dict)  # by line: the answers, checked; none has a fault
    new: list[Row] = field(default_factory=list)
    slips: list[tuple[Row, str]] = field(default_factory=list)  # of the new ones: and the question about the address
    faults: list[Fault] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)
    repeated: list[tuple[Row, int]] = field(default_factory=list)  # and the line that has the same address
    suppressed: list[Row] = field(default_factory=list)

    @property
    def faulty_lines(self) -> int:
        return len({fault.line for fault in self.faults})


def reading(event: Event, rows: Iterable[Row], headings: Mapping[str, str]) -> Reading:
    """`headings`: of each field, as faults name it."""
    form, read = ImportedForm(event=event), Reading()
    good: list[tuple[Row, dict[str, Any]]] = []
    for row in rows:
        unreadable = list(_unreadable(row, headings))
        if not unreadable:
            form.check(row)
        if unreadable or form.errors:
            read.faults.extend(unreadable or _faults(form, row, headings))
        else:
            good.append((row, form.cleaned_data))
    read.good = {row.line: answers for row, answers in good}
    _sort(event, good, read)
    return read


def _sort(event: Event, good: list[tuple[Row, dict[str, Any]]], read: Reading) -> None:
    addresses = [answers["email"] for _row, answers in good]
    known, suppressed = bulk_enrolment.known(event, addresses), Suppression.objects.among(addresses)
    met: dict[str, int] = {}
    for row, answers in good:
        address = answers["email"].lower()
        if address in known:
            read.known.append(row)
        elif address in suppressed:
            read.suppressed.append(row)
        elif address in met:
            read.repeated.append((row, met[address]))
        else:
            met[address] = row.line
            read.new.append(row)
            if slip := email_typos.question(answers["email"]):
                read.slips.append((row, slip))


def _unreadable(row: Row, headings: Mapping[str, str]) -> Iterator[Fault]:
    """Cells that hold an error of the spreadsheet, or a character that could not be read."""
    for name, cell in row.cells.items():
        if ERROR.fullmatch(cell):
            sentence = _("This cell holds an error of the spreadsheet, “%(cell)s”.")
        elif UNREADABLE in cell:
            sentence = _("“%(cell)s” holds a character that cannot be read: correct it, and save the file in UTF-8.")
        else:
            continue
        yield Fault(row.line, headings.get(name, name), sentence % {"cell": cell})


def _faults(form: ImportedForm, row: Row, headings: Mapping[str, str]) -> Iterator[Fault]:
    for name, errors in form.errors.as_data().items():
        for error in errors:
            empty = error.code == "required"
            sentence = _("This cell is empty.") if empty else " ".join(error.messages)
            yield Fault(row.line, headings.get(name, name), sentence)
