"""Access log: one line per request. It names the page and not the URL, which may contain a personal code."""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from registrations.runtime import log_context

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
PROBE_PAGES = {"healthz", "readyz", "metrics"}


def access_log(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        started_at = time.perf_counter()
        request_id = _request_id(request)
        log_context.request_id.set(request_id)  # not reset: Django logs about this request after this middleware
        response = get_response(request)
        response[HEADER] = request_id
        _log(request, response, round((time.perf_counter() - started_at) * 1000))
        return response

    return middleware


def _request_id(request: HttpRequest) -> str:
    """The X-Request-ID header of a trusted proxy when it is well formed; otherwise a new random id."""
    given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
    return given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)


def _log(request: HttpRequest, response: HttpResponse, ms: int) -> None:
    """`ms`: milliseconds until the response is ready. The time to send a streamed body is not included."""
    page, status = _page(request), response.status_code
    level = logging.DEBUG if page in PROBE_PAGES and status == 200 else logging.INFO
    fields = {"method": request.method, "page": page, "status": status, "ms": ms}
    logger.log(level, "%s %s %s %s ms", *fields.values(), extra={"fields": fields})


def _page(request: HttpRequest) -> str:
    if request.resolver_match:
        return request.resolver_match.view_name
    return "static" if request.path.startswith(settings.STATIC_URL) else "-"
