"""Import of the participant report of a meeting room: the file, its matches with the registrations, the presences."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.people.attendance import NOTED
from registrations.admin.shared.jobs import carry_out, event_of, note_history
from registrations.admin.shared.model_admin import page
from registrations.admin_site.pages import AdminPage, list_path
from registrations.documents import glyphs
from registrations.domain import attendance
from registrations.domain.attendance import Likeness, Proposal
from registrations.models import Event, Job, Registration
from registrations.models.attendance import has_attended
from registrations.models.job import Outcome
from registrations.security import audit
from registrations.spreadsheets import attendance_report, reader
from registrations.spreadsheets.attendance_report import Participant
from registrations.worker import jobs

PERMISSION = "registrations.change_registration"
STATE, NOT_SHOWN = "state", "not_shown"  # names of fields
STATE_KEPT = 24 * 3600  # seconds
SALT = "registrations.admin.presence_import"
SHORT = 800  # people
UNMATCHED_SHOWN = 300
NAMES_SHOWN = 20
MATCHED_MAX = 2000  # each is a field of the form, as are the unmatched: see DATA_UPLOAD_MAX_NUMBER_FIELDS
CHOICES_MAX = 12_000  # on the page: above it, an address is typed in place of each list of people
PRIMARY_KEY = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One line of the page of matches, and the registration that is ticked, chosen or typed in it."""

    field: str
    proposal: Proposal
    chosen: str
    error: str = ""

    @property
    def person(self) -> Registration:
        return self.proposal.candidates[0]

    @property
    def is_doubtful(self) -> bool:
        return self.proposal.likeness == Likeness.DOUBTFUL

    @property
    def is_unmatched(self) -> bool:
        return self.proposal.likeness == Likeness.UNMATCHED

    @property
    def reason(self) -> str:
        return {
            Likeness.CERTAIN: _("Same address"),
            Likeness.LIKELY: _("Same name"),
        }.get(self.proposal.likeness, _("To be chosen"))


def field_of(index: int) -> str:
    """The name of the field of a participant, by the place in the state: it stays when registrations change."""
    return f"presence-{index}"


def rows(proposals: list[Proposal], answered: QueryDict, errors: Mapping[str, str]) -> list[Row]:
    """As they were answered. On the first page, certain and likely matches are ticked."""
    found = []
    for index, proposal in enumerate(proposals):
        name = field_of(index)
        is_ticked = proposal.likeness in {Likeness.CERTAIN, Likeness.LIKELY}
        proposed = str(proposal.candidates[0].pk) if is_ticked else ""
        chosen = answered.get(name, "") if STATE in answered else proposed
        found.append(Row(name, proposal, chosen, errors.get(name, "")))
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
    return [
        Participant(name, email, minutes, tuple((start, end) for spans in more for start, end in spans))
        for name, email, minutes, *more in read
    ]


