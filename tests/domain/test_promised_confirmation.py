"""Whoever is confirmed has had, or is owed, one mail with link, invitation and document, whatever happens."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from pytest_django import Settings

from registrations.documents import study_report
from registrations.domain import corrections, event_changes, signup
from registrations.mailing import claims, first_mails, outbox
from registrations.models import Delivery, Event, Registration
from tests.factories import answers, make_event, make_registration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset", "with_pango")]

DAY = timedelta(days=1)
STEPS = 5  # each with the server up, down, or the worker away
SAME_LINK = ["your link is the same", "Your calendar: the attached file “invitation.ics” brings the entry up to date"]


class Server(BaseEmailBackend):
    """The far side of the wire: a mail server that answers or does not, and the mailbox behind it."""

    is_up = True
    received: list[EmailMultiAlternatives] = []

    def open(self) -> bool:
        if not self.is_up:
            raise ConnectionRefusedError("Nobody listens")
        return True

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        self.open()
        self.received.extend(email_messages)
        return len(email_messages)


@pytest.fixture(autouse=True)
def server(settings: Settings, tmp_path: Path) -> type[Server]:
    settings.DATA_DIR = settings.MEDIA_ROOT = tmp_path
    settings.MAILERS = {"default": {"BACKEND": f"{__name__}.Server"}}
    Server.is_up, Server.received = True, []
    return Server


def sign_up(event: Event, email: str = "zoe@example.org") -> Registration:
    return signup.register(event, language="en", **answers(email=email)).registration


def the_worker_runs() -> None:
    Delivery.objects.pending().filter(attempts__gt=0).update(send_at=Delivery().send_at)  # the next try is due
    outbox.drain()


def postpone() -> None:
    event_changes.postpone(Event.objects.get())


def cancel() -> None:
    event_changes.cancel(Event.objects.get())


def give_a_date() -> None:
    """Moves a published event; another one takes place again."""
    event = Event.objects.get()
    later = timedelta(days=1)
    event_changes.reschedule(event, starts_at=event.starts_at + later, ends_at=event.ends_at + later, words="At last!")


def is_complete(mail: EmailMultiAlternatives, registration: Registration) -> bool:
    """With link, invitation and document."""
    names = {attachment.filename: attachment for attachment in mail.attachments if hasattr(attachment, "filename")}
    return (
        mail.to == [registration.email]
        and registration.join_url in mail.body
        and "METHOD:REQUEST" in str(names.get("invitation.ics"))
        and not names.keys().isdisjoint(study_report.FILENAMES.values())
    )


def complete(registration: Registration) -> list[EmailMultiAlternatives]:
    registration.refresh_from_db()
    return [mail for mail in Server.received if is_complete(mail, registration)]


def subjects() -> list[str]:
    return [mail.subject.partition(":")[0] for mail in Server.received]


class Life(NamedTuple):
    """What there is at one moment of a walk."""

    event: Event
    person: Registration | None

    @property
    def possible(self) -> Iterable[Callable[[], Any]]:
        event, person = self
        if event.status == Event.Status.PUBLISHED:
            yield from (give_a_date, postpone, cancel)
        elif event.status == Event.Status.POSTPONED:
            yield from (give_a_date, cancel)
        else:
            yield give_a_date
        if person is None:
            yield from ([lambda: sign_up(event)] if event.accepts_sign_ups else [])
        elif not person.is_cancelled:
            yield lambda: signup.withdraw(person)
        elif event.accepts_sign_ups:
            yield lambda: signup.come_back(person)

    @property
    def signature(self) -> tuple[Any, ...]:
        """All on which the future depends: two lives with the same one go on alike."""
        rows = list(Delivery.objects.order_by("pk").values_list("kind", "reason", "state"))
        waiting = sorted({row for row in rows if row[2] == "pending"})
        first = [row[2] for row in rows if row[0] in first_mails.COMPLETE][-1:]
        had = len(complete(self.person)) if self.person else 0
        return self.event.status, self.person and self.person.status, tuple(waiting), tuple(first), had


class Walk:
    """All orders of what can happen, each step with a worker that sends, finds the server down, or is away.

    A step is undone by its savepoint. Lives that have become alike are walked on once.
    """

    def __init__(self) -> None:
        self.seen: dict[tuple[Any, ...], int] = {}
        self.lives = 0

    def now(self) -> Life:
        return Life(Event.objects.get(), Registration.objects.select_related("event").first())

    def go_on(self, steps: int) -> None:
        life = self.now()
        signature = life.signature
        if self.seen.get(signature, -1) >= steps:
            return
        self.seen[signature] = steps
        self.lives += 1
        self.undone(self.everything_leaves)
        for act in list(life.possible) if steps else []:
            for is_up in (True, False, None):
                self.undone(partial(self.step, act, is_up, steps - 1))

    def step(self, act: Callable[[], Any], is_up: bool | None, steps: int) -> None:
        act()
        if is_up is not None:
            Server.is_up = is_up
            the_worker_runs()
        self.go_on(steps)

    def undone(self, do: Callable[[], None]) -> None:
        received = len(Server.received)
        with transaction.atomic():
            do()
            transaction.set_rollback(True)
        del Server.received[received:]

    def everything_leaves(self) -> None:
        """The server is there for good: the promise is kept, once, and no mail said what was not so."""
        Server.is_up = True
        the_worker_runs()
        event, person = self.now()
        assert not Delivery.objects.due().exists()
        if person is None:
            return
        assert not first_mails.missing(event.registrations.all()) or event.status != Event.Status.PUBLISHED
        is_promised = person.is_seated and event.status == Event.Status.PUBLISHED
        assert complete(person) or not is_promised
        assert len(complete(person)) <= 1 + person.sequence // 2  # again only after coming back
        known = False
        for mail in Server.received:
            assert known or not any(words in mail.body for words in SAME_LINK)
            known = known or is_complete(mail, person)


def test_whoever_is_confirmed_gets_link_invitation_and_document_in_whatever_order_things_happened() -> None:
    make_event(reminder_day_time=None, reminder_minutes_before=None)
    walk = Walk()
    walk.go_on(STEPS)
    assert walk.lives > 60


def test_a_confirmation_that_waited_while_the_event_was_postponed_arrives_with_the_new_date(
    server: type[Server],
) -> None:
    event = make_event()
    server.is_up = False
    registration = sign_up(event)
    the_worker_runs()
    postpone()
    the_worker_runs()
    give_a_date()
    server.is_up = True
    the_worker_runs()
    assert subjects() == ["Registration confirmed"]
    [mail] = complete(registration)
    assert "The webinar will take place: here is all that you need." in mail.body
    assert "At last!" in mail.body
    assert "For your calendar: the attached file" in mail.body


def test_who_had_the_confirmation_is_told_of_the_date_and_keeps_the_link() -> None:
    registration = sign_up(make_event())
    the_worker_runs()
    postpone()
    give_a_date()
    the_worker_runs()
    assert subjects() == ["Registration confirmed", "New date"]
    assert len(complete(registration)) == 1
    assert "your link is the same" in Server.received[-1].body


def test_a_worker_that_has_the_mail_in_hand_while_the_event_gets_a_date_does_not_drop_it() -> None:
    registration = sign_up(make_event())
    postpone()
    claimed = claims.claim()
    assert claimed is not None
    give_a_date()
    outbox.deliver(claimed, outbox.Transport())
    the_worker_runs()
    assert len(complete(registration)) == 1


def test_who_corrects_the_address_while_the_event_is_postponed_gets_the_link_with_the_date() -> None:
    registration = sign_up(make_event())
    the_worker_runs()
    postpone()
    corrections.ask_for_address(registration, email="new@example.org")
    registration.refresh_from_db()
    corrections.confirm_address(registration)
    the_worker_runs()
    assert complete(registration) == []
    give_a_date()
    the_worker_runs()
    assert len(complete(registration)) == 1


def test_links_renewed_while_the_event_is_postponed_arrive_with_the_date_and_are_not_called_the_same() -> None:
    registration = sign_up(make_event())
    the_worker_runs()
    postpone()
    signup.renew_links(registration)
    give_a_date()
    the_worker_runs()
    assert len(complete(registration)) == 1
    assert "your link is the same" not in Server.received[-1].body


def test_who_waits_and_was_never_told_so_is_told_when_the_event_takes_place(server: type[Server]) -> None:
    event = make_event(capacity=1)
    make_registration(event)
    sign_up(event, "late@example.org")
    postpone()
    the_worker_runs()
    server.received.clear()
    give_a_date()
    the_worker_runs()
    to_who_waits = [mail for mail in server.received if mail.to == ["late@example.org"]]
    assert [mail.subject.partition(" of ")[0] for mail in to_who_waits] == ["You are on the waiting list"]


def test_who_was_added_without_a_mail_is_not_told_that_a_link_stays_the_same() -> None:
    registration = make_registration(make_event(), language="en")
    give_a_date()
    the_worker_runs()
    assert registration.join_url in Server.received[-1].body
    assert "your link is the same" not in Server.received[-1].body


def test_who_comes_back_without_ever_having_had_the_link_is_not_told_that_it_is_the_same() -> None:
    event = make_event()
    signup.withdraw(sign_up(event))
    registration = sign_up(event)
    the_worker_runs()
    [mail] = complete(registration)
    assert "You are back on the list." in mail.body
