"""What a worker does once a day: remove what nobody needs any more."""

import logging

from django.core.management import call_command

from registrations.domain import dry_runs, retention
from registrations.models import AuditEntry, Delivery, RateLimitHit, WorkerPresence, triggers
from registrations.runtime import liveness

logger = logging.getLogger(__name__)

TASK_ROWS_KEPT = 1  # days


def run() -> None:
    """The whole of it: old rows, old dry runs, and registrations whose announced date has passed."""
    remove_old_rows()
    dry_runs.end_old()
    logger.info("Purge: %s registrations made anonymous", retention.purge().total())


def remove_old_rows() -> None:
    """Finished wake-ups, expired sessions, workers of the past, old counts and an audit log older than a year."""
    liveness.remove_stale_files(keep=Delivery.objects.holders())
    call_command("prune_db_task_results", min_age_days=TASK_ROWS_KEPT, verbosity=0)
    call_command("clearsessions")
    triggers.fill_search()
    RateLimitHit.objects.old().delete()
    AuditEntry.objects.old().delete()
    WorkerPresence.objects.exclude(pk__in=WorkerPresence.objects.seen_lately()).delete()
