"""Lists to download. The password must be fresh, and each download is recorded in the audit log."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.mails.deliveries import is_yet_to_come, mail_state
from registrations.admin.people.attendance import attendance_summary
from registrations.admin.shared import model_admin
from registrations.admin.shared.jobs import carry_out, event_of
from registrations.admin_site.pages import AdminPage
from registrations.documents import pdf, sign_in_sheet, speakers_sheet
from registrations.domain import custom_questions
from registrations.models import Event, EventQuestion, Job, Registration, person_fields
from registrations.models.job import Outcome
from registrations.models.person_fields import BY_NAME, PersonField
from registrations.runtime.rows import in_chunks
from registrations.security import audit, event_access
from registrations.spreadsheets import newsletter, writer
from registrations.text import dates
from registrations.text.typography import french
from registrations.web.responses import file_response
from registrations.worker import jobs

PERMISSION = "registrations.export_registration"
CHUNK = 1000  # rows that are in memory with their mails and presences
ROWS_A_SECOND = 2500  # that are sent, approximately
CHOSEN = "export_columns"  # key of the session
SHORT = 250  # people on a sheet, typeset in about two seconds
CSV, XLSX = "csv", "xlsx"
FORMATS = [(XLSX, gettext_lazy("Workbook (XLSX)")), (CSV, gettext_lazy("CSV, for spreadsheets and other programs"))]
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
DOCUMENT = "document"  # name of the buttons
TERRITORY = "territory"  # name of a box


class Column(NamedTuple):
    heading: Any
    cell: Callable[[Registration], str]
    is_usual: bool = False


def _last_mail(registration: Registration) -> str:
    newest_first = (delivery for delivery in registration.deliveries.all() if not is_yet_to_come(delivery))
    return next(map(mail_state, newest_first), "")


def _iso(registration: Registration) -> str:
    return registration.created_at.astimezone(registration.event.zone).isoformat(timespec="seconds")


def _moment(registration: Registration) -> str:
    event = registration.event
    words = formats.date_format(registration.created_at.astimezone(event.zone), "SHORT_DATETIME_FORMAT")
    return words if event.timezone == settings.TIME_ZONE else f"{words} ({dates.zone_name(event)})"


def _column(field: PersonField) -> Column:
    def cell(one: Registration) -> str:
        value = getattr(one, field.name)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        return str(getattr(one, f"get_{field.name}_display")() if field.column.choices else value)

    return Column(field.export_heading or field.label, cell, is_usual=field.is_usual_column)


_EXPORTED = {one.name: _column(one) for one in person_fields.in_lists() if one.exported}
COLUMNS = {
    **{name: column for name, column in _EXPORTED.items() if column.is_usual},
    "status": Column(gettext_lazy("Status"), lambda one: str(one.get_status_display()), is_usual=True),
    "registered": Column(gettext_lazy("Registered"), _moment, is_usual=True),
    "registered_iso": Column(gettext_lazy("Registered (ISO 8601)"), _iso, is_usual=True),
    "presence": Column(gettext_lazy("Presence"), attendance_summary),
    **{name: column for name, column in _EXPORTED.items() if not column.is_usual and BY_NAME[name].asked},
    "last_mail": Column(gettext_lazy("Last mail"), _last_mail),
    **{name: column for name, column in _EXPORTED.items() if not column.is_usual and not BY_NAME[name].asked},
    "event": Column(gettext_lazy("Event"), lambda one: one.event.title),
}


def own_columns(event: Event | None) -> dict[str, Column]:
    """One for each custom question of the event, also for those that are no longer asked."""
    return {one.field_name: _own_column(one) for one in (event.own_questions.all() if event else [])}


def _own_column(question: EventQuestion) -> Column:
    def cell(one: Registration) -> str:
        answer = one.own_answers.get(question.key)
        return "" if answer is None else " ; ".join(custom_questions.words(question, answer))

    return Column(french(question.label), cell)


USUAL = [name for name, column in COLUMNS.items() if column.is_usual]


class ExportForm(forms.Form):
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one column.")},
    )
    file_format = forms.ChoiceField(
        label=gettext_lazy("File"), choices=FORMATS, initial=XLSX, widget=forms.RadioSelect
    )

    def __init__(self, data: Any, *, columns: dict[str, Column], initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        offered = cast(forms.MultipleChoiceField, self.fields["columns"])
        offered.choices = [(name, column.heading) for name, column in columns.items()]


def rows(registrations: QuerySet[Registration], columns: list[Column]) -> Iterator[list[str]]:
    """Read in chunks while the file is sent, with their mails and presences."""
    whole = registrations.select_related("event").prefetch_related("attendances", "deliveries").order_by("pk")
    for registration in in_chunks(whole, CHUNK):
        yield [column.cell(registration) for column in columns]


def spreadsheet(name: str, file_format: str, headings: list[str], lines: Iterator[list[str]]) -> HttpResponseBase:
    made = writer.csv_file(headings, lines) if file_format == CSV else writer.workbook(name, headings, lines)
    return file_response(made, f"{name}-{timezone.localdate():%Y-%m-%d}.{file_format}", CONTENT_TYPES[file_format])


def export(request: HttpRequest) -> HttpResponseBase:
    """The list of registrations as it is filtered at the moment: choice of the columns, then the file."""
    try:
        changelist = admin.site.get_model_admin(Registration).get_changelist_instance(request)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(reverse("admin:registrations_registration_changelist"))
    event = _only_event(request)
    offered = {**COLUMNS, **own_columns(event)}
    remembered = {"columns": request.session.get(CHOSEN, USUAL)}
    form = ExportForm(request.POST if request.method == "POST" else None, columns=offered, initial=remembered)
    if form.is_valid():
        request.session[CHOSEN] = names = form.cleaned_data["columns"]
        chosen = {name: column for name, column in offered.items() if name in names}
        found = changelist.queryset.order_by().values("pk")
        people = Registration.objects.without_dry_runs().filter(pk__in=found)
        return _file(request, people, chosen, form.cleaned_data["file_format"])
    count = changelist.queryset.count()
    return model_admin.page(
        request,
        Registration,
        "admin/export.html",
        title=_("Export the registrations"),
        form=form,
        count=count,
        seconds=count // ROWS_A_SECOND,
        query=request.GET.urlencode(),
        offers_own_questions=event is not None,
    )


def _file(
    request: HttpRequest, registrations: QuerySet[Registration], columns: dict[str, Column], file_format: str
) -> HttpResponseBase:
    filters = {name: value for name, value in request.GET.items() if name != "q"}
    audit.record(
        audit.Action.EXPORTED,
        list="registrations",
        filters=filters,
        columns=list(columns),
        rows=registrations.count(),
        searched=bool(request.GET.get("q")),  # not the words themselves: they may be a name
    )
    headings = [str(column.heading) for column in columns.values()]
    return spreadsheet("inscriptions", file_format, headings, rows(registrations, list(columns.values())))


def _only_event(request: HttpRequest) -> Event | None:
    """The event by which the list is filtered: only its custom questions are columns."""
    pk = request.GET.get("event__id__exact", "")
    events = event_access.limited(Event.objects.all(), request.user, "pk")
    return events.filter(pk=pk).first() if pk.isdecimal() else None


@admin.display(description=gettext_lazy("lists and sheets"))
def lists(event: Event) -> str:
    """The link on the page of an event."""
    if not event.pk:
        return ""
    address = reverse("admin:registrations_event_lists", args=[event.pk])
    return format_html('<a href="{}">{}</a>', address, _("Export, questions, sign-in sheet, newsletter"))


def event_lists(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The lists and sheets of an event; a POST names the one to download."""
    event = get_object_or_404(Event, pk=pk)
    if request.method == "POST":
        make = DOCUMENTS.get(request.POST.get(DOCUMENT, ""))
        return make(request, event) if make else HttpResponseRedirect(request.path)
    people = event.registrations.without_dry_runs()
    return model_admin.page(
        request,
        Event,
        "admin/exports.html",
        title=_("Lists and sheets"),
        event=event,
        listed=people.count(),
        questions=speakers_sheet.questions(event).count(),
        seated=people.seated().count(),
        readers=people.filter(newsletter=True).count(),
        questions_warning=speakers_sheet.glyph_warning(event),
        sheet_warning=sign_in_sheet.glyph_warning(event),
    )


