"""Import of the participant report of a meeting room: the file, its matches with the registrations, the presences."""

import re
from dataclasses import astuple, dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.people.attendance import NOTED
from registrations.admin.shared.jobs import carry_out, event_of, note_history
from registrations.admin.shared.model_admin import page
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import attendance
from registrations.domain.attendance import Likeness, Proposal
from registrations.models import Event, Job, Registration
from registrations.models.attendance import has_attended
from registrations.models.job import Outcome
from registrations.spreadsheets import attendance_report, reader
from registrations.spreadsheets.attendance_report import Participant
from registrations.worker import jobs

PERMISSION = "registrations.change_registration"
STATE = "state"  # name of a field
STATE_KEPT = 24 * 3600  # seconds
SALT = "registrations.admin.presence_import"
SHORT = 800  # people
UNMATCHED_SHOWN = 300
MATCHED_MAX = 2000  # each is a field of the form: see DATA_UPLOAD_MAX_NUMBER_FIELDS
PRIMARY_KEY = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One line of the page of matches, and the registration that is ticked or chosen in it."""

    field: str
    proposal: Proposal
    chosen: str

    @property
    def person(self) -> Registration:
        return self.proposal.candidates[0]

    @property
    def is_doubtful(self) -> bool:
        return self.proposal.likeness == Likeness.DOUBTFUL

    @property
    def reason(self) -> str:
        return {
            Likeness.CERTAIN: _("Same address"),
            Likeness.LIKELY: _("Same name"),
        }.get(self.proposal.likeness, _("To be chosen"))


def rows(proposals: list[Proposal], answered: QueryDict) -> list[Row]:
    """As they were answered. On the first page, certain and likely matches are ticked."""
    found = []
    for index, proposal in enumerate(proposals):
        name = f"presence-{index}"
        is_ticked = proposal.likeness != Likeness.DOUBTFUL
        proposed = str(proposal.candidates[0].pk) if is_ticked else ""
        found.append(Row(name, proposal, answered.get(name, "") if STATE in answered else proposed))
    return found


def packed(event: Event, participants: list[Participant]) -> str:
    """For the form of the page of matches: signed, so that exactly what was read is confirmed."""
    return signing.dumps([astuple(one) for one in participants], salt=f"{SALT}.{event.pk}", compress=True)


def unpacked(event: Event, state: str) -> list[Participant] | None:
    """None when it is older than a day, or not signed by this site."""
    try:
        read = signing.loads(state, salt=f"{SALT}.{event.pk}", max_age=STATE_KEPT)
    except signing.BadSignature:
        return None
    return [Participant(*one) for one in read]


class ReportForm(forms.Form):
    report = forms.FileField(
        label=gettext_lazy("Participant report (CSV)"),
        help_text=gettext_lazy(
            "The file that Zoom, Teams or BigBlueButton lets you download after the session, as it is: 2 MB at most. "
            "It is read and not kept."
        ),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choose the file to read.")},
    )

    def __init__(self, *args: Any, event: Event) -> None:
        super().__init__(*args)
        self.event = event

    def clean_report(self) -> list[Proposal]:
        file: UploadedFile[bytes] = self.cleaned_data["report"]
        try:
            participants = attendance_report.participants(file.read(reader.MAX_BYTES + 1))
        except reader.FileNotUnderstood as error:
            raise ValidationError(str(error)) from error
        proposals = attendance.proposals(self.event, participants)
        if sum(bool(proposal.candidates) for proposal in proposals) > MATCHED_MAX:
            raise ValidationError(_("This file names too many registered people: import it in two parts."))
        return proposals


def list_of_present(event: Event) -> str:
    return list_path(Registration, event__id__exact=event.pk, presence="yes")


@admin.display(description=gettext_lazy("presences"))
def presences(event: Event) -> str:
    if not event.pk:
        return ""
    count = event.registrations.without_dry_runs().filter(has_attended()).count()
    return format_html(
        '<a href="{}">{}</a> · <a href="{}">{}</a>',
        list_of_present(event),
        ngettext("%(count)s person was there", "%(count)s people were there", count) % {"count": count},
        reverse("admin:registrations_event_presences", args=[event.pk]),
        _("Import the presences"),
    )


def import_presences(request: HttpRequest, pk: int) -> HttpResponse:
    """First the file, then the proposed matches. Nothing is saved before they are confirmed."""
    event = get_object_or_404(Event, pk=pk)
    if STATE in request.POST:
        return _confirm(request, event)
    form = ReportForm(request.POST or None, request.FILES or None, event=event)
    if request.method == "POST" and form.is_valid():
        return _matches(request, event, form.cleaned_data["report"])
    return _page(request, "admin/attendance_upload.html", event, form=form)


def _matches(request: HttpRequest, event: Event, proposals: list[Proposal]) -> HttpResponse:
    shown = rows([proposal for proposal in proposals if proposal.candidates], request.POST)
    unmatched = [proposal.participant for proposal in proposals if not proposal.candidates]
    sent_back = [row.proposal.participant for row in shown] + unmatched[:UNMATCHED_SHOWN]
    return _page(
        request,
        "admin/attendance_matches.html",
        event,
        rows=shown,
        ticked=len({row.chosen for row in shown} - {""}),
        unmatched=unmatched[:UNMATCHED_SHOWN],
        not_shown=max(0, len(unmatched) - UNMATCHED_SHOWN),
        state=packed(event, sent_back),
    )


def _confirm(request: HttpRequest, event: Event) -> HttpResponse:
    participants = unpacked(event, request.POST[STATE])
    if participants is None:
        messages.error(request, _("This page had been open for long: choose the file again. Nothing was noted."))
        return HttpResponseRedirect(request.path)
    confirmed = [
        (int(pk), participant.minutes)
        for index, participant in enumerate(participants)
        if PRIMARY_KEY.fullmatch(pk := request.POST.get(f"presence-{index}", ""))
    ]
    if not confirmed:
        messages.error(request, _("Tick at least one person: nothing was noted."))
        return _matches(request, event, attendance.proposals(event, participants))
    job = Job(
        kind=Job.Kind.PRESENCES,
        title=_("Import the presences"),
        event=event,
        permission=PERMISSION,
        total=len(confirmed),
        parameters={"confirmed": confirmed},
    )
    return carry_out(request, job, then=list_of_present(event))


def _page(request: HttpRequest, template: str, event: Event, **context: Any) -> TemplateResponse:
    return page(request, Event, template, title=_("Import the presences"), event=event, **context)


@jobs.handler(Job.Kind.PRESENCES, short=SHORT, is_one_transaction=True)
def note_presences(job: Job) -> Outcome:
    confirmed = job.parameters["confirmed"]
    noted = attendance.note_report(event_of(job), confirmed)
    note_history(job.asked_by, noted, CHANGE, _("Presence imported from the room’s report."))
    told = [("success", str(NOTED % {"count": len(noted)}))]
    if left_out := len(dict(confirmed)) - len(noted):
        words = ngettext(
            "%(count)s person was left out: they have no seat any more.",
            "%(count)s people were left out: they have no seat any more.",
            left_out,
        )
        told.append(("warning", words % {"count": left_out}))
    return Outcome(told)


PAGES = [AdminPage("<int:pk>/presences/", import_presences, name="presences", permissions=(PERMISSION,))]
