import contextlib
import os
from typing import Any

from django.core.mail import mailers
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, connection

from registrations.models import WorkerPresence
from registrations.monitoring.checks import require_safe_site
from registrations.runtime import database_limit, site_lock
from registrations.runtime.liveness import alive_process
from registrations.worker.job_runner import JobRunner
from registrations.worker.typesetter import Typesetter
from registrations.worker.watch import Watch
from registrations.worker.worker import MailWorker

NICENESS = 10  # lower priority than the web processes of the same machine: visitors wait for their pages

DATABASE_ANSWERS_WITHIN = 20  # seconds; twice that, and a worker that is asked to stop still ends before it is killed


class Command(BaseCommand):
    help = "Run one mail worker; any number may run, on any number of machines."

    @site_lock.shared()
    def handle(self, *args: Any, **options: Any) -> None:
        require_safe_site()
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
        database_limit.answer_within(DATABASE_ANSWERS_WITHIN)
        mailers.default  # noqa: B018 - a wrong EMAIL_URL stops here, with its reason
        with alive_process() as name:
            worker = MailWorker(name)
            worker.configure_signals()
            threads = [JobRunner(name), Typesetter(name), Watch(name)]
            for thread in threads:
                thread.start()
            try:
                worker.run()
            finally:
                connection.close()  # a signal may have interrupted a transaction, whose lock would block `stop`
                for thread in threads:
                    thread.stop()
                with contextlib.suppress(
                    DatabaseError, InterfaceError
                ):  # otherwise the row expires after three minutes
                    WorkerPresence.objects.filter(name=name).delete()
