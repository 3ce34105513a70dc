"""Answer with a document that a worker makes; until it is made, with a page that follows it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registrations.documents import on_demand
from registrations.runtime import pango
from registrations.web.errors import too_many_requests
from registrations.web.responses import pdf_response

LOOK_AGAIN_AFTER = 5  # seconds, while it is made
FOLLOWED_FOR = timedelta(minutes=2)  # then the page no longer loads itself again
RETRY_AFTER = 60  # seconds, when it could not be made
TEMPLATE = "registrations/personal/document_unavailable.html"


def on_demand_response(
    request: HttpRequest,
    owner: on_demand.Owner,
    *,
    filename: str,
    context: dict[str, Any],
    wait: Callable[[], timedelta | None] = lambda: None,
) -> HttpResponse:
    """`context`: `event`, `registration`, and `is_certificate` for a certificate.

    `wait()` counts one document that has to be made, and returns how long to wait above the limit.
    """
    document = on_demand.find(owner)
    if document and document.without_font:
        return render(request, TEMPLATE, {**context, "missing_glyphs": document.without_font})
    if document and document.made_at:
        return pdf_response(bytes(document.content), filename)
    if not pango.is_installed():
        return unavailable(request, context, can_be_made=False)
    if document is None:
        if too_soon := wait():
            return too_many_requests(request, too_soon)
        document = on_demand.ask(owner)
    if document.has_failed or document.asked_at < timezone.now() - FOLLOWED_FOR:
        return unavailable(request, context, can_be_made=True)
    response = render(request, TEMPLATE, {**context, "is_under_way": True}, status=202)
    response["Refresh"] = str(LOOK_AGAIN_AFTER)
    return response


def unavailable(request: HttpRequest, context: dict[str, Any], *, can_be_made: bool) -> HttpResponse:
    response = render(request, TEMPLATE, {**context, "can_be_made": can_be_made}, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
