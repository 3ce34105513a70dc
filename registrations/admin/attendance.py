"""Who came, in the desk: noted by hand, read from the room's report, shown with its origin."""

import re
from dataclasses import astuple, dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.utils import unquote
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations import attendance, dates, participant_report
from registrations.attendance import Likeness, Proposal
from registrations.models import Attendance, Event, Registration
from registrations.participant_report import Participant

PRESENCE_ACTIONS = ["note_presence", "take_presence_back"]
EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
TOKEN, CONFIRMED, STATE = "csrfmiddlewaretoken", "confirmed", "state"  # names of fields
SALT = "registrations.admin.attendance"
STATE_KEPT = 24 * 3600  # seconds
PEOPLE_SHOWN = 50
UNMATCHED_SHOWN = 300
MATCHED_MAX = 2000  # each is a field of the form: see DATA_UPLOAD_MAX_NUMBER_FIELDS
PRIMARY_KEY = re.compile(r"\d{1,18}", re.ASCII)


def sign_words(sign: Attendance) -> str:
    """« lien personnel, 16 h 28 »; « rapport de la salle, 75 min »; « à la main »."""
    match sign.origin:
        case Attendance.Origin.JOIN:
            hour = dates.hour(sign.noted_at, sign.registration.event)
            return _("personal link, %(hour)s") % {"hour": hour}
        case Attendance.Origin.IMPORT if sign.minutes is not None:
            return _("room’s report, %(minutes)s min") % {"minutes": sign.minutes}
        case Attendance.Origin.IMPORT:
            return _("room’s report")
    return _("by hand")


def presence_words(registration: Registration) -> str:
    """Whether and how we know that someone came; nothing before the session is over."""
    if signs := list(registration.attendances.all()):
        return _("Yes: %(signs)s") % {"signs": " · ".join(map(sign_words, signs))}
    return _("No") if registration.is_seated and registration.event.is_over else ""


class PresenceFilter(admin.SimpleListFilter):
    title = gettext_lazy("presence")
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Present")), ("no", gettext_lazy("Absent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        match self.value():
            case "yes":
                return queryset.filter(attendances__isnull=False).distinct()
            case "no":
                return queryset.filter(attendances__isnull=True, status=Registration.Status.CONFIRMED)
        return queryset


