"""The home of an event: its state, what comes next, its figures; its settings; and the day itself."""

import io
from typing import Any
from urllib.parse import urlsplit

import segno
from django.contrib import messages
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registrations.admin.events import changes, deletion
from registrations.admin.messages import broadcasts
from registrations.admin.shared import jobs, model_admin
from registrations.admin_site import steps
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import publishing
from registrations.mailing import upcoming
from registrations.models import Attendance, Delivery, Event, EventCheck, Registration, unresolved_mails
from registrations.models.attendance import has_attended
from registrations.statistics import sign_ups
from registrations.statistics.next_steps import Facts, next_step
from registrations.text.desk_words import public_address

Status, Origin = Registration.Status, Attendance.Origin
SEE_PEOPLE, SEE_MAILS, CHANGE = (
    f"registrations.{right}" for right in ("view_registration", "view_delivery", "change_event")
)
ARRIVALS_SHOWN = 5
NEXT_MAILS_SHOWN = 4


def home(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    people = _people(event)
    event.seats_taken = people["seated"]
    to_see = unresolved_mails.to_see(Delivery.objects.filter(event=event)).count()
    facts = Facts(event, people["seated"], to_see, has_attendance=people["imported"])
    return model_admin.page(
        request,
        Event,
        "admin/event_home.html",
        title="",
        subtitle=_("Overview"),
        event=event,
        facts=facts,
        to_see=to_see,
        people=people,
        next=steps.shown(next_step(facts), event, request.user),
        **_parts(request, facts, people),
    )


def _people(event: Event) -> dict[str, Any]:
    """Registrations by status, who came, and the first and the last sign-up: one query."""
    reported = Attendance.objects.filter(registration=OuterRef("pk"), origin__in=[Origin.IMPORT, Origin.HAND])
    people = event.registrations.without_dry_runs().annotate(has_come=has_attended(), reported=Exists(reported))
    return people.aggregate(
        seated=Count("pk", filter=Q(status=Status.CONFIRMED)),
        waiting=Count("pk", filter=Q(status=Status.WAITLISTED)),
        cancelled=Count("pk", filter=Q(status=Status.CANCELLED)),
        present=Count("pk", filter=Q(has_come=True)),
        imported=Count("pk", filter=Q(reported=True)),
        first=Min("created_at"),
        last=Max("created_at"),
    )


def _parts(request: HttpRequest, facts: Facts, people: dict[str, Any]) -> dict[str, Any]:
    event, may = facts.event, request.user.has_perm
    lists = {
        status.value: list_path(Registration, event__id__exact=event.pk, status__exact=status) for status in Status
    }
    address = public_address(event)
    parts: dict[str, Any] = {
        "address": address,
        "qr": drawing(address),
        "people_lists": lists,
        "places": places(event),
    }
    has_been_purged = event.is_over and not people["first"]  # a purge takes all people of a session at once
    parts["anonymous"] = event.anonymous_registrations.count() if has_been_purged else 0
    parts["room_host"] = urlsplit(event.connection_url).netloc
    parts["jobs"] = jobs.of_event(event, request.user)
    if facts.is_draft:
        parts["checks"] = publishing.checklist(event)
        parts["checks_done"] = sum(check.is_done for check in parts["checks"])
    elif may(SEE_PEOPLE) and not is_the_day(facts):
        parts["chart"] = sign_ups.over_time(event, people["first"], people["last"])
    if may(SEE_MAILS) and not facts.is_draft:
        lines = [line for line in upcoming.timeline(event) if line.send_at and not line.has_passed]
        parts["next_mails"] = lines[:NEXT_MAILS_SHOWN]
    if is_the_day(facts):
        parts |= day_context(facts, people)
        if may(SEE_PEOPLE):
            parts["arrivals"] = list(arrivals(event)[:ARRIVALS_SHOWN])
    return parts


def places(event: Event) -> dict[str, int] | None:
    """Seats that are left, and the bar of those that are taken."""
    if event.capacity is None:
        return None
    taken = min(event.seats_taken, event.capacity)
    return {"left": event.capacity - taken, "taken": taken, "of": event.capacity}


def drawing(address: str) -> SafeString:
    return mark_safe(segno.make(address, micro=False).svg_inline(omitsize=True, border=2))  # noqa: S308 - by segno


# The day itself


def is_the_day(facts: Facts) -> bool:
    event = facts.event
    is_near = event.is_today or event.room_is_open
    return facts.is_published and is_near and not (event.is_over and facts.has_attendance)


def day_context(facts: Facts, people: dict[str, Any]) -> dict[str, Any]:
    return {"is_the_day": True, "present": people["present"], "seated": people["seated"], "counted_at": timezone.now()}


def day(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the home that counts who is there: fetched anew every ten seconds."""
    event = get_object_or_404(Event, pk=pk)
    people = _people(event)
    facts = Facts(event, people["seated"], has_attendance=people["imported"])
    context = {"event": event, "people": people, **day_context(facts, people)}
    return render(request, "admin/event_day.html", context)


def arrivals(event: Event) -> QuerySet[Attendance]:
    of_event = Attendance.objects.filter(registration__event=event, origin=Origin.JOIN)
    return of_event.filter(registration__is_dry_run=False).select_related("registration").order_by("-noted_at")


# Publishing


@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish a draft; where date or contact is missing, the home answers with the list of what is."""
    event = get_object_or_404(Event, pk=pk)
    try:
        if publishing.publish(event):
            model_admin.log_change(request, event, _("Published."))
            messages.success(request, _("The webinar is published: its page is open, and so is the sign-up."))
    except publishing.NotReady:
        messages.error(request, _("Not published yet: see below what is missing."))
    return HttpResponseRedirect(steps.event_path(event))


@require_POST
def seen(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """Note that the page or the mails were read as they are now; looking at them notes nothing."""
    if part not in EventCheck.Part:
        raise Http404
    event = get_object_or_404(Event, pk=pk)
    publishing.note_look(event, EventCheck.Part(part), by=request.user)
    return HttpResponseRedirect(steps.event_path(event))


def qr(request: HttpRequest, pk: int) -> HttpResponse:
    """The QR code of the public page as a file: large enough to print."""
    event = get_object_or_404(Event, pk=pk)
    drawn = io.BytesIO()
    segno.make(public_address(event), micro=False).save(drawn, kind="svg", scale=16, border=4)
    response = HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="qr-{event.slug}.svg"'
    return response


# What is rarely done


def event_settings(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    listed = event.registrations.without_dry_runs().not_cancelled().count()
    return model_admin.page(
        request,
        Event,
        "admin/event_settings.html",
        title=_("Settings"),
        event=event,
        listed=listed,
        telling=changes.possible(event, listed=listed),
        may_write=broadcasts.may_write(request),
        obstacles=deletion.deleted_objects([event], request)[3],
    )


SEE = ("registrations.view_event",)
PAGES = [
    AdminPage("<int:pk>/", home, name="home", permissions=SEE),
    AdminPage("<int:pk>/day/", day, name="day", permissions=SEE),
    AdminPage("<int:pk>/publish/", publish, name="publish", permissions=(CHANGE,)),
    AdminPage("<int:pk>/seen/<slug:part>/", seen, name="seen", permissions=(CHANGE,)),
    AdminPage("<int:pk>/qr/", qr, name="qr", permissions=SEE),
    AdminPage("<int:pk>/settings/", event_settings, name="settings", permissions=(CHANGE,)),
]
