"""A sign-up locks the event in shared mode; a change of the event locks it exclusively and is not starved."""

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
from tests.site import TIMEOUT
from tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

BLOCKED_FOR = 0.4  # seconds: a thread that is not blocked goes on sooner


class LockingThread:
    """A thread that locks an event by `take`, and holds the lock until `release` is called."""

    def __init__(self, take: Callable[[Event], Event], event: Event, *, retitled: str = "") -> None:
        self.take, self.event, self.retitled = take, event, retitled
        self.has_lock, self.may_release = threading.Event(), threading.Event()
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
            self.has_lock.set()
            self.may_release.wait(TIMEOUT)

    def gets_lock(self, *, within: float = TIMEOUT) -> bool:
        return self.has_lock.wait(within)

    def release(self) -> None:
        self.may_release.set()
        self.thread.join(TIMEOUT)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def locking_threads() -> Iterator[list[LockingThread]]:
    """A list for the threads of a test. All of them release their locks at the end, also when the test fails."""
    threads: list[LockingThread] = []
    yield threads
    for thread in threads:
        thread.may_release.set()
    for thread in threads:
        thread.release()


@pytest.mark.parametrize(("capacity", "is_beside"), [(None, True), (100, False)])
def test_sign_ups_wait_for_each_other_only_when_seats_are_limited(capacity: int | None, is_beside: bool) -> None:
    event = make_event(capacity=capacity)
    has_one_writer = connection.vendor == "sqlite"
    with locking_threads() as threads:
        threads.append(LockingThread(Event.objects.joined, event))
        assert threads[0].gets_lock()
        threads.append(LockingThread(Event.objects.joined, event))
        waits = has_one_writer or not is_beside
        assert threads[1].gets_lock(within=BLOCKED_FOR if waits else TIMEOUT) == (not waits)
        threads[0].release()
        assert threads[1].gets_lock()


def test_a_limit_that_was_set_meanwhile_applies_at_once() -> None:
    stale = make_event(capacity=None)
    Event.objects.update(capacity=1)
    with locking_threads() as threads:
        threads.append(LockingThread(Event.objects.joined, stale))
        assert threads[0].gets_lock()
        threads.append(LockingThread(Event.objects.joined, stale))
        assert not threads[1].gets_lock(within=BLOCKED_FOR)


def test_a_change_of_the_event_goes_before_later_sign_ups_and_they_see_it() -> None:
    event = make_event(capacity=None, title="Before")
    with locking_threads() as threads:
        threads.append(LockingThread(Event.objects.joined, event))
        assert threads[0].gets_lock()
        threads.append(LockingThread(Event.objects.locked, event, retitled="After"))
        assert not threads[1].gets_lock(within=BLOCKED_FOR)
        threads.append(LockingThread(Event.objects.joined, event))
        assert not threads[2].gets_lock(within=BLOCKED_FOR)
        threads[0].release()
        if connection.vendor == "sqlite":  # it has no queue: any waiting thread may get the lock
            return
        assert threads[1].gets_lock()
        assert not threads[2].gets_lock(within=BLOCKED_FOR)
        threads[1].release()
        assert threads[2].gets_lock()
        assert [thread.seen for thread in threads] == ["Before", "Before", "After"]


def test_an_event_is_locked_in_a_transaction_only() -> None:
    event = make_event()
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            Event.objects.joined(event)
    with transaction.atomic():
        assert Event.objects.joined(event) == event


def test_locking_a_missing_event_raises_does_not_exist() -> None:
    with transaction.atomic(), pytest.raises(Event.DoesNotExist):
        Event.objects.joined(Event(pk=7))


def test_a_sign_up_during_the_cancellation_of_the_event_is_refused() -> None:
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
        late.join(BLOCKED_FOR)
        assert late.is_alive()
    late.join(TIMEOUT)
    assert len(refused) == 1
    assert (Registration.objects.count(), RateLimitHit.objects.count()) == (0, 0)


def test_no_deadlock_when_one_address_signs_up_corrects_and_asks_at_once() -> None:
    """Each of them locks the event, then the registration, and counts the mailbox last."""
    event = make_event(capacity=None)
    known = answers(email="zoe@example.org")
    signup.register(event, language="fr", **known)
    misthreads = [signup.register(event, language="fr", **answers()).registration for _ in range(4)]
    come = partial(signup.register, event, language="fr", **known)
    ask = partial(signup.resend, event, email="zoe@example.org")
    to_known = {**known, "language": "fr"}
    correct = [partial(corrections.correct_sign_up, event, one.pk, **to_known) for one in misthreads]
    acts: list[Callable[[], object]] = [come, ask] * 5
    assert together([*acts, *correct]) == []
    assert event.registrations.count() == 1


def test_an_address_is_asked_for_although_another_page_has_locked_the_event() -> None:
    """A new mail's foreign keys are checked at COMMIT. To wait there for the event deadlocked with a withdrawal."""
    event = make_event(capacity=None)
    person = signup.register(event, language="fr", **answers()).registration
    with locking_threads() as threads:
        threads.append(LockingThread(Event.objects.locked, event))
        assert threads[0].gets_lock()
        if connection.vendor == "sqlite":  # it has one writer
            return
        assert together([partial(corrections.ask_for_address, person, email="neuve@example.org")]) == []
        assert threads[0].thread.is_alive()  # and has not given up waiting


def test_no_deadlock_between_erasures_withdrawals_corrections_and_sign_ups() -> None:
    """The event is always locked before a registration."""
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
    """The current value of synchronous_commit: 'on' when a commit waits for the disk."""
    if connection.vendor == "sqlite":
        return "on"
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


def test_commits_after_a_rate_limit_hit_wait_for_the_disk() -> None:
    event = make_event(capacity=None)
    hit = (rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1")
    assert rate_limits.take(hit) is None
    assert flushes() == "on"
    with transaction.atomic():
        assert rate_limits.take(hit) is None
        signup.register(event, language="fr", **answers())
        assert flushes() == "on"
