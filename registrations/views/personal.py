"""Pages of the join link. Malformed, unknown, cancelled and expired codes all get a 404."""

import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from registrations.documents import pdf, study_report
from registrations.domain import attendance, dry_runs
from registrations.models import Event, Registration
from registrations.models.dry_run_moment import MOMENT, Moment
from registrations.text import replay
from registrations.views.documents import on_demand_response, unavailable
from registrations.web import personal_words
from registrations.web.responses import (
    calendar_response,
    follow_the_room,
    framing,
    pdf_response,
    private_page,
    see_other,
)

logger = logging.getLogger(__name__)


@csrf_exempt  # the code is the secret: a browser without cookies must be able to join too
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def join(request: HttpRequest, join_code: str) -> HttpResponse:
    """One page with three faces: before, during and after the session.

    It opens by itself. While the room is open, its button records the attendance and redirects to the room.
    """
    registration = registration_of(join_code)
    dry_runs.simulate_moment(registration, request.GET.get(MOMENT, ""))
    event = registration.event
    is_open = event.room_is_open and bool(event.connection_url)
    if request.method == "POST":
        if not is_open:
            return redirect(request.get_full_path())
        attendance.note_join(registration)
        return see_other(event.connection_url)
    context = _context(registration)
    response = render(request, "registrations/personal/join.html", context)
    if player := context["player"]:
        return framing(response, replay.origin(player))
    follow_the_room(response, event)
    return response


@require_safe
@private_page
def report(request: HttpRequest, join_code: str) -> HttpResponse:
    registration = registration_of(join_code)
    event = registration.event
    context = {"event": event, "registration": registration}
    try:
        if made := study_report.made(event):
            return pdf_response(made.content, made.filename)
    except pdf.RenderingFailed:
        logger.exception("The report of event %s could not be read", event.pk)
        return unavailable(request, context, can_be_made=True)
    if not study_report.presentation_of(event).sections:
        raise Http404
    filename = study_report.FILENAMES[True]
    return on_demand_response(request, event, filename=filename, context=context)


@require_safe
@private_page
def personal_calendar(request: HttpRequest, join_code: str) -> HttpResponse:
    # imported here so that a sign-up does not load the calendar library
    from registrations.documents import invitation

    registration = registration_of(join_code)
    if registration.event.status != Event.Status.PUBLISHED:
        raise Http404
    return calendar_response(invitation.personal_entry(registration), "invitation.ics")


def _context(registration: Registration) -> dict[str, Any]:
    event = registration.event
    known = {"registration": registration, "event": event, "report_size": study_report.known_size(event)}
    face = personal_words.face(event)
    player = replay.player(event.replay_url) if face["face"] == "after" else ""
    return {**known, **face, "player": player, "moments": Moment if registration.is_dry_run else []}


def registration_of(join_code: str) -> Registration:
    registration = get_object_or_404(Registration.objects.reachable().seated(), join_code=join_code)
    registration.preview_as_published()
    if registration.kept_until <= timezone.now():
        raise Http404
    registration.note_use_of_link()
    return registration
