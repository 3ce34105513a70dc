"""Who signs up holds the event beside others who do; who changes it holds it alone and waits for no stream of them."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from registrations.domain import corrections, erasure, event_changes, signup
from registrations.models import Event, RateLimitHit, Registration
from registrations.security import rate_limits
from tests.factories import answers, make_event
from tests.site import PATIENCE
from tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

A_WHILE = 0.4  # seconds in which a waiting thread would have gone on, had it not to wait


class Turn:
    """A thread that takes an event, and holds it until it is told to go."""

    def __init__(self, take: Callable[[Event], Event], event: Event, *, retitled: str = "") -> None:
        self.take, self.event, self.retitled = take, event, retitled
        self.has_come, self.may_go = threading.Event(), threading.Event()
        self.seen = ""
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with contextlib.closing(connection), transaction.atomic():
            event = self.take(self.event)
            self.seen = event.title
            if self.retitled:
                event.title = self.retitled
                event.save()
            self.has_come.set()
            self.may_go.wait(PATIENCE)

    def comes(self, *, within: float = PATIENCE) -> bool:
        return self.has_come.wait(within)

    def go(self) -> None:
        self.may_go.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def turns() -> Iterator[list[Turn]]:
    """Whatever fails, nobody is left holding anything."""
    taken: list[Turn] = []
    yield taken
    for turn in taken:
        turn.may_go.set()
    for turn in taken:
        turn.go()


@pytest.mark.parametrize(("capacity", "is_beside"), [(None, True), (100, False)])
def test_without_a_limit_nobody_who_signs_up_waits_for_another(capacity: int | None, is_beside: bool) -> None:
    event = make_event(capacity=capacity)
    has_one_writer = connection.vendor == "sqlite"
    with turns() as taken:
        taken.append(Turn(Event.objects.joined, event))
        assert taken[0].comes()
        taken.append(Turn(Event.objects.joined, event))
        waits = has_one_writer or not is_beside
        assert taken[1].comes(within=A_WHILE if waits else PATIENCE) == (not waits)
        taken[0].go()
        assert taken[1].comes()


def test_a_limit_that_was_set_meanwhile_holds_at_once() -> None:
    stale = make_event(capacity=None)
    Event.objects.update(capacity=1)
    with turns() as taken:
        taken.append(Turn(Event.objects.joined, stale))
        assert taken[0].comes()
        taken.append(Turn(Event.objects.joined, stale))
        assert not taken[1].comes(within=A_WHILE)


def test_who_changes_an_event_is_let_in_before_those_who_come_later_and_see_the_change() -> None:
    event = make_event(capacity=None, title="Before")
    with turns() as taken:
        taken.append(Turn(Event.objects.joined, event))
        assert taken[0].comes()
        taken.append(Turn(Event.objects.locked, event, retitled="After"))
        assert not taken[1].comes(within=A_WHILE)
        taken.append(Turn(Event.objects.joined, event))
        assert not taken[2].comes(within=A_WHILE)
        taken[0].go()
        if connection.vendor == "sqlite":  # it gives no turns: whoever looks first when it is free
            return
        assert taken[1].comes()
        assert not taken[2].comes(within=A_WHILE)
        taken[1].go()
        assert taken[2].comes()
        assert [turn.seen for turn in taken] == ["Before", "Before", "After"]


def test_an_event_is_joined_in_a_transaction_alone() -> None:
    event = make_event()
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            Event.objects.joined(event)
    with transaction.atomic():
        assert Event.objects.joined(event) == event


def test_what_is_not_there_is_not_joined() -> None:
    with transaction.atomic(), pytest.raises(Event.DoesNotExist):
        Event.objects.joined(Event(pk=7))


def test_who_comes_while_an_event_is_cancelled_is_told_so_instead_of_signed_up() -> None:
    event, refused = make_event(capacity=None), []

    def come() -> None:
        try:
            signup.register(event, language="fr", **answers())
        except signup.SignUpClosed as closed:
            refused.append(closed)
        finally:
            connection.close()

    late = threading.Thread(target=come)
    with transaction.atomic():
        event_changes.cancel(Event.objects.get())
        late.start()
        late.join(A_WHILE)
        assert late.is_alive()
    late.join(PATIENCE)
    assert len(refused) == 1
    assert (Registration.objects.count(), RateLimitHit.objects.count()) == (0, 0)


def test_one_address_that_signs_up_corrects_and_asks_at_once_trips_over_nobody() -> None:
    """Each counts the mailbox, then holds the event, then the registration."""
    event = make_event(capacity=None)
    known = answers(email="zoe@example.org")
    signup.register(event, language="fr", **known)
    mistaken = [signup.register(event, language="fr", **answers()).registration for _ in range(4)]
    come = partial(signup.register, event, language="fr", **known)
    ask = partial(signup.resend, event, email="zoe@example.org")
    correct = [partial(corrections.correct_sign_up, one, email="zoe@example.org") for one in mistaken]
    acts: list[Callable[[], object]] = [come, ask] * 5
    assert together([*acts, *correct]) == []
    assert event.registrations.count() == 1


def test_whoever_erases_withdraws_and_corrects_trips_over_nobody_who_signs_up() -> None:
    """One address, known to the event, and others of it: the event is always held before a registration."""
    event = make_event(capacity=None)
    known = answers(email="zoe@example.org")
    people = [signup.register(event, language="fr", **answers()).registration for _ in range(3)]
    people.append(signup.register(event, language="fr", **known).registration)
    come = partial(signup.register, event, language="fr", **known)
    acts: list[Callable[[], object]] = [come] * 5
    acts += [partial(erasure.erase_from_list, one) for one in people[2:]]
    acts += [partial(signup.withdraw, people[1])]
    acts += [partial(corrections.ask_for_address, one, email="zoe@example.org") for one in people[:2]]
    problems = [problem for problem in together(acts) if not isinstance(problem, Registration.DoesNotExist)]
    assert problems == []
    assert event.registrations.filter(email="zoe@example.org").count() <= 1


def test_seats_that_are_limited_while_people_sign_up_are_not_given_twice() -> None:
    event = make_event(capacity=None)
    come = [partial(signup.register, Event.objects.get(), language="fr", **answers()) for _ in range(12)]

    def limit() -> None:
        with transaction.atomic():
            held = Event.objects.locked(event)
            held.capacity = max(held.seats_taken, 3)
            held.save()

    acts: list[Callable[[], object]] = [*come[:4], limit, *come[4:]]
    assert together(acts) == []
    event.refresh_from_db()
    seated = event.registrations.filter(status="confirmed").count()
    assert seated == event.capacity
    assert event.registrations.filter(status="waitlisted").count() == 12 - seated


def flushes() -> str:
    """Whether a commit waits for the disk, as the connection has it now."""
    if connection.vendor == "sqlite":
        return "on"
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


def test_a_count_of_its_own_leaves_later_commits_waiting_for_the_disk() -> None:
    event = make_event(capacity=None)
    assert rate_limits.count_mail_of(event)
    assert flushes() == "on"
    with transaction.atomic():
        assert rate_limits.count_mail_of(event)
        signup.register(event, language="fr", **answers())
        assert flushes() == "on"
