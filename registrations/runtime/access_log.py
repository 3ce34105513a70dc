"""One line for each request, by the name of its page: an address may hold a code."""

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
ASKED_EVERY_FEW_SECONDS = {"healthz", "readyz", "metrics"}


def access_log(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        started_at = time.perf_counter()
        name = _request_id(request)
        log_context.request_id.set(name)  # not taken back: Django's own lines on this request come after us
        response = get_response(request)
        response[HEADER] = name
        _note(request, response, round((time.perf_counter() - started_at) * 1000))
        return response

    return middleware


def _request_id(request: HttpRequest) -> str:
    """The proxy's own, where there is one to trust; else a new one."""
    given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
    return given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)


def _note(request: HttpRequest, response: HttpResponse, ms: int) -> None:
    """`ms`: until the answer is ready; one that is streamed goes on after that."""
    page, status = _page(request), response.status_code
    level = logging.DEBUG if page in ASKED_EVERY_FEW_SECONDS and status == 200 else logging.INFO
    fields = {"method": request.method, "page": page, "status": status, "ms": ms}
    logger.log(level, "%s %s %s %s ms", *fields.values(), extra={"fields": fields})


def _page(request: HttpRequest) -> str:
    if request.resolver_match:
        return request.resolver_match.view_name
    return "static" if request.path.startswith(settings.STATIC_URL) else "-"
