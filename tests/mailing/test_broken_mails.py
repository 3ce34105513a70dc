"""A mail that cannot be composed is our defect: it is shown at once and waits until something has changed."""

from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from registrations.documents.pdf import RenderingFailed
from registrations.domain import event_changes
from registrations.mailing import outbox
from registrations.mailing.composer import not_composed
from registrations.mailing.failures import Verdict, failure
from registrations.models import Delivery, Event, ReportSection, WorkerPresence
from registrations.worker.worker import MailWorker
from tests import mailbox
from tests.admin_client import EVENTS, logged_in
from tests.domain.broadcasts import TYPED, make_broadcast, page_of
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db

Kind = Delivery.Kind
TOKEN = {"authorization": "Bearer a-token"}
DEFECT = "défaut de ce site : le courriel ne peut pas être composé (ZoneInfoNotFoundError: "


def enqueue(event: Event | None = None) -> Delivery:
    return Delivery.objects.enqueue(make_registration(event or make_event(report=False)), Kind.CONFIRMATION)


def broken() -> Delivery:
    """Its event has a time zone that no form accepts."""
    delivery = enqueue()
    Event.objects.filter(registrations__deliveries=delivery).update(timezone="Europe/Nulle-Part")
    outbox.drain()
    delivery.refresh_from_db()
    assert delivery.state == "broken"
    return delivery


def mended(delivery: Delivery) -> Event:
    """With a time zone that can be read, but nothing was saved in a way that a signal sees."""
    Event.objects.update(timezone="Europe/Paris")
    return Event.objects.get(registrations__deliveries=delivery)


def state(delivery: Delivery) -> tuple[str, int]:
    outbox.drain()
    delivery.refresh_from_db()
    return delivery.state, delivery.attempts


def test_it_says_that_the_fault_is_ours_and_stops_no_other_mail(outbox_folder: Path) -> None:
    delivery, other = broken(), enqueue()
    assert delivery.error.replace("\u00a0", " ").startswith(DEFECT)
    assert state(other) == ("sent", 1)
    assert len(mailbox.read_folder(outbox_folder)) == 1


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ValueError("a value"), Verdict.DEFECT),
        (OSError("too many open files"), Verdict.TRANSIENT),
        (MemoryError(), Verdict.TRANSIENT),
        (OperationalError("the database is away"), Verdict.TRANSIENT),
        (RenderingFailed("Pango"), Verdict.TRANSIENT),
    ],
)
def test_what_the_machine_or_the_database_lacks_is_no_defect_of_the_mail(error: Exception, verdict: Verdict) -> None:
    with pytest.raises(Exception) as raised, not_composed():  # noqa: PT011 - of several classes
        raise error
    assert failure(raised.value, connected=False, handing_over=False).verdict == verdict


def test_it_is_not_tried_again_while_nothing_has_changed() -> None:
    delivery = broken()
    assert [state(delivery) for _ in range(3)] == [("broken", 1)] * 3
    assert not Delivery.objects.due().exists()


def test_it_leaves_once_its_event_is_corrected() -> None:
    delivery = broken()
    event = mended(delivery)
    assert state(delivery) == ("broken", 1)
    event.save()
    assert state(delivery) == ("sent", 2)


def test_it_leaves_once_its_report_its_person_or_its_message_is_corrected() -> None:
    delivery = broken()
    section = ReportSection.objects.create(event=mended(delivery), position=1, heading="Un", body="Deux")
    section.save()
    assert state(delivery) == ("sent", 2)

    Delivery.objects.update(state="broken")
    assert delivery.registration
    delivery.registration.save()
    assert state(delivery) == ("sent", 3)

    broadcast = make_broadcast(delivery.registration.event, state="confirmed", confirmed_at=delivery.created_at)
    Delivery.objects.update(state="broken", broadcast=broadcast)
    broadcast.save()
    assert state(delivery) == ("sent", 4)


def test_another_event_s_correction_does_not_try_it_again() -> None:
    delivery = broken()
    make_event().save()
    make_registration().save()
    assert state(delivery) == ("broken", 1)


def test_a_worker_that_starts_tries_it_again_once() -> None:
    delivery = broken()
    worker = MailWorker("one")
    worker.running = False
    for _ in range(2):
        worker.next_housekeeping = float("inf")
        worker.work()
    assert Delivery.objects.get(pk=delivery.pk).state == "pending"
    assert state(delivery) == ("broken", 2)
    worker.next_sweep = 1
    worker.work()
    assert state(delivery) == ("broken", 2)


def test_one_that_has_become_obsolete_meanwhile_does_not_leave() -> None:
    delivery = broken()
    event_changes.cancel(mended(delivery))
    assert state(delivery)[0] == "cancelled"


def test_after_a_restore_it_waits_for_the_organiser_like_all_that_was_due() -> None:
    delivery = broken()
    assert Delivery.objects.hold() == 1
    mended(delivery).save()
    assert state(delivery) == ("held", 1)


def test_the_first_page_shows_it_at_once() -> None:
    delivery = broken()
    mended(delivery)
    page = logged_in().get("/admin/").text.replace("\u00a0", " ")
    assert "Défaut de ce site : 1 courriel ne peut pas être composé" in page
    assert "/admin/registrations/delivery/?state__exact=broken" in page
    assert "1 impossible à composer" in page


def test_monitoring_shows_it_and_the_site_is_ready(client: Client, settings: Settings) -> None:
    settings.STATUS_TOKEN = "a-token"
    WorkerPresence.objects.note("one")
    broken()
    told = client.get("/readyz", headers=TOKEN)
    sentence = "Mails that cannot be composed: 1. The log and the desk's list of mails say why."
    assert (told.status_code, told.text) == (200, f"ready\n{sentence}\n")
    assert 'webinar_mails{kind="confirmation",state="broken"} 1\n' in client.get("/metrics", headers=TOKEN).text


def test_the_operator_receives_one_alert(settings: Settings, outbox_folder: Path) -> None:
    settings.ALERT_EMAIL = "operator@example.org"
    broken()
    enqueue(Event.objects.get())
    outbox.drain()
    [alert] = mailbox.read_folder(outbox_folder)
    assert alert["To"] == "operator@example.org"
    assert "ZoneInfoNotFoundError" in mailbox.text(alert)


def test_the_previews_say_what_is_wrong() -> None:
    delivery = broken()
    organiser = logged_in()
    event = Event.objects.get()
    page = organiser.get(f"{EVENTS}{event.pk}/mails/?mail=confirmation-new&person=fr")
    assert page.status_code == 200
    assert DEFECT in page.text.replace("\u00a0", " ")
    assert organiser.get(f"{EVENTS}{event.pk}/mails/0/?mail=confirmation-new&person=fr").status_code == 404
    broadcast = make_broadcast(event, **{**TYPED, "subject": "Le {date}"})
    page = organiser.get(page_of(broadcast))
    assert page.status_code == 200
    assert DEFECT in page.text.replace("\u00a0", " ")
    assert organiser.get(page_of(broadcast, f"letter/{delivery.registration_id}/")).status_code == 404
