"""What an organiser has asked for and a worker does, because it takes longer than anyone waits for a page."""

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

KEPT = timedelta(days=1)  # with what it was asked and what it has made: both may name people
SILENT_AFTER = timedelta(minutes=3)  # a worker says every few seconds that it still has its job
ATTEMPTS_MAX = 3  # that end with a process that was killed
WRITTEN_EVERY = 0.3  # seconds


class Outcome(NamedTuple):
    """What is said at the end, as (level of the message, sentence), and the document that was made.

    It is kept for a day, and names nobody: a name would outlive an erasure.
    """

    told: list[tuple[str, str]]
    document: bytes = b""
    filename: str = ""


class NoLongerOurs(Exception):
    """Another worker has taken the job over meanwhile: nothing may be written any more."""


class Steps(NamedTuple):
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

    def silent(self) -> Self:
        """Those whose worker has not been heard of."""
        return self.running().filter(heard_at__lt=timezone.now() - SILENT_AFTER)

    def old(self) -> Self:
        """Ended long ago; what waits is still to be done."""
        return self.filter(state__in=[Job.State.DONE, Job.State.FAILED], ended_at__lt=timezone.now() - KEPT)

    def claim(self, worker: str) -> "Job | None":
        """The oldest that waits, for this worker; None when there is none, or another was faster."""
        job = self.waiting().order_by("created_at", "pk").first()
        if job is None:
            return None
        now = timezone.now()
        mine = self.waiting().filter(pk=job.pk)
        taken = mine.update(
            state=Job.State.RUNNING, worker=worker, attempts=F("attempts") + 1, started_at=now, heard_at=now
        )
        return self.running().filter(pk=job.pk, worker=worker).first() if taken else None


class Job(models.Model):
    class Kind(models.TextChoices):
        DOCUMENT = "document", _("Document")
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
    title = models.CharField(_("operation"), max_length=200)
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, blank=True, related_name="jobs", verbose_name=_("event")
    )
    asked_by = models.BigIntegerField(_("account number"))
    permission = models.CharField(max_length=100)  # of who may do this, and see what has become of it
    parameters = models.JSONField(default=dict)
    detail = models.JSONField(default=dict)  # kept to the end: for the audit log; the numbers of who was passed over
    mark = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)  # people, or rows of a document
    count = models.PositiveIntegerField(default=0)  # of those done: where there was something to do
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    told = models.JSONField(default=list)
    document = models.BinaryField(default=bytes)
    filename = models.CharField(max_length=100, blank=True)
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

    def marked(self) -> str:
        """The same for the same act, asked twice by the same person."""
        asked = [self.kind, self.event_id, self.asked_by, self.parameters]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    # How far it has come. What is one transaction would hide it until the end, and SQLite lets nobody else write
    # meanwhile: so it stands in a small file, in the folder that all machines of a site share.

    @property
    def _steps_file(self) -> Path:
        return Path(settings.MEDIA_ROOT) / "progress" / f"{self.pk}.json"

    @property
    def steps(self) -> Steps:
        try:
            return Steps(*json.loads(self._steps_file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return Steps(self.done, self.total, "")

    def note_steps(self, done: int, total: int, words: str) -> None:
        """Whole or not at all: a reader never meets half a file. A disk that is full costs the bar, not the act."""
        now = time.monotonic()
        if now < getattr(self, "_next_note", 0.0):
            return
        self._next_note = now + WRITTEN_EVERY
        with contextlib.suppress(OSError):
            self._steps_file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            fresh = self._steps_file.with_suffix(f".{self.worker}")
            fresh.write_text(json.dumps([done, total, words]), "utf-8")
            fresh.replace(self._steps_file)

    def forget_steps(self) -> None:
        with contextlib.suppress(OSError):
            self._steps_file.unlink()

    # What its worker writes down; one that was never left to a worker has nothing to write

    def advance(self, *, done: int, count: int) -> None:
        """In the transaction of what was done: after a crash, the next worker goes on from here."""
        self.done, self.count = done, count
        self._write(done=done, count=count)

    def pass_over(self, row: Any, *, done: int, count: int) -> None:
        """One that could not be dealt with; the others are."""
        self.done, self.count = done, count
        self.remember(passed_over=[*self.passed_over, row])

    @property
    def passed_over(self) -> list[Any]:
        return list(self.detail.get("passed_over", []))

    def remember(self, **facts: Any) -> None:
        """In `detail`, with how far one has come."""
        self.detail = {**self.detail, **facts}
        self._write(detail=self.detail, done=self.done, count=self.count)

    def finish(self, outcome: Outcome) -> None:
        """In the transaction of what was done, where it is one."""
        told, document, filename = outcome
        ended = {"state": Job.State.DONE, "ended_at": timezone.now(), "parameters": {}}
        self._write(**ended, done=self.total, told=told, document=document, filename=filename)

    def fail(self, reason: str) -> None:
        self._write(state=Job.State.FAILED, ended_at=timezone.now(), error=reason)

    def give_back(self, *, counts: bool) -> None:
        """To the next worker; a try that ended in good order does not count."""
        self._write(state=Job.State.WAITING, worker="", attempts=self.attempts if counts else self.attempts - 1)

    def _write(self, **fields: Any) -> None:
        if self.pk and not Job.objects.running().filter(pk=self.pk, worker=self.worker).update(**fields):
            raise NoLongerOurs
