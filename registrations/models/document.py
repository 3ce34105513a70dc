"""Documents that visitors ask for. A worker makes them, and each is kept until its content changes."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from registrations.models.event import Event
from registrations.models.registration import Registration
from registrations.runtime import liveness

LEASE = timedelta(minutes=3)  # then a worker of another machine that has claimed a document is taken for lost
ATTEMPTS_MAX = 3
TRIED_AGAIN_AFTER = timedelta(minutes=10)  # a document that has failed is not asked for again before
SHOWN = 20  # characters that no font has


class DocumentQuerySet(models.QuerySet["Document"]):
    def free_of_dead_workers(self) -> None:
        """Let others claim what ended workers of this machine were making."""
        claimed = self.filter(made_at=None).exclude(worker="")
        for worker in claimed.order_by().values_list("worker", flat=True).distinct():
            if liveness.is_dead(worker):
                claimed.filter(worker=worker).update(claimed_at=None, worker="")

    def claim(self, worker: str, *, at_most: int) -> "list[Document]":
        """Claim the documents that were asked for first. Without those that another worker claimed meanwhile."""
        now = timezone.now()
        unclaimed = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
        waiting = self.filter(unclaimed, made_at=None, attempts__lt=ATTEMPTS_MAX)
        first = list(waiting.order_by("asked_at", "pk").values_list("pk", flat=True)[:at_most])
        claimed = [
            pk
            for pk in first
            if waiting.filter(pk=pk).update(claimed_at=now, worker=worker, attempts=F("attempts") + 1)
        ]
        return list(self.filter(pk__in=claimed).select_related("registration__event", "event")) if claimed else []

    def held_by(self, document: "Document") -> Self:
        """This document, if nobody has claimed it or asked for it again since."""
        return self.filter(pk=document.pk, claimed_at=document.claimed_at, made_at=None)


class Document(models.Model):
    """The certificate of a registration, or the typeset study report of an event."""

    registration = models.OneToOneField(Registration, models.CASCADE, null=True, related_name="certificate")
    event = models.OneToOneField(Event, models.CASCADE, null=True, related_name="typeset_report")
    digest = models.CharField(max_length=64)  # of the content; on_demand.py
    content = models.BinaryField(default=bytes)
    asked_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    without_font = models.CharField(max_length=SHOWN, blank=True, default="", db_default="")  # why it cannot be made

    objects = DocumentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="document_is_of_a_registration_or_of_an_event",
                condition=Q(registration__isnull=True) ^ Q(event__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], name="document_queue", condition=Q(made_at__isnull=True))]

    def __str__(self) -> str:
        return self.digest[:8]

    @property
    def has_failed(self) -> bool:
        """Whether no worker tries it any more. The last attempt may still be under way."""
        is_claimed = self.claimed_at is not None and self.claimed_at > timezone.now() - LEASE
        return self.made_at is None and self.attempts >= ATTEMPTS_MAX and not is_claimed

    @property
    def is_waited_for(self) -> bool:
        return self.made_at is None and not self.has_failed

    @property
    def may_be_asked_for_again(self) -> bool:
        """A font may have been installed meanwhile, or what was in the way is gone."""
        return (self.has_failed or bool(self.without_font)) and self.asked_at < timezone.now() - TRIED_AGAIN_AFTER

    # Written by the worker that has claimed it.

    def finish(self, content: bytes, *, digest: str) -> None:
        """`digest`: of the content that was typeset, which may have changed since it was asked for."""
        held = Document.objects.held_by(self)
        held.update(content=content, digest=digest, made_at=timezone.now())

    def refuse(self, characters: str, *, digest: str) -> None:
        """It would print boxes for these characters: it is ended without a content."""
        held = Document.objects.held_by(self)
        held.update(without_font=characters[:SHOWN], digest=digest, made_at=timezone.now())

    def release(self, *, counts: bool) -> None:
        """Let a worker claim it again. `counts`: whether this attempt counts towards ATTEMPTS_MAX."""
        attempts = self.attempts if counts else self.attempts - 1
        Document.objects.held_by(self).update(claimed_at=None, worker="", attempts=attempts)
