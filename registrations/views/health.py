"""What a machine asks: is the process there, is the site ready."""

import secrets
import shutil

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registrations.models import Delivery, WorkerPresence

DISK_FREE_AT_LEAST = 0.05  # of the disk that holds DATA_DIR


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; asks nothing of the database."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 or 503. The reasons go only to who knows STATUS_TOKEN (`Authorization: Bearer …`)."""
    reasons = not_ready()
    text = "\n".join(reasons or ["ready"]) if _may_see_details(request) else ("not ready" if reasons else "ready")
    return HttpResponse(f"{text}\n", status=503 if reasons else 200, content_type="text/plain")


def not_ready() -> list[str]:
    """Why the site does not do all it should, in sentences."""
    disk = shutil.disk_usage(settings.DATA_DIR)
    reasons = ["The disk is almost full."] if disk.free < DISK_FREE_AT_LEAST * disk.total else []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return [*reasons, "Migrations are missing: run manage.py migrate."]
        if late := Delivery.objects.overdue().order_by("due").first():
            minutes = int((timezone.now() - late.due).total_seconds() // 60)
            reasons.append(f"The oldest mail is {minutes} minutes overdue.")
        if not WorkerPresence.objects.seen_lately().exists():
            reasons.append("No mail worker has been seen lately.")
    except Error:
        reasons.append("The database does not answer.")
    return reasons


def _may_see_details(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    return bool(settings.STATUS_TOKEN) and secrets.compare_digest(given, f"Bearer {settings.STATUS_TOKEN}")
