"""Attendance of registrants: shown with its origin, noted by hand, taken back."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from registrations.admin.people.bulk_actions import BULK_ACTIONS, BulkAction, do_to
from registrations.admin.shared.model_admin import page
from registrations.domain import attendance
from registrations.models import Attendance, Registration
from registrations.models.attendance import has_attended
from registrations.security import audit
from registrations.text import dates

EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
TOKEN, CONFIRMED = "csrfmiddlewaretoken", "confirmed"  # names of fields
PEOPLE_SHOWN = 50


def attendance_words(sign: Attendance) -> str:
    """« lien personnel, 16 h 28 »; « rapport de la salle, 75 min »; « à la main »."""
    match sign.origin:
        case Attendance.Origin.JOIN:
            hour = dates.named_hour(sign.noted_at, sign.registration.event)
            return _("personal link, %(hour)s") % {"hour": hour}
        case Attendance.Origin.IMPORT if sign.minutes is not None:
            return _("room’s report, %(minutes)s min") % {"minutes": sign.minutes}
        case Attendance.Origin.IMPORT:
            return _("room’s report")
    return _("by hand")


def attendance_summary(registration: Registration) -> str:
    """Whether someone attended, and how this is known. Empty before the session is over."""
    if signs := list(registration.attendances.all()):
        return _("Yes: %(signs)s") % {"signs": " · ".join(map(attendance_words, signs))}
    return _("No") if registration.is_seated and registration.event.is_over else ""


class PresenceFilter(admin.SimpleListFilter):
    title = gettext_lazy("presence")
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Present")), ("no", gettext_lazy("Absent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        match self.value():
            case "yes":
                return queryset.filter(has_attended())
            case "no":
                return queryset.filter(~has_attended(), status=Registration.Status.CONFIRMED)
        return queryset


@admin.action(description=gettext_lazy("Note the presence"), permissions=["change"], location=EVERYWHERE)
def note_presence(
    model_admin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration]
) -> HttpResponse | None:
    people = _seated(queryset)
    if not (count := people.count()):
        messages.warning(request, _("None of the chosen registrations is confirmed."))
        return None
    if CONFIRMED not in request.POST:
        question = ngettext("Note that %(count)s person was there?", "Note that %(count)s people were there?", count)
        left_out = queryset.count() - count
        return _question(request, _("Note the presence"), question, people, count, left_out)
    return do_to(people, "note_presence", request, confirmed=count)


@admin.action(description=gettext_lazy("Take the presence back"), permissions=["change"], location=EVERYWHERE)
def take_presence_back(
    model_admin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration]
) -> HttpResponse | None:
    people = _attended(queryset)
    if not (count := people.count()):
        messages.warning(request, _("None of the chosen registrations has a noted presence."))
        return None
    if CONFIRMED not in request.POST:
        question = ngettext(
            "Note that %(count)s person was not there after all? Their certificate is valid no longer.",
            "Note that %(count)s people were not there after all? Their certificates are valid no longer.",
            count,
        )
        return _question(request, _("Take the presence back"), question, people, count)
    return do_to(people, "take_presence_back", request, confirmed=count)


def _question(
    request: HttpRequest,
    title: str,
    question: str,
    people: QuerySet[Registration],
    count: int,
    left_out: int = 0,
) -> TemplateResponse:
    """The question with its count. Its form sends the same selection again."""
    return page(
        request,
        Registration,
        "admin/attendance_question.html",
        title=title,
        question=question % {"count": count},
        people=people.prefetch_related(None)[:PEOPLE_SHOWN],
        not_shown=max(0, count - PEOPLE_SHOWN),
        left_out=left_out,
        chosen=[(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN],
    )


def _seated(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.filter(status=Registration.Status.CONFIRMED)


def _attended(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.filter(has_attended())


def _note(registration: Registration) -> None:
    attendance.note(registration, Attendance.Origin.HAND)


NOTED = ngettext_lazy("%(count)s presence is noted.", "%(count)s presences are noted.", "count")
BULK_ACTIONS["note_presence"] = BulkAction(
    title=gettext_lazy("Note the presence"),
    chosen=_seated,
    do=_note,
    history=gettext_lazy("Presence noted by hand."),
    action=audit.Action.ON_BEHALF,
    done=NOTED,
)
BULK_ACTIONS["take_presence_back"] = BulkAction(
    title=gettext_lazy("Take the presence back"),
    chosen=_attended,
    do=attendance.take_back,
    history=gettext_lazy("Presence taken back."),
    action=audit.Action.ON_BEHALF,
    done=ngettext_lazy("%(count)s presence is taken back.", "%(count)s presences are taken back.", "count"),
)
