"""Mails in the outbox, as a test needs them."""

from datetime import timedelta
from typing import Any

from registrations.mailing import outbox
from registrations.models import Delivery
from tests.factories import make_event, make_registration

MINUTE = timedelta(minutes=1)


def enqueue(**fields: Any) -> Delivery:
    registration = fields.pop("registration", None) or make_registration(make_event(report=False))
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    delivery.refresh_from_db()
    return delivery


def after_a_drain(delivery: Delivery) -> Delivery:
    outbox.drain()
    delivery.refresh_from_db()
    return delivery
