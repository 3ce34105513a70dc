"""Import of people from a list: the file, then its columns with what would be added, then the registrations."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
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

from registrations.admin.imports.people_check import Reading, reading
from registrations.admin.imports.people_columns import COLUMN, STATE_MAX, ColumnsForm, Upload
from registrations.admin.shared.jobs import carry_out, event_of, note_history
from registrations.admin.shared.model_admin import page
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import bulk_enrolment
from registrations.models import Event, Job, Registration
from registrations.models.job import Outcome
from registrations.security import audit
from registrations.spreadsheets import people_list, reader
from registrations.spreadsheets.people_columns import IMPORTED
from registrations.worker import jobs

PERMISSION = "registrations.add_registration"
STATE, AGAIN, MAIL = "state", "again", "mail"  # names of fields
WITH_MAIL = "with"
SHOWN = 100  # lines of each kind
SHORT = 2000  # people


class Shown(NamedTuple):
    """The first lines of one kind, and how many there are."""

    rows: list[Any]
    number: int
    has_more: bool


def shown(rows: list[Any]) -> Shown:
    return Shown(rows[:SHOWN], len(rows), len(rows) > SHOWN)


class ListForm(forms.Form):
    people = forms.FileField(
        label=gettext_lazy("List of people (spreadsheet or CSV)"),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choose the file to read.")},
    )

    def __init__(self, *args: Any, event: Event) -> None:
        super().__init__(*args)
        self.event = event
        self.fields["people"].help_text = _(
            "XLSX, XLS, ODS, CSV or text: 2 MB and 5,000 people at most. On the next page you say which column is "
            "which: %(required)s; %(optional)s if you have them. The file is read and not kept."
        ) % {
            "required": ", ".join(str(one.label) for one in IMPORTED if one.is_required),
            "optional": get_text_list([str(one.label) for one in IMPORTED if not one.is_required], _("and")),
        }

    def clean_people(self) -> Upload:
        file: UploadedFile[bytes] = self.cleaned_data["people"]
        try:
            tables = people_list.tables(file.read(reader.MAX_BYTES + 1))
        except reader.FileNotUnderstood as error:
            raise ValidationError(str(error)) from error
        upload = Upload(tables, people_list.likely(tables))
        if len(upload.packed(self.event)) > STATE_MAX:
            raise ValidationError(_("These texts are too long together: import the list in two parts."))
        return upload


@admin.display(description=gettext_lazy("people from a list"))
def registrants(event: Event) -> str:
    if not event.pk:
        return ""
    address = reverse("admin:registrations_event_registrants", args=[event.pk])
    return format_html('<a href="{}">{}</a>', address, _("Import people from a list"))


def import_registrants(request: HttpRequest, pk: int) -> HttpResponse:
    """First the file, then its columns with what would be added. Nobody is added before it is confirmed."""
    event = get_object_or_404(Event, pk=pk)
    if event.status == Event.Status.CANCELLED:
        messages.error(request, _("This event is cancelled: nobody is added to it."))
        return HttpResponseRedirect(reverse("admin:registrations_event_change", args=[event.pk]))
    if STATE in request.POST:
        return _continue(request, event)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ListForm(*sent, event=event)
    if form.is_valid():
        return _columns(request, event, form.cleaned_data["people"])
    return _step(request, "admin/people_upload.html", event, form=form)


def _continue(request: HttpRequest, event: Event) -> HttpResponse:
    upload = Upload.unpacked(event, request.POST[STATE])
    if upload is None:
        messages.error(request, _("This page had been open for long: choose the file again. Nobody was added."))
        return HttpResponseRedirect(request.path)
    chosen = upload.with_sheet(request.POST)
    if chosen.sheet == upload.sheet and any(name.startswith(COLUMN) for name in request.POST):
        return _columns(request, event, chosen, request.POST)
    return _columns(request, event, chosen, chosen.choice)


def _columns(
    request: HttpRequest, event: Event, upload: Upload, data: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Add the people when the page that was sent had shown just what is chosen; otherwise show it."""
    if upload.table is None:
        return _step(request, "admin/people_sheets.html", event, upload=upload, state=upload.packed(event))
    form = ColumnsForm(data, table=upload.table)
    with_mail = request.POST.get(MAIL) == WITH_MAIL
    context = {"form": form, "upload": upload, "table": upload.table, "with_mail": with_mail}
    if not form.is_valid():
        return _step(request, "admin/people_proposal.html", event, state=upload.packed(event), **context)
    read = reading(event, form.rows(), form.headings)
    if STATE in request.POST and AGAIN not in request.POST:
        if form.cleaned_data == upload.choice and read.good.keys() >= set(upload.new):
            return _add(request, event, [read.good[line] for line in upload.new])
        messages.warning(request, _("The choices have changed: look at what is added now, and confirm."))
    upload = replace(upload, choice=form.cleaned_data, new=[row.line for row in read.new])
    return _step(request, "admin/people_proposal.html", event, **context, **_proposal(event, upload, read))


def _proposal(event: Event, upload: Upload, read: Reading) -> dict[str, Any]:
    places = bulk_enrolment.places(event, len(read.new))
    return {
        "read": read,
        "places": places,
        "added": places.seats + places.on_waiting_list,
        "new": shown(read.new),
        "doubtful": shown([row for row in read.new if row.is_name_doubtful]),
        "slips": shown(read.slips),
        "faults": shown(read.faults),
        "known": shown(read.known),
        "repeated": shown(read.repeated),
        "suppressed": len(read.suppressed),
        "may_write": bool(read.new) and event.status == Event.Status.PUBLISHED,
        "state": upload.packed(event),
    }


def _add(request: HttpRequest, event: Event, people: list[dict[str, Any]]) -> HttpResponse:
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
