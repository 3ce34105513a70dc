"""A report that cannot be made is remembered as such until it changes: a broken renderer is paid for once."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from registrations.documents import pdf, study_report
from registrations.mailing import outbox
from registrations.models import Delivery, Event
from tests import mailbox
from tests.factories import make_event, make_registration
from tests.mailing.queued_mails import enqueue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_pango")]


class Renderer:
    """A script in place of the renderer, broken until it is mended. `starts`: how often it was started."""

    def __init__(self, folder: Path) -> None:
        self.script, self.log = folder / "renderer.py", folder / "starts"
        self.log.write_text("")
        self._write("raise SystemExit('no such glyph')")

    def mend(self) -> None:
        self._write("import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)")

    def _write(self, what_it_does: str) -> None:
        self.script.write_text(f"open({str(self.log)!r}, 'a').write('x')\n{what_it_does}\n")

    @property
    def starts(self) -> int:
        return len(self.log.read_text())


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Renderer:
    settings.DATA_DIR = tmp_path
    renderer = Renderer(tmp_path)
    monkeypatch.setattr(pdf, "RENDERER", renderer.script)
    return renderer


def with_report() -> Event:
    return make_event(report_title="Jamais composé")


def to_one_more(event: Event, folder: Path) -> EmailMessage:
    """The mail that one more person receives."""
    registration = make_registration(event)
    enqueue(registration=registration)
    outbox.drain()
    [mail] = [mail for mail in mailbox.read_folder(folder) if mail["To"] == registration.email]
    return mail


def test_a_broken_renderer_is_paid_for_once_and_not_by_each_mail(outbox_folder: Path, renderer: Renderer) -> None:
    event = with_report()
    for _ in range(30):
        enqueue(registration=make_registration(event))
    outbox.drain()
    assert renderer.starts == 3
    waiting = Delivery.objects.pending()
    assert waiting.count() == 3
    assert {mail.error[:64] for mail in waiting} == {
        "le document de l’étude n’a pas pu être préparé (RenderingFailed: no such glyph"[:64]
    }

    waiting.update(send_at=timezone.now())
    outbox.drain()
    mails = mailbox.read_folder(outbox_folder)
    assert renderer.starts == 3
    assert len(mails) == 30
    assert {tuple(mailbox.attachment_names(mail)) for mail in mails} == {("invitation.ics",)}
    assert all("/rejoindre/" in mailbox.text(mail) for mail in mails)


def test_tries_that_were_lost_to_the_mail_server_do_not_count_against_the_report(renderer: Renderer) -> None:
    delivery = enqueue(registration=make_registration(with_report()), attempts=7)
    outbox.drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, renderer.starts) == ("pending", 8, 1)


def given_up(outbox_folder: Path) -> Event:
    event = with_report()
    for _ in range(3):
        enqueue(registration=make_registration(event))
    outbox.drain()
    assert mailbox.attachment_names(to_one_more(event, outbox_folder)) == ["invitation.ics"]
    return event


def test_a_report_that_was_given_up_is_tried_again_once_its_text_changes(
    outbox_folder: Path, renderer: Renderer
) -> None:
    event = given_up(outbox_folder)
    renderer.mend()
    assert len(mailbox.attachment_names(to_one_more(event, outbox_folder))) == 1
    Event.objects.update(report_title="Composé enfin")
    assert len(mailbox.attachment_names(to_one_more(event, outbox_folder))) == 2


def test_a_mended_renderer_is_noticed_within_ten_minutes_and_mails_bring_the_report_again(
    outbox_folder: Path, renderer: Renderer
) -> None:
    event = given_up(outbox_folder)
    renderer.mend()
    assert study_report.prepare(set(), wanted=lambda: True) == set()  # it was tried a moment ago
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        [prepared] = study_report.prepare(set(), wanted=lambda: True)
        assert prepared.title == "Jamais composé"
        assert len(mailbox.attachment_names(to_one_more(event, outbox_folder))) == 2


def test_the_worker_that_prepares_reports_tries_a_broken_one_every_ten_minutes_and_no_more_often(
    renderer: Renderer,
) -> None:
    with_report()
    for minutes in (0, 1, 9, 11, 12, 23):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            assert study_report.prepare(set(), wanted=lambda: True) == set()
    assert renderer.starts == 3
