"""Pages behind a personal link. A wrong, an unknown and a cancelled code get the same answer: 404."""

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.csp import CSP
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from registrations import pdf, study_report
from registrations.models import Event, Registration
from registrations.views.responses import calendar_response, private_page, see_other

logger = logging.getLogger(__name__)

DOWNLOAD_CSP = "sandbox; default-src 'none'"


@csrf_exempt  # the code is the secret: refused cookies must not cost the meeting
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def join(request: HttpRequest, join_code: str) -> HttpResponse:
    """The personal page of the event; its button leads into the room as it is now, while the room is open."""
    registration = _registration(join_code=join_code)
    event = registration.event
    is_open = event.room_is_open and bool(event.connection_url)
    if request.method == "POST":
        return see_other(event.connection_url) if is_open else redirect("join", join_code=join_code)
    response = render(request, "registrations/join.html", {"registration": registration, "event": event})
    if is_open:
        response._csp_config = _csp_with_form_to(event.connection_url)  # type: ignore[attr-defined]
    return response


@require_safe
@private_page
def manage(request: HttpRequest, manage_code: str) -> HttpResponse:
    registration = _registration(manage_code=manage_code)
    context = {"registration": registration, "event": registration.event}
    return render(request, "registrations/manage.html", context)


@require_safe
@private_page
def report(request: HttpRequest, join_code: str) -> HttpResponse:
    registration = _registration(join_code=join_code)
    try:
        document = study_report.study_report(registration.event)
    except pdf.RenderingFailed:
        logger.exception("The report of event %s could not be made", registration.event.pk)
        context = {"event": registration.event, "registration": registration}
        return render(request, "registrations/report_unavailable.html", context, status=503)
    if document is None:
        raise Http404
    response = HttpResponse(document.content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{study_report.FILENAME}"'
    response["Content-Security-Policy"] = DOWNLOAD_CSP
    return response


@require_safe
@private_page
def personal_calendar(request: HttpRequest, join_code: str) -> HttpResponse:
    from registrations import invitation  # here: a sign-up must not load the calendar library

    return calendar_response(invitation.personal_entry(_registration(join_code=join_code)), "invitation.ics")


def _registration(**code: str) -> Registration:
    live = Registration.objects.select_related("event").exclude(status=Registration.Status.CANCELLED)
    return get_object_or_404(live.exclude(event__status=Event.Status.DRAFT), **code)


def _csp_with_form_to(room_url: str) -> dict[str, Any]:
    """Browsers apply form-action to the redirect that follows a POST: the room's origin must be allowed."""
    room = urlsplit(room_url)
    return {**settings.SECURE_CSP, "form-action": [CSP.SELF, f"{room.scheme}://{room.netloc}"]}
