"""The pages of messages, and of the mails of an event."""

import secrets

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from registrations.domain import broadcasts
from registrations.models import Broadcast, Delivery, Job, Registration
from tests.browser.import_pages import send_and_confirm
from tests.browser.scenes import DAY, LONG, MESSAGE, admin_alarmed, answered
from tests.factories import make_event, make_registration


def message(body: str = MESSAGE) -> Broadcast:
    """A draft to five people, one of whom reads English and one of whom has a long name."""
    written = Broadcast.objects.create(
        event=make_event(), audience="seated", subject="À propos de {titre}", body=body, created_by=1
    )
    for fields in [{}, {"language": "en"}, {"first_name": LONG[:100]}, {}, {}]:
        make_registration(written.event, territory="Yvelines (78)", **fields)
    return written


def admin_message(written: Broadcast, page: str = "broadcast") -> str:
    return reverse(f"admin:registrations_event_{page}", args=[written.event_id, written.pk])


def admin_message_confirmed() -> str:
    broadcasts.send(written := message(), count=5)
    return admin_message(written)


def admin_message_planned() -> str:
    broadcasts.plan(written := message(), at=timezone.now() + DAY)
    return admin_message(written)


def asked_message() -> tuple[Broadcast, Job]:
    """Confirmed, and not yet in a worker's hands."""
    written = message()
    job = Job.objects.create(
        kind=Job.Kind.MESSAGE,
        title="À propos de l’événement",
        event=written.event,
        asked_by=1,
        permission="registrations.write_to_registrants",
        total=12000,
        mark=secrets.token_hex(8),
        parameters={"broadcast": written.pk},
        detail={"broadcast": written.pk},
    )
    return written, job


def admin_message_sent() -> str:
    broadcasts.send(written := message(), count=5)
    Broadcast.objects.filter(pk=written.pk).update(confirmed_at=timezone.now() - DAY)
    outcomes = [
        ("sent", ""),
        ("sent", ""),
        ("failed", "550 5.1.1 Mailbox unknown"),
        ("cancelled", "Inscription annulée"),
    ]
    for delivery, (state, error) in zip(written.deliveries.all(), outcomes, strict=False):
        Delivery.objects.filter(pk=delivery.pk).update(state=state, error=error)
    return admin_message(written)


def misspell_the_message(page: Page) -> None:
    page.locator("[name=body]").fill("Bonjour {prénom}")
    send_and_confirm(page)


def miscount(page: Page) -> None:
    page.locator("[name=typed]").fill("4")
    with page.expect_navigation():
        page.locator("#content form [type=submit]").last.click()


def admin_mails_to_see() -> str:
    """The mails of an event: failed ones, a planned message, a draft."""
    admin_alarmed()
    failed = Delivery.objects.filter(state=Delivery.State.FAILED).last()
    assert failed
    assert failed.registration
    event = failed.registration.event
    written = {"event": event, "audience": "seated", "subject": LONG[:90], "body": "B", "created_by": 1}
    broadcasts.plan(Broadcast.objects.create(**written), at=timezone.now() + DAY)
    Broadcast.objects.create(**written)
    return reverse("admin:registrations_event_timeline", args=[event.pk])


def admin_chosen() -> str:
    """The form of a message to people chosen in the list of an event that asks questions."""
    someone = answered()
    draft = broadcasts.address(someone.event, Registration.objects.filter(pk=someone.pk), account=1)
    return admin_message(draft, "correct_broadcast")
