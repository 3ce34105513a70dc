"""Messages to the registrants of an event, as a test needs them, and their pages."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from django.test import Client
from django.utils import timezone

from registrations.mailing import composer
from registrations.models import Broadcast, Delivery, Event, Registration
from tests import mailbox
from tests.admin_client import EVENTS
from tests.factories import make_event, make_registration

TYPED = {"audience": "seated", "subject": "Avant {titre}", "body": "Bonjour {prenom},\n\nVotre lien : {lien}"}


def path(event: Event, page: str = "write") -> str:
    return f"{EVENTS}{event.pk}/{page}/"


def page_of(broadcast: Broadcast, page: str = "") -> str:
    return path(broadcast.event, f"write/{broadcast.pk}") + page


def make_broadcast(event: Event | None = None, **fields: Any) -> Broadcast:
    return Broadcast.objects.create(**{"event": event or make_event(), "created_by": 1, **TYPED, **fields})


def with_people() -> Event:
    """Two seats, one of them in English, one person in line, and one who withdrew."""
    event = make_event()
    make_registration(event, first_name="Zoë", email="zoe@example.org")
    make_registration(event, first_name="Ann", email="ann@example.org", language="en")
    make_registration(event, status="waitlisted", email="wait@example.org")
    make_registration(event, status="cancelled", email="gone@example.org")
    return event


def confirm(organiser: Client, broadcast: Broadcast, typed: int | str, **sent: Any) -> Any:
    seen = organiser.get(page_of(broadcast)).context["seen"]
    return organiser.post(page_of(broadcast), {"seen": seen, "typed": typed, **sent}, follow=True)


def sent_to(broadcast: Broadcast) -> list[str]:
    """The addresses in the order of the alphabet: a message leaves to all at once."""
    mails = Delivery.objects.filter(broadcast=broadcast, kind="broadcast")
    return sorted(delivery.address for delivery in mails)


def let_pass(broadcast: Broadcast) -> None:
    """Two minutes later."""
    Broadcast.objects.filter(pk=broadcast.pk).update(confirmed_at=timezone.now() - timedelta(minutes=3))
    broadcast.deliveries.update(send_at=timezone.now())


def composed(broadcast: Broadcast, registration: Registration) -> EmailMessage:
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.BROADCAST, broadcast=broadcast)
    return mailbox.read(composer.compose(delivery).message().as_bytes())