def _recorded(name: str, event: Event, count: int, **more: Any) -> None:
    audit.record(audit.Action.EXPORTED, about=event, list=name, rows=count, **more)


def _questions_csv(request: HttpRequest, event: Event) -> HttpResponseBase:
    with_territory = TERRITORY in request.POST
    _recorded("questions", event, speakers_sheet.questions(event).count(), territory=with_territory)
    headings = speakers_sheet.headings(with_territory=with_territory)
    return spreadsheet("questions", CSV, headings, speakers_sheet.rows(event, with_territory=with_territory))


def _questions_pdf(request: HttpRequest, event: Event) -> HttpResponseBase:
    with_territory = TERRITORY in request.POST
    count = speakers_sheet.questions(event).count()
    detail = {"list": "questions", "rows": count, "territory": with_territory}
    return _document(request, event, _("Questions for the speakers"), "questions.pdf", detail)


def _sign_in_sheet(request: HttpRequest, event: Event) -> HttpResponseBase:
    detail = {"list": "sign-in sheet", "rows": event.registrations.without_dry_runs().seated().count()}
    return _document(request, event, _("Sign-in sheet"), "feuille-emargement.pdf", detail)


def _document(
    request: HttpRequest, event: Event, title: str, filename: str, detail: dict[str, Any]
) -> HttpResponseBase:
    job = Job(
        kind=Job.Kind.DOCUMENT,
        title=title,
        event=event,
        permission=PERMISSION,
        total=detail["rows"],
        parameters={"filename": filename, "with_territory": detail.get("territory", False)},
        detail=detail,
    )
    return carry_out(request, job)


