"""The outbox: each row is one mail to one recipient. The rows are the guarantee; tasks are only wake-ups.

The rules of each kind of mail are in mail_kinds.py. Claiming and checking a mail is in `mailing/`.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self, TypeAlias

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Lower
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models import mail_kinds, mail_states
from registrations.models.broadcast import Broadcast
from registrations.models.event import Event
from registrations.models.mail_kinds import KINDS, MailKind
from registrations.models.prepared import insert
from registrations.models.rate_limit import RateLimitHit
from registrations.models.registration import Registration, matching_ids
from registrations.models.search import search_terms
from registrations.models.site_language import in_site_language

CRASHES_BEFORE_FAILURE = 5
ALERT_AT_MOST_EVERY = timedelta(days=1)
ALERTS_APART = timedelta(minutes=1)  # long enough for every worker to see the first one
BATCH = 500  # rows of one INSERT
REFUSALS = ["bounced", "complained"]  # a mail that came back for good, or was reported as unwanted


def new_message_id() -> str:
    """A Message-ID (RFC 5322, section 3.6.4), fixed here so that a mail sent twice is recognised as one."""
    return f"<{uuid.uuid4()}@{settings.HOST}>"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> Self:
        """To be sent now: first tries, retries, and mails whose lease has ended without an outcome."""
        return self.filter(state__in=[Delivery.State.PENDING, Delivery.State.SENDING], send_at__lte=timezone.now())

    def enqueue(
        self,
        registration: Registration | None,
        kind: "Delivery.Kind",
        *,
        reason: str = "",
        is_new: bool = False,
        also: "Sequence[Delivery]" = (),
        **fields: Any,
    ) -> "Delivery":
        """Add a mail to the outbox, with the next revision of its kind; without a registration, a mail to nobody.

        `is_new`: the registration has no mail yet. `also`: other new mails, saved in the same statement. Call it in
        the transaction of the change that the mail is about, which must hold a lock on the registration.
        """
        revision = 0 if is_new else self._next_revision(registration=registration or 0, kind=kind)
        delivery = Delivery.of(registration, kind, reason=reason, revision=revision, **fields)
        insert(delivery, *also)
        return delivery

    def enqueue_for_event(self, event: Event, kind: "Delivery.Kind", **fields: Any) -> "Delivery":
        """The same for the contact address of an event; the transaction must hold a lock on the event."""
        revision = self._next_revision(event=event, registration=None, kind=kind)
        return self.create(event=event, kind=kind, revision=revision, priority=KINDS[kind].priority, **fields)

    def _next_revision(self, **same: Any) -> int:
        last = self.filter(**same).aggregate(last=Max("revision"))["last"]
        return 0 if last is None else last + 1

    def enqueue_all(
        self, registrations: models.QuerySet[Registration], kind: "Delivery.Kind", *, reason: str = "", **fields: Any
    ) -> int:
        """`enqueue` for many registrations at once; returns how many mails were added."""
        list(
            registrations.order_by("pk").select_for_update(no_key=True).values_list("pk")
        )  # nobody else adds a revision
        of_kind = Q(deliveries__kind=kind)
        rows = registrations.order_by().annotate(next=Coalesce(Max("deliveries__revision", filter=of_kind), -1) + 1)
        fields = {"priority": KINDS[kind].priority, **fields}
        deliveries = [
            Delivery(registration_id=pk, event_id=event, kind=kind, reason=reason, revision=revision, **fields)
            for pk, event, revision in rows.values_list("pk", "event", "next")
        ]
        self.bulk_create(deliveries, batch_size=BATCH)
        return len(deliveries)

    def without_dry_runs(self) -> Self:
        """Without the mails of dry runs, which no list and no figure shows."""
        return self.exclude(registration__in=Registration.objects.filter(is_dry_run=True))  # no join: an index counts

    def fill_events(self) -> None:
        """Fill in the event of mails that an older version wrote: a trigger did it there."""
        of_mail = Registration.objects.filter(pk=OuterRef("registration"))
        self.filter(event=None, registration__isnull=False).update(event=Subquery(of_mail.values("event")))

    def found_by(self, words: str) -> Self:
        """Mails to people whose name, address or organisation contains each of the words."""
        wanted = search_terms(words)
        if few := matching_ids(wanted):
            return self.filter(registration__in=few)
        return self.filter(Exists(Registration.objects.containing(wanted).filter(pk=OuterRef("registration"))))

    def pending(self) -> Self:
        return self.filter(state=Delivery.State.PENDING)

    def drop(self, reason: Any) -> None:
        """Cancel the mails that have not left; the organiser sees the reason in the list of mails."""
        self.yet_to_leave()._end(Delivery.State.CANCELLED, reason)

    def skip(self, reason: Any) -> None:
        """Mark the mails that have not left as expired, with the reason."""
        self.yet_to_leave()._end(Delivery.State.EXPIRED, reason)

    def _end(self, state: "Delivery.State", reason: Any) -> int:
        return self.update(state=state, error=in_site_language(reason), lease="", ended_at=timezone.now())

    def yet_to_leave(self) -> Self:
        """Not sent and not in the hands of a worker: pending, held back since a restore, or broken."""
        return self.filter(state__in=[Delivery.State.PENDING, Delivery.State.HELD, Delivery.State.BROKEN])

    def held(self) -> Self:
        """Due when a backup was restored, so that they may have left before.

        A row with a lease is not meant: a restore that is under way has set it aside (see `resume_after_restore`).
        """
        return self.filter(state=Delivery.State.HELD, lease="")

    def hold(self) -> int:
        """Hold back what is due now, and return how many. A mail that is due later cannot have left before.

        Mails of dry runs are cancelled instead, so that nobody has to decide about them.
        """
        due = Q(state=Delivery.State.PENDING, send_at__lte=timezone.now())
        may_have_left = Q(state__in=[Delivery.State.SENDING, Delivery.State.BROKEN]) | due
        found = self.filter(may_have_left)
        found.filter(registration__is_dry_run=True)._end(Delivery.State.CANCELLED, _("a backup was restored"))
        return found.update(state=Delivery.State.HELD, lease="")

    def resume_after_restore(self) -> None:
        """Give the mails of a restored backup their state again, which the restore keeps in `lease` until it ends."""
        states = [Delivery.State.PENDING, Delivery.State.SENDING, Delivery.State.BROKEN]
        asleep = self.filter(state=Delivery.State.HELD, lease__in=states)
        asleep.update(state=F("lease"), lease="")

    def release(self) -> int:
        """Make held mails due now, with their old Message-ID; returns how many."""
        return self.held().try_again()

    def broken(self) -> Self:
        """Could not be composed: they wait for a correction."""
        return self.filter(state=Delivery.State.BROKEN)

    def try_again(self) -> int:
        fresh = {"send_at": timezone.now(), "trying_since": None, "owed_since": None, "obstacle": ""}
        return self.update(state=Delivery.State.PENDING, **fresh)

    def give_up(self, reason: Any) -> int:
        return self.held()._end(Delivery.State.CANCELLED, reason)

    def blocked(self) -> Self:
        """Waiting for another try after a failed one, or for a correction."""
        return self.filter(state__in=[Delivery.State.PENDING, Delivery.State.BROKEN], attempts__gt=0).exclude(error="")

    def delayed(self) -> Self:
        """Put off by a rate limit: such kinds are sent at once otherwise."""
        at_once = [kind for kind in KINDS if KINDS[kind].schedule is None]
        waiting = self.filter(state=Delivery.State.PENDING, kind__in=at_once, attempts=0, error="")
        return waiting.filter(send_at__gt=timezone.now())

    def note_event(self, status: "Delivery.ProviderStatus") -> None:
        """Record a provider's event. The status only moves forward, so a repeated or late event changes nothing.

        A delivered mail has left, even if the answer to our try was lost: it is not sent again.
        """
        self.filter(provider_status__in=["", *status.earlier()]).update(provider_status=status)
        if status == Delivery.ProviderStatus.DELIVERED:
            waiting = self.yet_to_leave().exclude(state=Delivery.State.PENDING, attempts=0)
            left = {"state": Delivery.State.SENT, "sent_at": timezone.now(), "owed_since": None, "obstacle": ""}
            waiting.update(**left, error="", lease="", worker_crashes=0)

    def to_see(self) -> Self:
        """Those that need somebody: failed, held back, impossible to compose, or refused by the mailbox."""
        ended = [Delivery.State.FAILED, Delivery.State.HELD, Delivery.State.BROKEN]
        return self.without_dry_runs().filter(Q(state__in=ended) | Q(provider_status__in=REFUSALS))

    def refused(self) -> Self:
        """Returned for good, or reported as unwanted."""
        return self.filter(provider_status__in=REFUSALS)

    @transaction.atomic
    def enqueue_alert(self, recipient: str) -> None:
        """One alert per incident: none while another is on its way, or was sent within a day."""
        recent = Q(state=Delivery.State.SENT, sent_at__gt=timezone.now() - ALERT_AT_MOST_EVERY)
        on_its_way = Q(state__in=[Delivery.State.PENDING, Delivery.State.SENDING])
        if self.filter(recent | on_its_way, kind=Delivery.Kind.ALERT).exists():
            return
        if RateLimitHit.objects.take("alert", limit=1, period=ALERTS_APART, delays=False):  # one of many at once
            self.create(kind=Delivery.Kind.ALERT, recipient=recipient, priority=KINDS[Delivery.Kind.ALERT].priority)

    def holders(self) -> set[str]:
        """Names of the workers that are sending a mail now."""
        leases = self.filter(state=Delivery.State.SENDING).values_list("lease", flat=True)
        return {lease.rpartition(".")[0] for lease in leases}

    def free(self, holder: str) -> None:
        """Make the mail of a dead worker due now."""
        held = self.filter(state=Delivery.State.SENDING, lease__startswith=f"{holder}.")
        held.update(send_at=timezone.now())


class Delivery(models.Model):
    Kind: TypeAlias = mail_kinds.Kind  # noqa: UP040 - an enumeration, not only a type
    Reason: TypeAlias = mail_kinds.Reason  # noqa: UP040
    State: TypeAlias = mail_states.State  # noqa: UP040
    Obstacle: TypeAlias = mail_states.Obstacle  # noqa: UP040
    ProviderStatus: TypeAlias = mail_states.ProviderStatus  # noqa: UP040

    registration = models.ForeignKey(
        Registration, models.CASCADE, null=True, blank=True, related_name="deliveries", verbose_name=_("registration")
    )
    broadcast = models.ForeignKey(
        Broadcast,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("message to registrants"),
    )
    # The registration's, if there is one. No constraint: checking it would wait for a sign-up that has locked its row.
    event = models.ForeignKey(
        Event,
        models.DO_NOTHING,
        null=True,
        editable=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("event"),
    )
    recipient = models.EmailField(
        _("recipient"),
        max_length=254,
        blank=True,
        help_text=_("Empty: the registration’s address when it is sent."),
    )
    sample = models.JSONField(null=True, blank=True, editable=False)  # the mail that a trial stands for
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("The lower leaves first."))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    send_at = models.DateTimeField(_("due"), default=timezone.now, db_column="due")
    not_after = models.DateTimeField(_("not after"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    worker_crashes = models.PositiveSmallIntegerField(
        _("breakdowns"),
        default=0,
        help_text=_("Times in a row that the worker was lost with this mail in hand."),
        db_column="deaths",
    )
    lease = models.CharField(max_length=64, blank=True)
    message_id = models.CharField(_("message identifier"), max_length=255, unique=True, default=new_message_id)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    trying_since = models.DateTimeField(null=True, blank=True, editable=False)
    owed_since = models.DateTimeField(null=True, blank=True, editable=False)  # the first moment at which it was due
    obstacle = models.CharField(max_length=10, choices=Obstacle, blank=True, default="", db_default="")
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    ended_at = models.DateTimeField(null=True, editable=False)  # without leaving
    sent_to = models.EmailField(
        _("sent to"), max_length=254, blank=True, help_text=_("The address of the last try."), editable=False
    )
    provider_status = models.CharField(_("told by the provider"), max_length=20, choices=ProviderStatus, blank=True)

    others_are_blocked = False  # by the mail server, when this mail was claimed

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "kind", "revision"],
                name="delivery_is_unique_per_registration_kind_revision",
            ),
            models.UniqueConstraint(
                fields=["event", "kind", "revision"],
                condition=Q(registration__isnull=True, event__isnull=False),
                name="delivery_is_unique_per_event_kind_revision",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "send_at"], name="delivery_to_send", condition=Q(state__in=["pending", "sending"])
            ),
            models.Index(
                fields=["registration", "kind", "send_at"], name="delivery_to_come", condition=Q(state="pending")
            ),
            # not partial: SQLite ignores a partial index when its condition is a parameter
            models.Index(fields=["state", "send_at"], name="delivery_states"),
            models.Index(fields=["state", "registration", "event"], name="delivery_people_by_state"),
            models.Index(fields=["event", "kind", "state", "not_after", "registration"], name="delivery_counts"),
            models.Index(
                fields=["provider_status", "created_at", "id", "registration", "event"],
                name="delivery_by_provider_status",
            ),
            models.Index(fields=["created_at", "id", "registration"], name="delivery_by_date"),
            models.Index(fields=["state", "created_at", "id", "registration"], name="delivery_by_state"),
            models.Index(fields=["kind", "created_at", "id", "registration"], name="delivery_by_kind"),
            models.Index(fields=["event", "created_at", "id", "registration"], name="delivery_by_event"),
            models.Index(fields=["send_at"], name="delivery_late", condition=Q(state__in=["pending", "sending"])),
            models.Index(fields=["state", "owed_since"], name="delivery_owed", condition=Q(owed_since__isnull=False)),
            models.Index(fields=["event", "kind", "send_at"], name="delivery_next", condition=Q(state="pending")),
            models.Index(
                fields=["broadcast", "kind", "state", "provider_status"],
                name="delivery_of_broadcast",
                condition=Q(broadcast__isnull=False),
            ),
            models.Index(Lower("sent_to"), name="delivery_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    @classmethod
    def of(cls, registration: Registration | None, kind: "Delivery.Kind", **fields: Any) -> "Delivery":
        """A mail to this registration, or to nobody; not saved yet."""
        same = {"registration": registration, "event_id": registration and registration.event_id, "kind": kind}
        return cls(**same, **{"priority": KINDS[kind].priority, **fields})

    @property
    def facts(self) -> MailKind:
        """The rules of its kind."""
        return KINDS[mail_kinds.Kind(self.kind)]

    @property
    def related_event(self) -> Event | None:
        """The event that the mail is about; None for a trial and for an alert."""
        return self.registration.event if self.registration else self.event

    @property
    def address(self) -> str:
        """Where it goes: its own recipient, or the address of the registration or of the event as it is now."""
        if self.recipient or self.registration:
            return self.recipient or (self.registration.email if self.registration else "")
        return self.event.contact_email if self.event else ""

    def others_to_recipient(self) -> "DeliveryQuerySet | None":
        """All mails to this registration, or to the contact address of this event; None for staff and operator."""
        if self.registration_id is not None:
            return Delivery.objects.filter(registration=self.registration_id)
        if self.event_id is not None:
            return Delivery.objects.filter(event=self.event_id, registration=None)
        return None

    @property
    def is_first(self) -> bool:
        """The first mail of all to this registration."""
        return self.revision == 0 and self.reason == self.Reason.NEW

    @property
    def is_delayed(self) -> bool:
        """Put off by a rate limit, as `DeliveryQuerySet.delayed` finds them."""
        waits = self.state == Delivery.State.PENDING and not self.attempts and not self.error
        return waits and self.facts.schedule is None and self.send_at > timezone.now()

    @property
    def is_poison_message(self) -> bool:
        return self.worker_crashes >= CRASHES_BEFORE_FAILURE

    @property
    def is_too_late(self) -> bool:
        return self.not_after is not None and timezone.now() >= self.not_after


@receiver(pre_delete, sender=Event)
def delete_mails_of_event(instance: Event, **_signal: Any) -> None:
    """Delete the mails to its contact address, which no cascade reaches: `event` has no database constraint."""
    Delivery.objects.filter(event=instance, registration=None).delete()
