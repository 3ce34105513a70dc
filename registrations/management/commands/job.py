import logging
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError

from registrations.management import processes
from registrations.models import Job
from registrations.worker import jobs
from registrations.worker.job_runner import NICENESS

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run one background job. Workers start this command."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pk", type=int)
        parser.add_argument("--parent", type=int, required=True, help="The worker: this process ends with it.")

    def handle(self, *args: Any, pk: int, parent: int, **options: Any) -> None:
        processes.die_with_parent(parent)
        os.nice(NICENESS)
        try:
            if job := Job.objects.running().filter(pk=pk).first():  # None when the job was released meanwhile
                jobs.run(job)
        except (OperationalError, InterfaceError) as error:
            if not jobs.is_outage(error):
                raise
            logger.warning("Operation %s: the database is away (%s)", pk, type(error).__name__)
            raise SystemExit(os.EX_TEMPFAIL) from error
