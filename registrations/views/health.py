"""Pages for monitoring: liveness, readiness and metrics."""

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registrations.monitoring.metrics import CONTENT_TYPE, text
from registrations.monitoring.status import promptly

DATABASE_ANSWERS_WITHIN = 1  # second


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; makes no database query."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 or 503. The reasons are shown only with STATUS_TOKEN (`Authorization: Bearer …`).

    Mails held back are listed too, but do not cause a 503: they wait for a decision of the organiser, who needs the
    web processes for it.
    """
    reasons, waiting = promptly(within=DATABASE_ANSWERS_WITHIN)
    lines = ["not ready" if reasons else "ready"]
    if _may_see_details(request):
        lines = [*(reasons or lines), *waiting]
    return HttpResponse(
        "".join(f"{line}\n" for line in lines), status=503 if reasons else 200, content_type="text/plain"
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus: 401 without the STATUS_TOKEN, 404 when the site has none."""
    if not settings.STATUS_TOKEN:
        raise Http404
    if not _may_see_details(request):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("STATUS_TOKEN is asked for\n", status=401, content_type="text/plain", headers=headers)
    return HttpResponse(text(), content_type=CONTENT_TYPE)


def _may_see_details(request: HttpRequest) -> bool:
    given, expected = request.headers.get("Authorization", ""), f"Bearer {settings.STATUS_TOKEN}"
    return bool(settings.STATUS_TOKEN) and secrets.compare_digest(given.encode(), expected.encode())
