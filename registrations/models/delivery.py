"""One mail owed to one person: the outbox. Its rows are the guarantee; tasks are only wake-ups."""

import contextlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from registrations.models.broadcast import Broadcast
from registrations.models.event import Event
from registrations.models.prepared import Parameter, PreparedQuery, insert, rows_of
from registrations.models.rate_limit import RateLimitHit
from registrations.models.registration import Registration, few_that_hold
from registrations.models.search import search_terms

LEASE = timedelta(minutes=6)  # twelve SMTP steps of 30 s each
CRASHES_BEFORE_FAILURE = 5
OVERDUE_AFTER = timedelta(minutes=10)
ALERT_AT_MOST_EVERY = timedelta(days=1)
ALERTS_APART = timedelta(minutes=1)  # in which the first one is seen by all
ALERT_PRIORITY = -10
BATCH = 500  # rows of one INSERT


def new_message_id() -> str:
    """A Message-ID (RFC 5322, section 3.6.4), fixed here so that a mail sent twice is recognised as one."""
    return f"<{uuid.uuid4()}@{settings.HOST}>"


# What someone waits for in front of the screen leaves before what many are sent at once.
PRIORITIES = {"reminder_hour": -1, "changed": 1, "cancelled": 1, "reminder_day": 2, "follow_up": 3, "broadcast": 4}
NEED_A_SEAT = {"confirmation", "promoted", "reminder_day", "reminder_hour", "follow_up"}
REFUSALS = ["bounced", "complained"]  # what a provider tells of a mail that came back for good, or was unwanted
TELL_OF_AN_END = {"withdrawn", "erased"}
TELL_OF_AN_EVENT_TO_COME = {*NEED_A_SEAT, "waiting_list", "changed"}

# `sent_to` is written now, since a provider's event may come sooner than our own record of the sending.
CLAIM = """
    UPDATE registrations_delivery
    SET state = 'sending',
        lease = %(lease)s,
        due = %(until)s,
        attempts = attempts + 1,
        deaths = CASE WHEN state = 'sending' THEN deaths + 1 ELSE 0 END,
        trying_since = COALESCE(trying_since, %(now)s),
        sent_to = COALESCE(
            NULLIF(recipient, ''),
            (SELECT email FROM registrations_registration WHERE id = registration_id),
            ''
        )
    WHERE id = (
        SELECT id FROM registrations_delivery
        WHERE state IN ('pending', 'sending') AND due <= %(now)s
        ORDER BY priority, due, id
        LIMIT 1 {lock}
    )
    RETURNING id
"""
SENT = """
    UPDATE registrations_delivery SET state = 'sent', sent_at = %(now)s, error = '', lease = '', deaths = 0
    WHERE id = %(id)s AND message_id = %(message_id)s
    RETURNING id
"""