class ReportForm(forms.Form):
    report = forms.FileField(
        label=gettext_lazy("Participant report (CSV or XLSX)"),
        help_text=gettext_lazy(
            "The file that Zoom, Teams, BigBlueButton or Webex lets you download after the session, as it is: "
            "2 MB at most. It is read and not kept."
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
        '<a href="{}">{}</a> · <a href="{}">{}</a>{}',
        list_of_present(event),
        ngettext("%(count)s person was there", "%(count)s people were there", count) % {"count": count},
        reverse("admin:registrations_event_presences", args=[event.pk]),
        _("Import the presences"),
        _names_without_glyphs(event) if count and event.is_over else SafeString(),
    )


def _names_without_glyphs(event: Event) -> SafeString:
    """Whose certificate is not made, because no font has a character of the name."""
    unusual = Q(first_name__regex=glyphs.UNUSUAL) | Q(last_name__regex=glyphs.UNUSUAL)
    people = event.registrations.without_dry_runs().certified().filter(unusual)
    names = glyphs.without_glyphs(f"{first} {last}" for first, last in people.values_list("first_name", "last_name"))
    if not names:
        return SafeString()
    words = ngettext(
        "No certificate for %(count)s name, which no font of the server can write: %(names)s. Have fonts installed "
        "(Debian, Ubuntu: %(packages)s), or correct the name.",
        "No certificate for %(count)s names, which no font of the server can write: %(names)s. Have fonts installed "
        "(Debian, Ubuntu: %(packages)s), or correct the names.",
        len(names),
    )
    shown = ", ".join([*names[:NAMES_SHOWN], *["…"] * (len(names) > NAMES_SHOWN)])
    told = words % {"count": len(names), "names": shown, "packages": glyphs.PACKAGES}
    return format_html('<p class="errornote">{}</p>', told)


def import_presences(request: HttpRequest, pk: int) -> HttpResponse:
    """First the file, then the proposed matches. Nothing is saved before they are confirmed."""
    event = get_object_or_404(Event, pk=pk)
    if STATE in request.POST:
        return _confirm(request, event)
    form = ReportForm(request.POST or None, request.FILES or None, event=event)
    if request.method == "POST" and form.is_valid():
        return _first_matches(request, event, form.cleaned_data["report"])
    return _page(request, "admin/attendance_upload.html", event, form=form)


def _matches(
    request: HttpRequest, event: Event, proposals: list[Proposal], *, not_shown: int, errors: Mapping[str, str]
) -> HttpResponse:
    """The page of matches. The proposals are in the order of the state that its form sends back."""
    lines = rows(proposals, request.POST, errors)
    unmatched = [row for row in lines if row.is_unmatched]
    open_rows = sum(row.is_unmatched or row.is_doubtful for row in lines)
    people = attendance.seated(event) if open_rows else []
    found = {row.person.pk for row in lines if not row.is_unmatched and not row.is_doubtful}
    return _page(
        request,
        "admin/attendance_matches.html",
        event,
        rows=[row for row in lines if not row.is_unmatched],
        ticked=len({row.chosen for row in lines} - {""}),
        unmatched=unmatched,
        not_shown=not_shown,
        people=people,
        choices=[
            (_("Not in this report so far"), [person for person in people if person.pk not in found]),
            (_("Already in this report"), [person for person in people if person.pk in found]),
        ],
        is_typed=len(people) * open_rows > CHOICES_MAX,
        errors=errors,
        state=packed(event, [proposal.participant for proposal in proposals]),
    )


def _first_matches(request: HttpRequest, event: Event, proposals: list[Proposal]) -> HttpResponse:
    matched = [proposal for proposal in proposals if proposal.candidates]
    unmatched = [proposal for proposal in proposals if not proposal.candidates]
    not_shown = max(0, len(unmatched) - UNMATCHED_SHOWN)
    return _matches(request, event, [*matched, *unmatched[:UNMATCHED_SHOWN]], not_shown=not_shown, errors={})


def _confirm(request: HttpRequest, event: Event) -> HttpResponse:
    participants = unpacked(event, request.POST[STATE])
    if participants is None:
        messages.error(request, _("This page had been open for long: choose the file again. Nothing was noted."))
        return HttpResponseRedirect(request.path)
    chosen, errors = _choices(event, participants, request.POST)
    if errors or not chosen:
        if not errors:
            messages.error(request, _("Tick at least one person: nothing was noted."))
        not_shown = request.POST.get(NOT_SHOWN, "")
        return _matches(
            request,
            event,
            attendance.proposals(event, participants),
            not_shown=int(not_shown) if PRIMARY_KEY.fullmatch(not_shown) else 0,
            errors=errors,
        )
    confirmed = [(pk, attendance.minutes_together(names)) for pk, names in chosen.items()]
    job = Job(
        kind=Job.Kind.PRESENCES,
        title=_("Import the presences"),
        event=event,
        permission=PERMISSION,
        total=len(confirmed),
        parameters={"confirmed": confirmed},
    )
    return carry_out(request, job, then=list_of_present(event))


def _choices(
    event: Event, participants: list[Participant], answers: QueryDict
) -> tuple[dict[int, list[Participant]], dict[str, str]]:
    """The participants of each chosen registration, by its id; and the errors, by field."""
    chosen: defaultdict[int, list[Participant]] = defaultdict(list)
    errors: dict[str, str] = {}
    by_address: dict[str, int] = {}
    for index, participant in enumerate(participants):
        answer = answers.get(field_of(index), "").strip()
        if PRIMARY_KEY.fullmatch(answer):
            chosen[int(answer)].append(participant)
        elif answer:  # typed
            by_address = by_address or {person.email.lower(): person.pk for person in attendance.seated(event)}
            if pk := by_address.get(answer.lower()):
                chosen[pk].append(participant)
            else:
                errors[field_of(index)] = _("Nobody with a seat has this address. Take one of the list.")
    return dict(chosen), errors


def _page(request: HttpRequest, template: str, event: Event, **context: Any) -> TemplateResponse:
    return page(request, Event, template, title=_("Import the presences"), event=event, **context)


@jobs.handler(Job.Kind.PRESENCES, short=SHORT, is_one_transaction=True)
def note_presences(job: Job) -> Outcome:
    confirmed = job.parameters["confirmed"]
    noted = attendance.note_report(event_of(job), confirmed)
    note_history(job.asked_by, noted, CHANGE, _("Presence imported from the room’s report."))
    left_out = len(dict(confirmed)) - len(noted)
    audit.record(audit.Action.IMPORTED, about=event_of(job), list="presences", noted=len(noted), left_out=left_out)
    told = [("success", str(NOTED % {"count": len(noted)}))]
    if left_out:
        words = ngettext(
            "%(count)s person was left out: they have no seat any more.",
            "%(count)s people were left out: they have no seat any more.",
            left_out,
        )
        told.append(("warning", words % {"count": left_out}))
    return Outcome(told)


PAGES = [AdminPage("<int:pk>/presences/", import_presences, name="presences", permissions=(PERMISSION,))]
