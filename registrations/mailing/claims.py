"""Claim the next due mail for one worker, and record the outcome."""

import contextlib
import secrets
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models
from django.utils import timezone

from registrations.models import Broadcast, Delivery, Event, MailText, Registration
from registrations.models.delivery import DeliveryQuerySet
from registrations.models.prepared import Parameter, PreparedQuery, rows_of

LEASE = timedelta(minutes=6)  # more than one mail can take: see outbox.SEND_AT_MOST

# `sent_to` is set now because the provider's first event may arrive before our own record of the sending.
CLAIM = """
    UPDATE registrations_delivery
    SET state = 'sending',
        lease = %(lease)s,
        due = %(until)s,
        attempts = attempts + 1,
        deaths = CASE WHEN state = 'sending' THEN deaths + 1 ELSE 0 END,
        trying_since = COALESCE(trying_since, %(now)s),
        owed_since = COALESCE(owed_since, due),
        sent_to = COALESCE(
            NULLIF(recipient, ''),
            (SELECT email FROM registrations_registration WHERE id = registration_id),
            (SELECT contact_email FROM registrations_event WHERE id = event_id),
            ''
        )
    WHERE id = (
        SELECT id FROM registrations_delivery
        WHERE state IN ('pending', 'sending') AND due <= %(now)s
        ORDER BY priority, due, id
        LIMIT 1 {lock}
    )
    RETURNING id, EXISTS (
        SELECT 1 FROM registrations_delivery AS other
        WHERE other.state = 'pending' AND other.owed_since IS NOT NULL AND other.obstacle = 'server'
    )
"""
SENT = """
    UPDATE registrations_delivery
    SET state = 'sent', sent_at = %(now)s, error = '', lease = '', deaths = 0, owed_since = NULL, obstacle = ''
    WHERE id = %(id)s AND message_id = %(message_id)s
    RETURNING id
"""
RESUME = """
    UPDATE registrations_delivery SET due = %(now)s, obstacle = ''
    WHERE state = 'pending' AND owed_since <= %(now)s AND obstacle = 'server'
    RETURNING id
"""

_PK = Parameter("pk", models.BigAutoField())
_DELIVERY = PreparedQuery(lambda: Delivery.objects.filter(pk=_PK))
_REGISTRATION = PreparedQuery(lambda: Registration.objects.filter(pk=_PK))
_EVENT = PreparedQuery(
    lambda: (
        Event.objects.annotate_has_report()
        .annotate(has_own_words=models.Exists(MailText.objects.filter(event=models.OuterRef("pk"))))
        .filter(pk=_PK)
    )
)


def claim(*, holder: str = "") -> Delivery | None:
    """Take the first due mail for one lease, so that no other worker sends it; None when nothing is due.

    `holder` is the name of the worker: once it is known to be dead, its mail is taken over. A mail whose last worker
    never recorded an outcome counts one crash. The claim is one statement, committed before the mail is sent.
    """
    now = timezone.now()
    values = {
        "now": connection.ops.adapt_datetimefield_value(now),
        "until": connection.ops.adapt_datetimefield_value(now + LEASE),
        "lease": f"{holder}.{secrets.token_hex(8)}",
    }
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    while claimed := rows_of(CLAIM.format(lock=lock), values):
        with contextlib.suppress(ObjectDoesNotExist):  # erased since the claim: take the next one
            [(pk, others_are_blocked)] = claimed
            delivery = _with_related(_DELIVERY.get(pk=pk))
            delivery.others_are_blocked = bool(others_are_blocked)
            if delivery.address:
                return delivery
            delivery.delete()  # to nobody: a visitor asked for the link of an address that is on no list
    return None


def _with_related(delivery: Delivery) -> Delivery:
    """With its registration, event and message, as they are now."""
    if delivery.registration_id is not None:
        delivery.registration = _REGISTRATION.get(pk=delivery.registration_id)
        delivery.registration.event = _EVENT.get(pk=delivery.registration.event_id)
    elif delivery.event_id is not None:
        delivery.event = _EVENT.get(pk=delivery.event_id)
    if delivery.broadcast_id is not None:
        delivery.broadcast = Broadcast.objects.select_related("event").get(pk=delivery.broadcast_id)
    return delivery


def record_sent(delivery: Delivery) -> None:
    """Record that the mail was sent, even if another worker holds the lease now.

    The Message-ID is compared because a restore may have given this primary key to another mail.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows_of(SENT, {"now": now, "id": delivery.pk, "message_id": delivery.message_id})


def record_end(delivery: Delivery, state: Delivery.State, error: str = "") -> None:
    """Record a final state: no further try. Changes nothing unless this worker still holds the lease."""
    ended = {"owed_since": None, "obstacle": "", "ended_at": timezone.now()}
    _held(delivery).update(state=state, error=error, lease="", **ended)


def record_retry(
    delivery: Delivery, *, after: timedelta, error: str, counts: bool, obstacle: Delivery.Obstacle
) -> None:
    """Try again after a delay. Changes nothing unless this worker still holds the lease.

    `counts`: false when the obstacle is on our side; the three days of trying then start again.
    """
    _held(delivery).update(
        state=Delivery.State.PENDING,
        send_at=timezone.now() + after,
        trying_since=delivery.trying_since if counts else None,
        obstacle=obstacle,
        error=error,
        lease="",
        worker_crashes=0,
    )


def resume_blocked() -> None:
    """Make due now what the mail server or our settings have stopped, since a mail has just left."""
    rows_of(RESUME, {"now": connection.ops.adapt_datetimefield_value(timezone.now())})


def _held(delivery: Delivery) -> DeliveryQuerySet:
    return Delivery.objects.filter(pk=delivery.pk, lease=delivery.lease, state=Delivery.State.SENDING)
