"""Background jobs: long operations that an organiser starts and a worker process executes."""

import contextlib
import hashlib
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models.event import Event
from registrations.models.one_line import OneLineField
from registrations.models.told import ToldField

RETENTION = timedelta(days=1)  # short, since parameters and document may contain personal data
HEARTBEAT_TIMEOUT = timedelta(minutes=3)  # a worker updates `heard_at` every few seconds
ATTEMPTS_MAX = 3  # attempts during which the process was killed
PROGRESS_INTERVAL = 0.3  # seconds


class Outcome(NamedTuple):
    """Result of a job: messages for the organiser as (message level, sentence), and the document if one was made.

    The messages stay for a day and must not name a person, whose data may be erased meanwhile.
    """

    told: list[tuple[str, str]]
    document: bytes = b""
    filename: str = ""


class JobTakenOver(Exception):
    """Another worker has claimed the job meanwhile: this one must not write to it any more."""


class Progress(NamedTuple):
    done: int
    total: int
    words: str

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


class JobQuerySet(models.QuerySet["Job"]):
    def waiting(self) -> Self:
        return self.filter(state=Job.State.WAITING)

    def running(self) -> Self:
        return self.filter(state=Job.State.RUNNING)

    def under_way(self) -> Self:
        return self.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])

    def unresponsive(self) -> Self:
        """Running jobs whose worker has sent no heartbeat for HEARTBEAT_TIMEOUT."""
        return self.running().filter(heard_at__lt=timezone.now() - HEARTBEAT_TIMEOUT)

    def old(self) -> Self:
        """Jobs that ended more than RETENTION ago. Waiting jobs are never old."""
        return self.filter(state__in=[Job.State.DONE, Job.State.FAILED], ended_at__lt=timezone.now() - RETENTION)

    def claim(self, worker: str) -> "Job | None":
        """Claim the oldest waiting job for this worker. None when there is none or another worker claimed it first."""
        job = self.waiting().order_by("created_at", "pk").first()
        if job is None:
            return None
        now = timezone.now()
        claimed = (
            self.waiting()
            .filter(pk=job.pk)
            .update(state=Job.State.RUNNING, worker=worker, attempts=F("attempts") + 1, started_at=now, heard_at=now)
        )
        return self.running().filter(pk=job.pk, worker=worker).first() if claimed else None


class Job(models.Model):
    class Kind(models.TextChoices):
        DOCUMENT = "document", _("Document")
        FIGURES = "figures", _("Report in figures (PDF)")
        IMPORT = "import", _("Import of people")
        PEOPLE = "people", _("Act on several people")
        PRESENCES = "presences", _("Import of presences")
        CHANGE = "change", _("Change of an event")
        MESSAGE = "message", _("Message to registrants")

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("operation", "Waiting")
        RUNNING = "running", pgettext_lazy("operation", "Under way")
        DONE = "done", pgettext_lazy("operation", "Finished")
        FAILED = "failed", pgettext_lazy("operation", "Stopped")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    title = OneLineField(_("operation"), max_length=200)
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, blank=True, related_name="jobs", verbose_name=_("event")
    )
    asked_by = models.BigIntegerField(_("account number"))
    permission = models.CharField(max_length=100)  # required to start the job and to see its page
    parameters = models.JSONField(default=dict)
    detail = models.JSONField(default=dict)  # stays when the job is done: for the audit log, and ids of skipped rows
    mark = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)  # rows: people, or rows of a document
    count = models.PositiveIntegerField(default=0)  # of the rows done, those that were changed
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=32, blank=True)
    error = ToldField(blank=True)
    told = models.JSONField(default=list)
    document = models.BinaryField(default=bytes)
    filename = OneLineField(max_length=100, blank=True)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["-created_at", "-pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["mark"],
                condition=Q(state__in=["waiting", "running"]),
                name="job_is_asked_for_once_while_it_is_under_way",
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="job_queue")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_under_way(self) -> bool:
        return self.state in {Job.State.WAITING, Job.State.RUNNING}

    @property
    def is_done(self) -> bool:
        return self.state == Job.State.DONE

    @property
    def has_failed(self) -> bool:
        return self.state == Job.State.FAILED

    def fingerprint(self) -> str:
        """SHA-256 of what was asked, by whom: the value of `mark`, which prevents starting the same job twice."""
        asked = [self.kind, self.event_id, self.asked_by, self.parameters]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    # Progress is in a small file, in the folder that all machines of a site share, and not in the table: a job that is
    # one transaction would hide it until the end, and on SQLite no other connection can write meanwhile.

    @property
    def _progress_file(self) -> Path:
        return Path(settings.MEDIA_ROOT) / "progress" / f"{self.pk}.json"

    @property
    def progress(self) -> Progress:
        try:
            return Progress(*json.loads(self._progress_file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return Progress(self.done, self.total, "")

    def write_progress(self, done: int, total: int, words: str) -> None:
        """Replace the file atomically, at most once per PROGRESS_INTERVAL. A full disk does not stop the job."""
        now = time.monotonic()
        if now < getattr(self, "_next_write_at", 0.0):
            return
        self._next_write_at = now + PROGRESS_INTERVAL
        with contextlib.suppress(OSError):
            self._progress_file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            temporary = self._progress_file.with_suffix(f".{self.worker}")
            temporary.write_text(json.dumps([done, total, words]), "utf-8")
            temporary.replace(self._progress_file)

    def delete_progress(self) -> None:
        with contextlib.suppress(OSError):
            self._progress_file.unlink()

    # Written by the worker. A job that runs at once, without a worker, is not in the table and writes nothing.

    def advance(self, *, done: int, count: int) -> None:
        """Call it in the transaction of the row that was processed: after a crash, the next worker resumes here."""
        self.done, self.count = done, count
        self._write(done=done, count=count)

    def skip(self, row: Any, *, done: int, count: int) -> None:
        """Record a row that could not be processed; the job goes on with the others."""
        self.done, self.count = done, count
        self.add_detail(passed_over=[*self.skipped, row])

    @property
    def skipped(self) -> list[Any]:
        return list(self.detail.get("passed_over", []))

    def add_detail(self, **facts: Any) -> None:
        """Save these facts in `detail`, together with the progress."""
        self.detail = {**self.detail, **facts}
        self._write(detail=self.detail, done=self.done, count=self.count)

    def finish(self, outcome: Outcome) -> None:
        """Call it in the transaction of the work, when that is a single one."""
        told, document, filename = outcome
        ended = {"state": Job.State.DONE, "ended_at": timezone.now(), "parameters": {}}
        self._write(**ended, done=self.total, told=told, document=document, filename=filename)

    def fail(self, reason: str) -> None:
        self._write(state=Job.State.FAILED, ended_at=timezone.now(), error=reason)

    def release(self, *, counts: bool) -> None:
        """Let another worker claim the job. `counts`: whether this attempt counts towards ATTEMPTS_MAX."""
        self._write(state=Job.State.WAITING, worker="", attempts=self.attempts if counts else self.attempts - 1)

    def _write(self, **fields: Any) -> None:
        if self.pk and not Job.objects.running().filter(pk=self.pk, worker=self.worker).update(**fields):
            raise JobTakenOver