def desk_words(lazy: Any) -> str:
    """A reason is read in the desk, whatever language the visitor speaks who caused it."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(lazy)


class Waiting(NamedTuple):
    due: int
    late: int
    oldest_due_at: datetime | None


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> Self:
        """To be sent now: first tries, retries, and those whose holder has not been heard of until its lease's end."""
        return self.filter(state__in=[Delivery.State.PENDING, Delivery.State.SENDING], send_at__lte=timezone.now())

    def enqueue(
        self,
        registration: Registration,
        kind: "Delivery.Kind",
        *,
        reason: str = "",
        is_new: bool = False,
        also: "Sequence[Delivery]" = (),
        **fields: Any,
    ) -> "Delivery":
        """Add a mail to the outbox, with the next revision of its kind; `is_new`: the registration has none yet.

        `also`: other mails, to be written down with it.

        Call it inside the transaction that makes the change it tells of, which must hold the registration's row.
        """
        revision = 0 if is_new else self._next_revision(registration, kind)
        fields = {"priority": Delivery.priority_of(kind), **fields}
        owed = Delivery(registration=registration, kind=kind, reason=reason, revision=revision, **fields)
        insert(owed, *also)
        return owed

    def _next_revision(self, registration: Registration, kind: "Delivery.Kind") -> int:
        last = self.filter(registration=registration, kind=kind).aggregate(last=Max("revision"))["last"]
        return 0 if last is None else last + 1

    def enqueue_all(
        self, registrations: models.QuerySet[Registration], kind: "Delivery.Kind", *, reason: str = "", **fields: Any
    ) -> int:
        """The same for many registrations at once; returns how many mails were added."""
        list(registrations.order_by("pk").select_for_update().values_list("pk"))  # one revision, one owner
        of_kind = Q(deliveries__kind=kind)
        rows = registrations.order_by().annotate(next=Coalesce(Max("deliveries__revision", filter=of_kind), -1) + 1)
        fields = {"priority": Delivery.priority_of(kind), **fields}
        owed = [
            Delivery(registration_id=pk, kind=kind, reason=reason, revision=revision, **fields)
            for pk, revision in rows.values_list("pk", "next")
        ]
        self.bulk_create(owed, batch_size=BATCH)
        return len(owed)

    def without_dry_runs(self) -> Self:
        """Without those of trials, which no list and no figure shows."""
        return self.exclude(registration__is_dry_run=True)

    def found_by(self, words: str) -> Self:
        """Those to people whose name, address or organisation holds each of the words."""
        wanted = search_terms(words)
        if few := few_that_hold(wanted):
            return self.filter(registration__in=few)
        return self.filter(Exists(Registration.objects.that_hold(wanted).filter(pk=OuterRef("registration"))))

    def pending(self) -> Self:
        return self.filter(state=Delivery.State.PENDING)

    def drop(self, reason: Any) -> None:
        """Those that have not left yet will not leave; the reason is kept where the organiser reads it."""
        self.yet_to_leave().update(state=Delivery.State.CANCELLED, error=desk_words(reason), lease="")

    def skip(self, reason: Any) -> None:
        """The same for those whose hour has passed."""
        self.yet_to_leave().update(state=Delivery.State.EXPIRED, error=desk_words(reason), lease="")

    def yet_to_leave(self) -> Self:
        """By the clock, or when the organiser lets them."""
        return self.filter(state__in=[Delivery.State.PENDING, Delivery.State.HELD])

    def held(self) -> Self:
        """Due when a backup was restored: they may have left before. What a restore that goes on has put to sleep is
        not meant."""
        return self.filter(state=Delivery.State.HELD, lease="")

    def hold(self) -> int:
        """Hold back what is due now; what the clock sends later cannot have left yet. Returns how many.

        Mails on trial are not worth the question.
        """
        may_have_left = Q(state=Delivery.State.SENDING) | Q(state=Delivery.State.PENDING, send_at__lte=timezone.now())
        found = self.filter(may_have_left)
        found.filter(registration__is_dry_run=True).update(
            state=Delivery.State.CANCELLED, error=desk_words(_("a backup was restored")), lease=""
        )
        return found.update(state=Delivery.State.HELD, lease="")

    def wake(self) -> None:
        """As they were in a backup that was put in place under running workers (restores.PUT_TO_SLEEP)."""
        asleep = self.filter(state=Delivery.State.HELD, lease__in=[Delivery.State.PENDING, Delivery.State.SENDING])
        asleep.update(state=F("lease"), lease="")

    def release(self) -> int:
        """Let what was held leave after all, with the Message-ID that it had; returns how many."""
        return self.held().update(state=Delivery.State.PENDING, send_at=timezone.now(), trying_since=None)

    def give_up(self, reason: Any) -> int:
        return self.held().update(state=Delivery.State.CANCELLED, error=desk_words(reason))

    def blocked(self) -> Self:
        """Waiting after a try that failed."""
        return self.filter(state=Delivery.State.PENDING, attempts__gt=0).exclude(error="")

    def delayed(self) -> Self:
        """First tries that were put off because of how many there are."""
        waiting = self.filter(state=Delivery.State.PENDING, kind=Delivery.Kind.CONFIRMATION, attempts=0)
        return waiting.filter(send_at__gt=timezone.now())

    def note_event(self, status: "Delivery.ProviderStatus") -> None:
        """What the provider tells of these mails: forward only, so that replayed or late events change nothing.

        A mail that was delivered has left, even if the answer that said so was lost: it is not sent once more.
        """
        self.filter(provider_status__in=["", *status.earlier()]).update(provider_status=status)
        if status == Delivery.ProviderStatus.DELIVERED:
            waiting = self.filter(Q(state=Delivery.State.PENDING, attempts__gt=0) | Q(state=Delivery.State.HELD))
            waiting.update(state=Delivery.State.SENT, sent_at=timezone.now(), error="", lease="", worker_crashes=0)

    def refused(self) -> Self:
        """Come back for good, or reported as unwanted."""
        return self.filter(provider_status__in=REFUSALS)

    @transaction.atomic
    def enqueue_alert(self, recipient: str) -> None:
        """One alert an incident: none while another is on its way, or has left within a day."""
        recent = Q(state=Delivery.State.SENT, sent_at__gt=timezone.now() - ALERT_AT_MOST_EVERY)
        on_its_way = Q(state__in=[Delivery.State.PENDING, Delivery.State.SENDING])
        if self.filter(recent | on_its_way, kind=Delivery.Kind.ALERT).exists():
            return
        if RateLimitHit.objects.take("alert", limit=1, period=ALERTS_APART, delays=False):  # of many at once, one
            self.create(kind=Delivery.Kind.ALERT, recipient=recipient, priority=ALERT_PRIORITY)

    def holders(self) -> set[str]:
        """The workers that hold a mail now."""
        leases = self.filter(state=Delivery.State.SENDING).values_list("lease", flat=True)
        return {lease.rpartition(".")[0] for lease in leases}

    def free(self, holder: str) -> None:
        """Make the mail of a dead worker due at once."""
        held = self.filter(state=Delivery.State.SENDING, lease__startswith=f"{holder}.")
        held.update(send_at=timezone.now())

    def overdue(self) -> Self:
        """Due for longer than any worker should need."""
        return self.filter(
            state__in=[Delivery.State.PENDING, Delivery.State.SENDING], send_at__lte=timezone.now() - OVERDUE_AFTER
        )

    def waiting(self) -> Waiting:
        """How many mails' moment has come, how many are overdue, and since when the oldest waits; one query."""
        late = Q(send_at__lte=timezone.now() - OVERDUE_AFTER)
        counted = self.due().aggregate(count=Count("pk"), late=Count("pk", filter=late), oldest=Min("send_at"))
        return Waiting(counted["count"], counted["late"], counted["oldest"])

    def claim(self, *, holder: str = "") -> "Delivery | None":
        """Take the first due mail for one lease, so that no other worker sends it; None when nothing is due.

        `holder` names the worker, so that its mail can be taken over as soon as it is known to be dead. A row found in
        the hands of a lost worker counts one death. One statement, committed by itself before the mail is sent.
        """
        now = timezone.now()
        values = {
            "now": connection.ops.adapt_datetimefield_value(now),
            "until": connection.ops.adapt_datetimefield_value(now + LEASE),
            "lease": f"{holder}.{secrets.token_hex(8)}",
        }
        lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
        while claimed := rows_of(CLAIM.format(lock=lock), values):
            with contextlib.suppress(ObjectDoesNotExist):  # erased between the two: the next one
                return _with_what_it_tells_of(_BY_NUMBER.get(pk=claimed[0][0]))
        return None