@jobs.handler(Job.Kind.DOCUMENT, short=SHORT, is_one_transaction=False)
def typeset(job: Job) -> Outcome:
    event, filename = event_of(job), job.parameters["filename"]
    try:
        if filename == "questions.pdf":
            made = speakers_sheet.speakers_sheet(event, with_territory=job.parameters["with_territory"])
        else:
            made = sign_in_sheet.sign_in_sheet(event)
    except sign_in_sheet.TooManyPeople as error:
        raise jobs.Refused(str(error)) from error
    except pdf.RenderingFailed as error:
        raise jobs.Refused(pdf.excuse()) from error
    return Outcome([], made, filename)


def _newsletter(file_format: str) -> Callable[[HttpRequest, Event], HttpResponseBase]:
    def make(request: HttpRequest, event: Event) -> HttpResponseBase:
        _recorded("newsletter", event, newsletter.subscribers(event).count())
        return spreadsheet("lettre-information", file_format, newsletter.headings(), newsletter.rows(event))

    return make


DOCUMENTS = {
    "questions-csv": _questions_csv,
    "questions-pdf": _questions_pdf,
    "sign-in-sheet": _sign_in_sheet,
    "newsletter-csv": _newsletter(CSV),
    "newsletter-xlsx": _newsletter(XLSX),
}

MAY_EXPORT = (PERMISSION,)
PAGES = [AdminPage("export/", export, "export", permissions=MAY_EXPORT, needs_fresh_password=True)]
EVENT_PAGES = [AdminPage("<int:pk>/lists/", event_lists, "lists", permissions=MAY_EXPORT, needs_fresh_password=True)]
