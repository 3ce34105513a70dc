"""The thread of a worker that typesets what mails will need and what visitors ask for.

It is beside the mails and the jobs, so that a document waits for neither.
"""

import time
from typing import ClassVar

from registrations.documents import on_demand, share_image, study_report
from registrations.models import Document
from registrations.runtime import pango
from registrations.worker.polling_thread import PollingThread

PREPARE_EVERY = 10  # seconds between two looks for reports whose text has changed, and for dead workers
TOGETHER = 20  # documents in one child process, which loads WeasyPrint and the fonts once


class Typesetter(PollingThread):
    label: ClassVar = "Documents"
    poll_every: ClassVar = 0.5

    def __init__(self, worker: str) -> None:
        super().__init__(worker)
        self.next_preparation = self.next_share_images = 0.0
        self.prepared: set[study_report.Presentation] = set()

    def work(self) -> None:
        if time.monotonic() >= self.next_share_images:
            self.next_share_images = time.monotonic() + PREPARE_EVERY
            share_image.prepare(wanted=self.is_wanted)
        if not pango.is_installed():
            return
        if time.monotonic() >= self.next_preparation:
            self.next_preparation = time.monotonic() + PREPARE_EVERY
            Document.objects.free_of_dead_workers()
            self.prepare_reports()
        while self.is_wanted() and (documents := Document.objects.claim(self.worker, at_most=TOGETHER)):
            on_demand.make(documents, wanted=self.is_wanted)

    def is_wanted(self) -> bool:
        return not self.stopping.is_set()

    def prepare_reports(self) -> None:
        """When the worker starts and when a text has changed, so that no mail waits for its report to be typeset."""
        self.prepared = study_report.prepare(self.prepared, wanted=self.is_wanted)
