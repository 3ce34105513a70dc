"""What a person wants to receive besides the mails that one's own place needs: messages, and mails of the clock."""

from django.db import transaction

from registrations.domain import decisions
from registrations.domain.erasure_journal import Word
from registrations.mailing import reminders
from registrations.models import Event, Registration


@transaction.atomic
def wish(registration: Registration, *, messages: bool | None = None, mails_of_the_clock: bool | None = None) -> None:
    """Keep what the person said, and bring the mails that wait in line. None: as before.

    A change is noted in the erasure journal, so that a restored backup respects it.
    """
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    registration.event = event
    if messages is not None and messages != registration.wants_messages:
        registration.wants_messages = messages
        decisions.note(registration, Word.MESSAGES if messages else Word.NO_MESSAGES)
    if mails_of_the_clock is not None and mails_of_the_clock != registration.wants_reminders:
        registration.wants_reminders = mails_of_the_clock
        decisions.note(registration, Word.REMINDERS if mails_of_the_clock else Word.NO_REMINDERS)
    registration.save(update_fields=["wants_messages", "wants_reminders"])
    if mails_of_the_clock is not None and not registration.is_dry_run:
        reminders.follow_wish(registration)