class Delivery(models.Model):
    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", _("Confirmation")
        WAITING_LIST = "waiting_list", _("Waiting list")
        PROMOTED = "promoted", _("A seat has become free")
        REMINDER_DAY = "reminder_day", _("First reminder")
        REMINDER_HOUR = "reminder_hour", _("Last reminder")
        CHANGED = "changed", _("Event changed")
        CANCELLED = "cancelled", _("Event cancelled")
        WITHDRAWN = "withdrawn", _("Withdrawal")
        UPDATED = "updated", _("Answers corrected")
        ADDRESS_CHECK = "address_check", _("New address to confirm")
        ADDRESS_CHANGED = "address_changed", _("Address changed, to the old one")
        ERASED = "erased", _("Data erased")
        FOLLOW_UP = "follow_up", _("Follow-up")
        BROADCAST = "broadcast", _("Message from the organiser")
        TRIAL = "trial", _("Trial, to who writes")
        ALERT = "alert", _("Alert to the operator")

    class Reason(models.TextChoices):
        """Chooses the first sentence of a mail."""

        NEW = "new", _("New registration")
        KNOWN = "known", _("Address already registered")
        RESENT = "resent", _("Sent again")
        RETURNED = "returned", _("Came back")
        CORRECTED = "corrected", _("Address corrected")
        PROMOTED = "promoted", _("A seat has become free")
        MOVED = "moved", _("New date")
        HOUR = "hour", _("New hour")
        REOPENED = "reopened", _("Takes place after all")
        POSTPONED = "postponed", _("Postponed")
        NOTES = "notes", _("New note on the connection")
        SEAT = "seat", _("Gave back a seat")
        LINE = "line", _("Left the waiting list")

    class State(models.TextChoices):
        PENDING = "pending", _("To be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")
        HELD = "held", _("Held back since a restore")

    class ProviderStatus(models.TextChoices):
        """What the provider's events tell, in the order in which a mail may move: never back."""

        QUEUED = "queued", _("accepted by the provider")
        DEFERRED = "deferred", _("returned for now (mailbox full or away)")
        DELIVERED = "delivered", _("delivered")
        REJECTED = "rejected", _("refused by the provider")
        BOUNCED = "bounced", _("returned: this address does not work")
        COMPLAINED = "complained", _("reported as unwanted by the recipient")

        def earlier(self) -> list["Delivery.ProviderStatus"]:
            order = list(Delivery.ProviderStatus)
            return order[: order.index(self)]

    registration = models.ForeignKey(
        Registration,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("registration"),
    )
    broadcast = models.ForeignKey(
        Broadcast,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("message to registrants"),
    )
    event = models.ForeignKey(  # the registration's, by a trigger; no constraint: see LiveCount
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
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    sent_to = models.EmailField(
        _("sent to"), max_length=254, blank=True, help_text=_("The address of the last try."), editable=False
    )
    provider_status = models.CharField(_("told by the provider"), max_length=20, choices=ProviderStatus, blank=True)

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
        ]
        indexes = [
            models.Index(
                fields=["priority", "send_at"],
                name="delivery_to_send",
                condition=Q(state__in=["pending", "sending"]),
            ),
            models.Index(
                fields=["registration", "kind", "send_at"], name="delivery_to_come", condition=Q(state="pending")
            ),
            models.Index(
                fields=["state", "send_at"], name="delivery_states"
            ),  # SQLite knows no partial one by parameters
            models.Index(fields=["state", "registration"], name="delivery_people_by_state"),
            models.Index(fields=["provider_status", "created_at", "id"], name="delivery_by_provider_status"),
            models.Index(fields=["created_at", "id"], name="delivery_by_date"),
            models.Index(fields=["state", "created_at", "id"], name="delivery_by_state"),
            models.Index(fields=["kind", "created_at", "id"], name="delivery_by_kind"),
            models.Index(fields=["event", "created_at", "id"], name="delivery_by_event"),
            models.Index(fields=["send_at"], name="delivery_late", condition=Q(state__in=["pending", "sending"])),
            models.Index(fields=["event", "kind", "send_at"], name="delivery_next", condition=Q(state="pending")),
            models.Index(
                fields=["broadcast", "state"], name="delivery_of_broadcast", condition=Q(broadcast__isnull=False)
            ),
            models.Index(Lower("sent_to"), name="delivery_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    @staticmethod
    def priority_of(kind: "Delivery.Kind") -> int:
        return PRIORITIES.get(kind, 0)

    @property
    def address(self) -> str:
        """Where it goes: its own recipient, or the registration's address as it is now."""
        return self.recipient or (self.registration.email if self.registration else "")

    @property
    def is_first(self) -> bool:
        """The first mail of all to this registration."""
        return self.revision == 0 and self.reason == self.Reason.NEW

    def obsolete_reason(self) -> str:
        """Why a mail that was owed would say something that is no longer so; empty when it may leave."""
        if self.registration is None:
            return ""
        untrue = self._obsolete_for_registration(self.registration) or self._obsolete_for_event(
            self.registration.event
        )
        return str(untrue)

    def _obsolete_for_registration(self, registration: Registration) -> Any:
        if self.kind in TELL_OF_AN_END:
            return "" if registration.is_cancelled else _("the registration was taken up again")
        if self.kind == self.Kind.ADDRESS_CHANGED:
            return ""
        if self.kind == self.Kind.ADDRESS_CHECK:
            return "" if registration.new_email == self.recipient else _("the new address is no longer asked for")
        if registration.is_cancelled:
            return _("the registration was cancelled")
        if self.kind in NEED_A_SEAT and not registration.is_seated:
            return _("this person is on the waiting list")
        if self.kind == self.Kind.WAITING_LIST and not registration.is_waiting:
            return _("this person is no longer on the waiting list")
        return self._obsolete_for_broadcast(self.broadcast, registration) if self.broadcast else ""

    def _obsolete_for_broadcast(self, broadcast: Broadcast, registration: Registration) -> Any:
        if broadcast.is_taken_back:
            return _("the organiser took this message back")
        if broadcast.is_stopped:
            return _("the organiser stopped this message")
        if not broadcast.recipients().filter(pk=registration.pk).exists():
            return _("this person is no longer one of those whom the message is for")
        return ""

    def _obsolete_for_event(self, event: Event) -> Any:
        match self.kind:
            case self.Kind.CHANGED if self.reason == self.Reason.POSTPONED:
                return "" if event.status == Event.Status.POSTPONED else _("the event is no longer postponed")
            case self.Kind.CHANGED if self.reason == self.Reason.NOTES and not event.connection_notes:
                return _("the note was taken back")
            case self.Kind.CHANGED if event.status == Event.Status.PUBLISHED and event.is_over:
                return _("the session is over")
            case self.Kind.CANCELLED:
                return "" if event.status == Event.Status.CANCELLED else _("the event is no longer cancelled")
            case kind if kind in TELL_OF_AN_EVENT_TO_COME:
                over = event.status in {Event.Status.CANCELLED, Event.Status.POSTPONED}
                return _("the event was cancelled or postponed") if over else ""
        return ""

    def earlier_refusal(self) -> "Delivery.ProviderStatus | None":
        """Why this registration's mails no longer leave for this address; a corrected address is free again."""
        if self.registration_id is None or (self.is_first and not self.provider_status):
            return None
        same_mailbox = Delivery.objects.filter(registration=self.registration_id, sent_to__iexact=self.address)
        told = same_mailbox.refused().first()
        return self.ProviderStatus(told.provider_status) if told else None

    @property
    def is_poison_message(self) -> bool:
        return self.worker_crashes >= CRASHES_BEFORE_FAILURE

    @property
    def is_too_late(self) -> bool:
        return self.not_after is not None and timezone.now() >= self.not_after

    @property
    def is_overtaken(self) -> bool:
        """A first reminder so late that the last one is due as well; a trial asks for either."""
        if self.kind != self.Kind.REMINDER_DAY or self.registration is None or self.registration.is_dry_run:
            return False
        first, last = self.registration.event.reminder_day_at, self.registration.event.reminder_hour_at
        return first is not None and last is not None and first <= last <= timezone.now()

    def record_sent(self) -> None:
        """True whoever holds the lease now: the mail has left. After a restore its number may be another mail's."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        rows_of(SENT, {"now": now, "id": self.pk, "message_id": self.message_id})

    def record_end(self, state: "Delivery.State", error: str = "") -> None:
        """No further try. Only the holder of the lease may say so."""
        self._mine().update(state=state, error=error, lease="")

    def record_retry(self, *, after: timedelta, error: str, counts: bool) -> None:
        """Try again after a delay. Only the holder of the lease may say so.

        A try that does not count, for an obstacle of our own making, starts the time of patience anew.
        """
        self._mine().update(
            state=self.State.PENDING,
            send_at=timezone.now() + after,
            trying_since=self.trying_since if counts else None,
            error=error,
            lease="",
            worker_crashes=0,
        )

    def _mine(self) -> DeliveryQuerySet:
        return Delivery.objects.filter(pk=self.pk, lease=self.lease, state=self.State.SENDING)


_PK = Parameter("pk", models.BigAutoField())
_BY_NUMBER = PreparedQuery(lambda: Delivery.objects.filter(pk=_PK))
_REGISTRATION = PreparedQuery(lambda: Registration.objects.filter(pk=_PK))
_EVENT = PreparedQuery(lambda: Event.objects.knowing_their_report().filter(pk=_PK))


def _with_what_it_tells_of(delivery: Delivery) -> Delivery:
    """Its registration, message and event, as they are now."""
    if delivery.registration_id is not None:
        delivery.registration = _REGISTRATION.get(pk=delivery.registration_id)
        delivery.registration.event = _EVENT.get(pk=delivery.registration.event_id)
    if delivery.broadcast_id is not None:
        delivery.broadcast = Broadcast.objects.select_related("event").get(pk=delivery.broadcast_id)
    return delivery
