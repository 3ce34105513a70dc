"""What a person wants to receive besides the mails that one's own place needs: messages, and mails of the clock."""

from django.db import transaction

from registrations.mailing import reminders
from registrations.models import Event, Registration


@transaction.atomic
def wish(registration: Registration, *, messages: bool | None = None, mails_of_the_clock: bool | None = None) -> None:
    """Keep what the person said, and bring the mails that wait in line. None: as before."""
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    registration.event = event
    if messages is not None:
        registration.wants_messages = messages
    if mails_of_the_clock is not None:
        registration.wants_reminders = mails_of_the_clock
    registration.save(update_fields=["wants_messages", "wants_reminders"])
    if mails_of_the_clock is not None and not registration.is_dry_run:
        reminders.follow_wish(registration)
