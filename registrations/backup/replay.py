"""After a restore: what people had decided since the backup is done again, and nobody is told of it twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from registrations.domain import decisions, erasure, erasure_journal, signup, waiting_list
from registrations.domain.erasure_journal import Decision, Word
from registrations.models import Delivery, Event, Registration, Suppression
from registrations.runtime import progress

# What was decided longer ago was committed when the backup was begun, or never will be: the backup knows. Transactions
# take seconds, and the clocks of several machines may differ by minutes.
SETTLED_WITHIN = timedelta(hours=1)


class Replayed(NamedTuple):
    """How many were erased, and so on, again; `promoted`: got a seat that became free by it."""

    erased: int = 0
    withdrawn: int = 0
    unsubscribed: int = 0
    promoted: int = 0
    silenced: int = 0


class Decided(NamedTuple):
    """What journals tell of one person, in the order of time."""

    registration: int
    is_erased: bool
    place: list[Decision]
    consent: list[Decision]


def replay(
    journals: Sequence[Path], *, backup_at: datetime | None = None, mails: Delivery.State = Delivery.State.HELD
) -> Replayed:
    """What these journals tell and a restored database does not.

    `backup_at`: when it was begun. Where that is not known, only what is true at any time is told again: erasures,
    and mailboxes left alone; a withdrawal of long ago may have been rolled back. `mails`: the state in which those
    begin that tell of a seat: they may have left after the backup.
    """
    since = backup_at - SETTLED_WITHIN if backup_at else erasure_journal.NEVER
    done = Counter(silenced=suppress_again(erasure_journal.words(journals, erasure_journal.OF_MAILBOX)))
    by_event = defaultdict(list)
    for event, decided in _decided(journals, since):
        by_event[event].append(decided)
    for event, people in sorted(by_event.items()):
        done.update(_decide_again(event, people, mails))
    return Replayed(**done)


@transaction.atomic
def suppress_again(words: Mapping[str, Sequence[Decision]]) -> int:
    """Those whom a journal names and a restored backup does not; returns how many.

    A mailbox that was silenced again after it was lifted, of which this journal knows nothing, stays silent.
    """
    last = {digest: said[-1] for digest, said in words.items()}
    known = set(Suppression.objects.values_list("digest", flat=True))
    for digest in known & last.keys():
        if last[digest].word == Word.LIFTED:
            Suppression.objects.filter(digest=digest, created_at__lte=last[digest].at).delete()
    missing = [
        Suppression(digest=digest, created_at=said.at)
        for digest, said in last.items()
        if said.word == Word.SILENCED and digest not in known
    ]
    Suppression.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)


def _decided(journals: Sequence[Path], since: datetime) -> Iterator[tuple[int, Decided]]:
    """Those who are in the database, with the number of their event."""
    uids = erasure_journal.uids(journals)
    places = erasure_journal.words(journals, erasure_journal.OF_PLACE, since=since)
    consents = erasure_journal.words(journals, erasure_journal.OF_CONSENT, since=since)
    for event, pk, uid in Registration.objects.values_list("event", "pk", "uid").order_by("pk").iterator():
        names = decisions.names_of(uid)
        decided = Decided(pk, uid in uids, _said(places, names), _said(consents, names))
        if any(decided[1:]):
            yield event, decided


def _said(words: Mapping[str, list[Decision]], names: Sequence[str]) -> list[Decision]:
    """Of one person, whose name in the journal is another since SECRET_KEY changed."""
    return sorted((said for name in names for said in words.get(name, [])), key=lambda said: said.at)


@transaction.atomic
def _decide_again(number: int, people: Sequence[Decided], mails: Delivery.State) -> Counter[str]:
    """In one step for each event, so that nobody takes a seat in between that belongs to the first in line."""
    event = Event.objects.locked(Event(pk=number))
    done = Counter[str]()
    for [decided] in progress.batches(people, 1, event.slug):
        done.update(_again(decided))
    if done["erased"] or done["withdrawn"]:
        done["promoted"] = waiting_list.promote(event, mails=mails)
    return done


def _again(decided: Decided) -> list[str]:
    """What was done, in the words of `Replayed`. Somebody may have gone meanwhile, or have done it again."""
    registration = Registration.objects.filter(pk=decided.registration).select_for_update(of=("self",)).first()
    if registration is None:
        return []
    if decided.is_erased or _is_to_be_erased(registration, decided.place):
        erasure.erase(registration)
        return ["erased"]
    done = []
    registration.sequence += len(decided.place)  # calendars may have been told as often since
    if _is_taken_back(registration, decided.consent):
        registration.newsletter = False
        done.append("unsubscribed")
    if decided.place and decided.place[-1].word == Word.WITHDRAWN and not registration.is_cancelled:
        signup.take_off(registration, at=decided.place[-1].at)
        return [*done, "withdrawn"]
    if done or decided.place:
        registration.save()
    return done


def _is_to_be_erased(registration: Registration, place: Sequence[Decision]) -> bool:
    """Asked since the backup: the mail that says so may have left, and nothing else is waited for."""
    return bool(place) and place[-1].word == Word.ERASING and not registration.erase_by


def _is_taken_back(registration: Registration, consent: Sequence[Decision]) -> bool:
    """A consent that was given after the last word, of which this journal knows nothing, holds."""
    if not (consent and consent[-1].word == Word.UNSUBSCRIBED and registration.newsletter):
        return False
    return registration.newsletter_at is None or registration.newsletter_at <= consent[-1].at
