"""Import of people from a list: the file, then what would be added and what is wrong, then the registrations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.shared.jobs import carry_out, event_of, note_history
from registrations.admin.shared.model_admin import page
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import bulk_enrolment
from registrations.models import Event, EventQuestion, Job, Registration, Suppression, person_fields
from registrations.models.job import Outcome
from registrations.security import audit
from registrations.spreadsheets import reader
from registrations.spreadsheets.people_list import IMPORTED, RegistrantList, Row, registrant_list
from registrations.web.forms import AddressForm, AnswersForm
from registrations.worker import jobs

PERMISSION = "registrations.add_registration"
STATE, MAIL = "state", "mail"  # names of fields
WITH_MAIL, WITHOUT_MAIL = "with", "without"
STATE_KEPT = 24 * 3600  # seconds
STATE_MAX = 900_000  # characters: see DATA_UPLOAD_MAX_MEMORY_SIZE
SALT = "registrations.admin.registrant_import"
SHOWN = 100  # lines of each kind
SHORT = 2000  # people


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

    new: list[Row] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)  # of the new ones, checked
    faults: list[Fault] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)
    repeated: list[tuple[Row, int]] = field(default_factory=list)  # and the line that has the same address
    suppressed: list[Row] = field(default_factory=list)


class Shown(NamedTuple):
    """The first lines of one kind, and how many there are."""

    rows: list[Any]
    number: int
    has_more: bool


def shown(rows: list[Any]) -> Shown:
    return Shown(rows[:SHOWN], len(rows), len(rows) > SHOWN)


def reading(event: Event, people: RegistrantList) -> Reading:
    form, read = ImportedForm(event=event), Reading()
    good: list[tuple[Row, dict[str, Any]]] = []
    for row in people.rows:
        form.check(row)
        if form.errors:
            read.faults.extend(_faults(form, row, people.headings))
        else:
            good.append((row, form.cleaned_data))
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
            read.answers.append(answers)


def _faults(form: ImportedForm, row: Row, headings: dict[str, str]) -> Iterator[Fault]:
    for name, errors in form.errors.as_data().items():
        for error in errors:
            empty = error.code == "required"
            sentence = _("This cell is empty.") if empty else " ".join(error.messages)
            yield Fault(row.line, headings.get(name, name), sentence)


def packed(event: Event, answers: list[dict[str, Any]]) -> str:
    """For the form of the next page: signed, so that exactly what was checked is added."""
    return signing.dumps(answers, salt=f"{SALT}.{event.pk}", compress=True)


def unpacked(event: Event, state: str) -> list[dict[str, Any]] | None:
    """None when it is older than a day, or not signed by this site."""
    try:
        people: list[dict[str, Any]] = signing.loads(state, salt=f"{SALT}.{event.pk}", max_age=STATE_KEPT)
    except signing.BadSignature:
        return None
    return people


class ListForm(forms.Form):
    people = forms.FileField(
        label=gettext_lazy("List of people (CSV or XLSX)"),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choose the file to read.")},
    )

    def __init__(self, *args: Any, event: Event) -> None:
        super().__init__(*args)
        self.event = event
        self.fields["people"].help_text = _(
            "2 MB and 5,000 people at most. Its first line names the columns: %(required)s; %(optional)s if you have "
            "them. It is read and not kept."
        ) % {
            "required": ", ".join(str(one.label) for one in IMPORTED if one.is_required),
            "optional": get_text_list([str(one.label) for one in IMPORTED if not one.is_required], _("and")),
        }

    def clean_people(self) -> Reading:
        file: UploadedFile[bytes] = self.cleaned_data["people"]
        try:
            read = reading(self.event, registrant_list(file.read(reader.MAX_BYTES + 1)))
        except reader.FileNotUnderstood as error:
            raise ValidationError(str(error)) from error
        if len(packed(self.event, read.answers)) > STATE_MAX:
            raise ValidationError(_("These texts are too long together: import the list in two parts."))
        return read


@admin.display(description=gettext_lazy("people from a list"))
def registrants(event: Event) -> str:
    if not event.pk:
        return ""
    address = reverse("admin:registrations_event_registrants", args=[event.pk])
    return format_html('<a href="{}">{}</a>', address, _("Import people from a list"))


def import_registrants(request: HttpRequest, pk: int) -> HttpResponse:
    """First the file, then what would be added. Nobody is added before it is confirmed."""
    event = get_object_or_404(Event, pk=pk)
    if event.status == Event.Status.CANCELLED:
        messages.error(request, _("This event is cancelled: nobody is added to it."))
        return HttpResponseRedirect(reverse("admin:registrations_event_change", args=[event.pk]))
    if STATE in request.POST:
        return _add(request, event)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ListForm(*sent, event=event)
    if form.is_valid():
        return _proposal(request, event, form.cleaned_data["people"])
    return _step(request, "admin/people_upload.html", event, form=form)


def _proposal(request: HttpRequest, event: Event, read: Reading) -> HttpResponse:
    places = bulk_enrolment.places(event, len(read.new))
    return _step(
        request,
        "admin/people_proposal.html",
        event,
        places=places,
        added=places.seats + places.on_waiting_list,
        new=shown(read.new),
        faults=shown(read.faults),
        faulty_lines=len({fault.line for fault in read.faults}),
        known=shown(read.known),
        repeated=shown(read.repeated),
        suppressed=len(read.suppressed),
        may_write=bool(read.new) and event.status == Event.Status.PUBLISHED,
        state=packed(event, read.answers),
    )


def _add(request: HttpRequest, event: Event) -> HttpResponse:
    people = unpacked(event, request.POST[STATE])
    if people is None:
        messages.error(request, _("This page had been open for long: choose the file again. Nobody was added."))
        return HttpResponseRedirect(request.path)
    job = Job(
        kind=Job.Kind.IMPORT,
        title=_("Import people from a list"),
        event=event,
        permission=PERMISSION,
        total=len(people),
        parameters={"people": people, "with_mail": request.POST.get(MAIL) == WITH_MAIL},
    )
    return carry_out(request, job, then=list_path(Registration, event__id__exact=event.pk))


def _step(request: HttpRequest, template: str, event: Event, **context: Any) -> TemplateResponse:
    return page(request, Event, template, title=_("Import people from a list"), event=event, **context)


@jobs.handler(Job.Kind.IMPORT, short=SHORT, is_one_transaction=True)
def add_people(job: Job) -> Outcome:
    event, people, with_mail = event_of(job), job.parameters["people"], job.parameters["with_mail"]
    if event.status == Event.Status.CANCELLED:
        raise jobs.Refused(_("This event is cancelled: nobody is added to it."))
    added = bulk_enrolment.enrol(event, people, with_mail=with_mail)
    note_history(job.asked_by, added, ADDITION, _("Imported from a list."))
    waiting = sum(one.is_waiting for one in added)
    counts = {"added": len(added), "waiting": waiting, "left_out": len(people) - len(added)}
    audit.record(audit.Action.IMPORTED, about=event, with_mail=with_mail, **counts)
    return Outcome(list(_told(**counts)))


def _told(*, added: int, waiting: int, left_out: int) -> Iterator[tuple[str, str]]:
    words = ngettext("%(count)s person is added.", "%(count)s people are added.", added)
    yield "success", words % {"count": added}
    if waiting:
        words = ngettext(
            "%(count)s of them is on the waiting list.", "%(count)s of them are on the waiting list.", waiting
        )
        yield "info", words % {"count": waiting}
    if left_out:
        words = ngettext(
            "%(count)s person was left out: on the list already, or without a free place.",
            "%(count)s people were left out: on the list already, or without a free place.",
            left_out,
        )
        yield "warning", words % {"count": left_out}


PAGES = [AdminPage("<int:pk>/registrants/", import_registrants, name="registrants", permissions=(PERMISSION,))]
