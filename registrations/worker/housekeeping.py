"""Daily tasks of a worker: delete old rows and make expired registrations anonymous."""

import logging

from django.core.management import call_command

from registrations.domain import dry_runs, retention
from registrations.models import AuditEntry, Delivery, Picture, RateLimitHit, WorkerPresence, clock_mark, search_index
from registrations.runtime import liveness

logger = logging.getLogger(__name__)

TASK_ROWS_MAX_AGE = 1  # days


def run() -> None:
    """A wrong clock makes everything old, the audit log too: nothing is removed while it is in doubt."""
    search_index.fill()
    Delivery.objects.fill_events()
    if not clock_mark.doubt():
        remove_old_rows()
        dry_runs.end_old()
    purge()


def purge() -> None:
    """Do nothing while the clock may be wrong or too much would go at once, until `manage.py purge --confirm`."""
    if reason := retention.stopped():
        clock_mark.stop_purge(retention.unusual())  # for the desk and `status`
        logger.error("Purge: nothing is done until somebody confirms it. %s", reason)
        return
    clock_mark.move_on()
    logger.info("Purge: %s registrations made anonymous", retention.purge().total())


def remove_old_rows() -> None:
    """Delete finished wake-ups, expired sessions, pictures not shown, and old rows of workers, hits and audit."""
    liveness.remove_stale_files(keep=Delivery.objects.holders())
    call_command("prune_db_task_results", min_age_days=TASK_ROWS_MAX_AGE, verbosity=0)
    call_command("clearsessions")
    Picture.objects.unused().delete()
    RateLimitHit.objects.old().delete()
    AuditEntry.objects.old().delete()
    WorkerPresence.objects.exclude(pk__in=WorkerPresence.objects.seen_lately()).delete()
