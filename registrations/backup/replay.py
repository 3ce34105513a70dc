"""After a restore: apply again what people decided since the backup, without telling anybody twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from registrations.domain import anonymisation, decisions, erasure, erasure_journal, signup, waiting_list
from registrations.domain.erasure_journal import Decision, Word
from registrations.mailing import reminders
from registrations.models import Delivery, Event, Registration, Suppression
from registrations.runtime import progress
from registrations.runtime.rows import in_chunks

# The backup already holds decisions that are older than this: they were committed before it began, or rolled back.
# Transactions take seconds, and the clocks of several machines may differ by minutes.
SETTLED_WITHIN = timedelta(hours=1)


class Replayed(NamedTuple):
    """How many decisions were applied again; `promoted`: registrants who got a seat that became free by it.

    `wishes`: registrants whose wishes about messages and reminders were.
    """

    erased: int = 0
    withdrawn: int = 0
    unsubscribed: int = 0
    promoted: int = 0
    silenced: int = 0
    wishes: int = 0


class Decided(NamedTuple):
    """The entries of one person in the journals, by time."""

    registration: int
    is_erased: bool
    place: list[Decision]
    consent: list[Decision]
    messages: list[Decision]
    reminders: list[Decision]


def replay(
    journals: Sequence[Path], *, backup_at: datetime | None = None, mails: Delivery.State = Delivery.State.HELD
) -> Replayed:
    """Apply to a restored database the decisions in these journals that it does not hold.

    `backup_at`: when the backup was begun. When it is not known, only erasures and suppressed mailboxes are applied:
    an old withdrawal may have been rolled back. `mails`: the first state of mails that tell of a seat: they may have
    been sent after the backup.
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
    """Suppress the mailboxes that a journal names and a restored backup does not; returns how many.

    A mailbox that was suppressed again later, which this journal does not know of, stays suppressed.
    """
    last = {digest: decisions_on[-1] for digest, decisions_on in words.items()}
    known = set(Suppression.objects.values_list("digest", flat=True))
    for digest in known & last.keys():
        if last[digest].word == Word.LIFTED:
            Suppression.objects.filter(digest=digest, created_at__lte=last[digest].at).delete()
    missing = [
        Suppression(digest=digest, created_at=decision.at)
        for digest, decision in last.items()
        if decision.word == Word.SILENCED and digest not in known
    ]
    Suppression.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)


def _decided(journals: Sequence[Path], since: datetime) -> Iterator[tuple[int, Decided]]:
    """(number of the event, decisions) of each registrant in the database who decided something."""
    uids = erasure_journal.uids(journals)
    places = erasure_journal.words(journals, erasure_journal.OF_PLACE, since=since)
    consents = erasure_journal.words(journals, erasure_journal.OF_CONSENT, since=since)
    messages = erasure_journal.words(journals, erasure_journal.OF_MESSAGES, since=since)
    clock = erasure_journal.words(journals, erasure_journal.OF_REMINDERS, since=since)
    for event, pk, uid in in_chunks(Registration.objects.values_list("event", "pk", "uid").order_by("pk")):
        names = decisions.names_of(uid)
        entries = [_entries(words, names) for words in (places, consents, messages, clock)]
        decided = Decided(pk, uid in uids, *entries)
        if any(decided[1:]):
            yield event, decided


def _entries(words: Mapping[str, list[Decision]], names: Sequence[str]) -> list[Decision]:
    """The entries of one person, who has another name in the journal since SECRET_KEY changed."""
    return sorted((entry for name in names for entry in words.get(name, [])), key=lambda entry: entry.at)


@transaction.atomic
def _decide_again(number: int, people: Sequence[Decided], mails: Delivery.State) -> Counter[str]:
    """One transaction for each event, so that a free seat goes to the first on the waiting list and to nobody else."""
    event = Event.objects.locked(Event(pk=number))
    done = Counter[str]()
    for [decided] in progress.batches(people, 1, event.slug):
        done.update(_again(decided))
    if done["erased"] or done["withdrawn"]:
        done["promoted"] = waiting_list.promote(event, mails=mails)
    return done


def _again(decided: Decided) -> list[str]:
    """What was done, as names of `Replayed`. The registration may be gone, or withdrawn again already."""
    registration = (
        Registration.objects.filter(pk=decided.registration).select_for_update(of=("self",), no_key=True).first()
    )
    if registration is None:
        return []
    if decided.is_erased or _is_to_be_erased(registration, decided.place):
        _keep_figures(registration, decided.place)
        erasure.erase(registration)
        return ["erased"]
    done = []
    registration.sequence += len(decided.place)  # calendars may have received as many updates since
    if _is_taken_back(registration, decided.consent):
        registration.newsletter = False
        done.append("unsubscribed")
    if _wishes_again(registration, decided):
        done.append("wishes")
    if decided.place and decided.place[-1].word == Word.WITHDRAWN and not registration.is_cancelled:
        signup.take_off(registration, at=decided.place[-1].at)
        return [*done, "withdrawn"]
    if done or decided.place:
        registration.save()
    if "wishes" in done and not registration.is_dry_run:
        reminders.follow_wish(registration)
    return done


def _wishes_again(registration: Registration, decided: Decided) -> bool:
    """Set which mails the person wants by the last words; returns whether that changed anything."""
    before = (registration.wants_messages, registration.wants_reminders)
    if decided.messages:
        registration.wants_messages = decided.messages[-1].word == Word.MESSAGES
    if decided.reminders:
        registration.wants_reminders = decided.reminders[-1].word == Word.REMINDERS
    return before != (registration.wants_messages, registration.wants_reminders)


def _is_to_be_erased(registration: Registration, place: Sequence[Decision]) -> bool:
    """Whether erasure was asked for since the backup. It is done at once: the mail about it may have been sent."""
    return bool(place) and place[-1].word == Word.ERASING and not registration.erase_by


def _keep_figures(registration: Registration, place: Sequence[Decision]) -> None:
    """Only of who asked for erasure, as the erasure itself did."""
    if place and place[-1].word == Word.ERASING:
        event = registration.event
        registration.figures = registration.figures or erasure.figures_of_asked(registration, event, at=place[-1].at)
        anonymisation.keep_figures(event, [registration])


def _is_taken_back(registration: Registration, consent: Sequence[Decision]) -> bool:
    """Whether the consent ended. One given after the last entry, which this journal does not know of, stays valid."""
    if not (consent and consent[-1].word == Word.UNSUBSCRIBED and registration.newsletter):
        return False
    return registration.newsletter_at is None or registration.newsletter_at <= consent[-1].at
