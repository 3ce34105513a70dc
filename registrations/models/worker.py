"""Workers that run: each one updates its row every few seconds."""

import socket
from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from registrations.runtime import liveness

SEEN_LATELY = timedelta(minutes=3)


class WorkerPresenceQuerySet(models.QuerySet["WorkerPresence"]):
    def seen_lately(self) -> Self:
        return self.filter(seen_at__gt=timezone.now() - SEEN_LATELY)

    def alive(self) -> list["WorkerPresence"]:
        """Workers seen lately, without those of this machine whose process has ended since."""
        return [worker for worker in self.seen_lately() if not liveness.is_dead(worker.name)]

    def note(self, name: str) -> None:
        self.update_or_create(name=name, defaults={"seen_at": timezone.now(), "host": socket.gethostname()})


class WorkerPresence(models.Model):
    name = models.CharField(max_length=32, unique=True)
    host = models.CharField(max_length=255, default="", db_default="")
    seen_at = models.DateTimeField(default=timezone.now)

    objects = WorkerPresenceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
