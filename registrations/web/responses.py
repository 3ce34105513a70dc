"""Responses that several pages share."""

import math
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.csp import CSP

from registrations.models import Event
from registrations.security import rate_limits
from registrations.text import countdown
from registrations.web.forms import SummarisedForm, too_many_forms

SHOWN_AGAIN = "registrations.shown_again"  # key of META: why the form is shown again (`errors.csrf_failure`)

ROOM_CSP = {**settings.SECURE_CSP, "form-action": [CSP.SELF, "https:"]}
ROOM_AWAITED = 60  # seconds between two looks for a link that the organiser has not set yet

type View = Callable[..., HttpResponse]


def private_page(view: View) -> View:
    """Decorator: not stored by caches and not listed by search engines."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, private"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapper


def framing(response: HttpResponse, origin: str) -> HttpResponse:
    """Let this page show frames of that origin. YouTube's player refuses to play without the origin of the page."""
    response._csp_config = {**settings.SECURE_CSP, "frame-src": [origin]}  # type: ignore[attr-defined]
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return response


def see_other(to: str, **kwargs: Any) -> HttpResponse:
    """Redirect with status 303, after which the browser makes a GET request (RFC 9110, section 15.4.4)."""
    response: HttpResponse = redirect(to, **kwargs)
    response.status_code = 303
    return response


def follow_the_room(response: HttpResponse, event: Event) -> None:
    """Let a page that leads into the room open by itself, and its button leave for the room.

    Browsers apply form-action to each redirect after the POST, and rooms redirect to other hosts.
    """
    if event.room_is_open and event.connection_url:
        response._csp_config = ROOM_CSP  # type: ignore[attr-defined] # as csp_override does
    elif event.room_is_open:
        response["Refresh"] = str(ROOM_AWAITED)
    elif event.status == Event.Status.PUBLISHED and (wait := countdown.seconds_to_next_words(event.room_opens_at)):
        response["Refresh"] = str(wait)


def pdf_response(content: bytes, filename: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def file_response(chunks: Iterable[bytes], filename: str, content_type: str) -> StreamingHttpResponse:
    """A streamed download: the file is made while it is sent."""
    response = StreamingHttpResponse(chunks, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def wait_of_form(request: HttpRequest, form: SummarisedForm) -> timedelta | None:
    """Count a sent form; above the rate limit, add an error to the form and return how long to wait.

    A form that is shown again because it could not be accepted says why, and is not counted.
    """
    if SHOWN_AGAIN in request.META:
        form.refuse(str(request.META[SHOWN_AGAIN]))
    wait = rate_limits.wait_of_form(request) if request.method == "POST" else None
    if wait:
        form.refuse(too_many_forms(wait))
    return wait


def too_many(response: HttpResponse, wait: timedelta | None) -> HttpResponse:
    """Make the response a 429 (RFC 6585, section 4) with Retry-After, unless `wait` is None."""
    if wait is None:
        return response
    response.status_code = 429
    response["Retry-After"] = str(math.ceil(wait.total_seconds()))
    response["Cache-Control"] = "no-store, private"
    return response


def calendar_response(content: bytes, filename: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
