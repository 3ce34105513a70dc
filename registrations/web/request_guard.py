"""Middleware that refuses NUL characters, and bodies that are too large or lost, before the body is read."""

import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from registrations.runtime.request_body import Lost
from registrations.web import errors

KILOBYTE = 1024
PUBLIC_MAX = 256 * KILOBYTE
BODY_MAX = {"/admin/": 25 * KILOBYTE * KILOBYTE, "/anymail/": KILOBYTE * KILOBYTE}  # bytes: uploads, batches of events
PERMISSIONS_POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def request_guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = _refusal(request) or get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """An error page in the language of the URL, since LocaleMiddleware runs after this one; None to go on."""
    with translation.override(translation.get_language_from_path(request.path_info) or settings.LANGUAGE_CODE):
        if _has_nul(request.path_info) or _has_nul(request.META.get("QUERY_STRING", "")):
            return errors.bad_request(request, BadRequest("NUL"))
        if _content_length(request) > body_max(request.path_info):
            return errors.too_large(request)
        if isinstance(request.META.get("wsgi.input"), Lost):
            return errors.no_room(request)
    return None


def _has_nul(text: str) -> bool:
    """PostgreSQL cannot store NUL: a query with one would be a server error."""
    return "\0" in text or "%00" in text


def _content_length(request: HttpRequest) -> int:
    """As Django reads it; a number of more digits than Python reads is large."""
    size = request.META.get("CONTENT_LENGTH") or ""
    try:
        return int(size)
    except ValueError:
        return sys.maxsize if size.isdecimal() else 0


def body_max(path: str) -> int:
    return next((size for prefix, size in BODY_MAX.items() if path.startswith(prefix)), PUBLIC_MAX)