class PresenceInline(admin.TabularInline[Attendance, Registration]):
    model = Attendance
    fields = ["noted_at", "minutes"]  # the origin is the title of each line
    readonly_fields = ["noted_at", "minutes"]
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # who may see the person may see this

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Presences:
    """The column and the actions of the list of registrations."""

    admin_site: Any
    opts: Any

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        registrations: QuerySet[Registration] = super().get_queryset(request)  # type: ignore[misc]
        return registrations.prefetch_related("attendances")

    @admin.display(description=gettext_lazy("presence"))
    def presence(self, registration: Registration) -> str:
        return presence_words(registration)

    @admin.action(description=gettext_lazy("Note the presence"), permissions=["change"], location=EVERYWHERE)
    def note_presence(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        people = list(Registration.objects.seated().filter(pk__in=queryset.values("pk")))
        if people and CONFIRMED not in request.POST:
            question = ngettext(
                "Note that %(count)s person was there?", "Note that %(count)s people were there?", len(people)
            )
            return self._ask(request, _("Note the presence"), question, people, len(queryset) - len(people))
        for registration in people:
            attendance.note(registration, Attendance.Origin.HAND)
        tell_noted(request, people, _("Presence noted by hand."))
        return None

    @admin.action(description=gettext_lazy("Take the presence back"), permissions=["change"], location=EVERYWHERE)
    def take_presence_back(self, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
        people = list(Registration.objects.present().filter(pk__in=queryset.values("pk")))
        if people and CONFIRMED not in request.POST:
            question = ngettext(
                "Note that %(count)s person was not there after all? Their certificate is valid no longer.",
                "Note that %(count)s people were not there after all? Their certificates are valid no longer.",
                len(people),
            )
            return self._ask(request, _("Take the presence back"), question, people)
        for registration in people:
            attendance.take_back(registration)
        log(request, people, _("Presence taken back."))
        done = ngettext("%(count)s presence is taken back.", "%(count)s presences are taken back.", len(people))
        messages.success(request, done % {"count": len(people)})
        return None

    def _ask(
        self, request: HttpRequest, title: str, question: str, people: list[Registration], left_out: int = 0
    ) -> TemplateResponse:
        """The question with its count; its answer sends the same choice again."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "question": question % {"count": len(people)},
            "people": people[:PEOPLE_SHOWN],
            "not_shown": max(0, len(people) - PEOPLE_SHOWN),
            "left_out": left_out,
            "chosen": [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN],
        }
        return TemplateResponse(request, "admin/presence_question.html", context)


def tell_noted(request: HttpRequest, people: list[Registration], words: str) -> None:
    log(request, people, words)
    noted = ngettext("%(count)s presence is noted.", "%(count)s presences are noted.", len(people))
    messages.success(request, noted % {"count": len(people)})


def log(request: HttpRequest, people: list[Registration], words: str) -> None:
    """In the history of each person: who changed this, and when."""
    LogEntry.objects.log_actions(request.user.pk or 0, people, CHANGE, change_message=words)


@dataclass(frozen=True)
class Row:
    """One line of the page of matches, with what is ticked or chosen in it."""

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
    """As they were answered; at first, what is certain or likely is ticked."""
    found = []
    for index, proposal in enumerate(proposals):
        name = f"presence-{index}"
        is_ticked = proposal.likeness != Likeness.DOUBTFUL
        proposed = str(proposal.candidates[0].pk) if is_ticked else ""
        found.append(Row(name, proposal, answered.get(name, "") if STATE in answered else proposed))
    return found


def packed(event: Event, participants: list[Participant]) -> str:
    """For the page between: signed, so that what is confirmed is what was read."""
    return signing.dumps([astuple(one) for one in participants], salt=f"{SALT}.{event.pk}", compress=True)


def unpacked(event: Event, state: str) -> list[Participant] | None:
    """None after a day, or for what is not ours."""
    try:
        kept = signing.loads(state, salt=f"{SALT}.{event.pk}", max_age=STATE_KEPT)
    except signing.BadSignature:
        return None
    return [Participant(*one) for one in kept]


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
            participants = participant_report.participants(file.read(participant_report.MAX_BYTES + 1))
        except participant_report.ReportNotUnderstood as error:
            raise ValidationError(str(error)) from error
        proposals = attendance.proposals(self.event, participants)
        if sum(bool(proposal.candidates) for proposal in proposals) > MATCHED_MAX:
            raise ValidationError(_("This file names too many registered people: import it in two parts."))
        return proposals


class PresenceImport:
    """The link on an event's page, and the two pages behind it."""

    admin_site: Any
    opts: Any
    get_object: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_presences)
        name = "registrations_event_presences"
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<path:object_id>/presences/", view, name=name), *urls]

    @admin.display(description=gettext_lazy("presences"))
    def presences(self, event: Event) -> str:
        if not event.pk:
            return ""
        count = Registration.objects.present().filter(event=event).count()
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>',
            f"{reverse('admin:registrations_registration_changelist')}?event__id__exact={event.pk}&presence=yes",
            ngettext("%(count)s person was there", "%(count)s people were there", count) % {"count": count},
            reverse("admin:registrations_event_presences", args=[event.pk]),
            _("Import the presences"),
        )

    def import_presences(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """First the file, then the matches that it proposes; nothing is noted before they are confirmed."""
        if not request.user.has_perm("registrations.change_registration"):
            raise PermissionDenied
        event = self.get_object(request, unquote(object_id))
        if event is None:
            raise Http404
        if STATE in request.POST:
            return self._confirm(request, event)
        form = ReportForm(request.POST or None, request.FILES or None, event=event)
        if request.method == "POST" and form.is_valid():
            return self._matches(request, event, form.cleaned_data["report"])
        return self._page(request, "admin/presences_upload.html", event, form=form)

    def _matches(self, request: HttpRequest, event: Event, proposals: list[Proposal]) -> HttpResponse:
        shown = rows([proposal for proposal in proposals if proposal.candidates], request.POST)
        unmatched = [proposal.participant for proposal in proposals if not proposal.candidates]
        kept = [row.proposal.participant for row in shown] + unmatched[:UNMATCHED_SHOWN]
        return self._page(
            request,
            "admin/presences_matches.html",
            event,
            rows=shown,
            ticked=len({row.chosen for row in shown} - {""}),
            unmatched=unmatched[:UNMATCHED_SHOWN],
            not_shown=max(0, len(unmatched) - UNMATCHED_SHOWN),
            state=packed(event, kept),
        )

    def _confirm(self, request: HttpRequest, event: Event) -> HttpResponse:
        participants = unpacked(event, request.POST[STATE])
        if participants is None:
            messages.error(request, _("This page had been open for long: choose the file again. Nothing was noted."))
            return HttpResponseRedirect(request.path)
        chosen = [(request.POST.get(f"presence-{index}", ""), one) for index, one in enumerate(participants)]
        confirmed = {int(pk) for pk, _one in chosen if PRIMARY_KEY.fullmatch(pk)}
        if not confirmed:
            messages.error(request, _("Tick at least one person: nothing was noted."))
            return self._matches(request, event, attendance.proposals(event, participants))
        minutes = [(int(pk), one.minutes) for pk, one in chosen if PRIMARY_KEY.fullmatch(pk)]
        noted = attendance.note_report(event, minutes)
        tell_noted(request, noted, _("Presence imported from the room’s report."))
        if left_out := len(confirmed) - len(noted):
            words = ngettext(
                "%(count)s person was left out: they have no seat any more.",
                "%(count)s people were left out: they have no seat any more.",
                left_out,
            )
            messages.warning(request, words % {"count": left_out})
        return HttpResponseRedirect(reverse("admin:registrations_event_change", args=[event.pk]))

    def _page(self, request: HttpRequest, template: str, event: Event, **context: Any) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "event": event}
        return TemplateResponse(request, template, {**shared, "title": _("Import the presences"), **context})
