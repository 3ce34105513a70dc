"""A person's data: the download, the erasure, and the suppression list."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from registrations.domain import anonymisation, decisions, erasure_journal, signup, waiting_list
from registrations.domain.erasure_journal import Word
from registrations.mailing import wakeups
from registrations.models import Delivery, Event, Registration, Suppression
from registrations.models.person_fields import PERSON_FIELDS, PersonField
from registrations.models.suppression import digest_of

ERASED_WITHIN = timedelta(days=1)
CLOSED = "closed"  # in mes-donnees.json: sent, refused or not sent
UNDER_WAY = [Delivery.State.PENDING, Delivery.State.SENDING, Delivery.State.HELD, Delivery.State.BROKEN]


def personal_data(registration: Registration) -> dict[str, Any]:
    """Everything that is stored about a person, for mes-donnees.json (GDPR, articles 15 and 20)."""
    event = registration.event
    return {
        "event": {"title": event.title, "starts_at": event.starts_at, "ends_at": event.ends_at},
        "registration": {
            **{one.my_data_key or one.name: _kept(registration, one) for one in PERSON_FIELDS},
            "status": registration.status,
            "wants_messages": registration.wants_messages,
            "wants_reminders": registration.wants_reminders,
            "registered_at": registration.created_at,
            "waiting_since": registration.waiting_since,
            "cancelled_at": registration.cancelled_at,
            "kept_until": registration.kept_until,
            "calendar_uid": registration.calendar_uid(registration.email),
            "certificate_number": registration.certificate_number,
        },
        "attendance": list(registration.attendances.values("origin", "noted_at", "minutes")),
        "mails": [_told(mail, registration) for mail in _mails(registration)],
    }


def _mails(registration: Registration) -> Iterable[dict[str, Any]]:
    fields = ["kind", "state", "sent_at", "sent_to", "provider_status", "message_id"]
    mails: Iterable[dict[str, Any]] = registration.deliveries.order_by("pk").values(*fields, due=F("send_at"))
    return mails


def _told(mail: dict[str, Any], registration: Registration) -> dict[str, Any]:
    """What became of a mail to another address is its owner's affair: on the suppression list or not, it is closed."""
    is_own = mail["sent_to"].lower() in {"", registration.email.lower()}
    if is_own or mail["state"] in UNDER_WAY:
        return mail
    return {**{name: mail[name] for name in ("kind", "sent_to", "due")}, "state": CLOSED}


def _kept(registration: Registration, one: PersonField) -> Any:
    return _own_answers(registration) if one.name == "own_answers" else getattr(registration, one.name)


def _own_answers(registration: Registration) -> list[dict[str, Any]]:
    """Each answer with its question."""
    labels = {one.key: one.label for one in registration.event.own_questions.all()}
    return [{"question": labels.get(key, ""), "answer": answer} for key, answer in registration.own_answers.items()]


@transaction.atomic
def ask_for_erasure(registration: Registration) -> None:
    """Cancel the registration and empty the answers now. The row is deleted once the mail about it has left."""
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    if registration.erase_by:
        return
    registration.figures = figures_of_asked(registration, event, at=timezone.now())
    reason = begin(registration)
    Delivery.objects.enqueue(
        registration,
        Delivery.Kind.ERASED,
        reason=reason,
        recipient=registration.email,
        not_after=registration.erase_by,
    )
    wakeups.send_due_mail.enqueue()
    waiting_list.promote(event)


def begin(registration: Registration) -> str:
    """Cancel a locked registration and empty its answers. The row is deleted once its last mail has left.

    Returns the reason of the mail about it: with a seat, on the waiting list, or cancelled before.
    """
    reason = "" if registration.is_cancelled else signup.leave(registration)
    registration.erase_by = timezone.now() + ERASED_WITHIN
    registration.new_email_code = None
    for one in PERSON_FIELDS:
        if one.erased_at_once:
            setattr(registration, one.name, one.column.get_default())
    registration.save()
    decisions.note(registration, Word.ERASING)
    return reason


@transaction.atomic
def disown(registration: Registration) -> None:
    """« Ce n’est pas moi »: erase at once without a mail, and suppress the address for good.

    The address of an organiser's dry run is not suppressed.
    """
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    if not registration.is_dry_run:
        suppress(registration.email)
    erase(registration)
    waiting_list.promote(event)


@transaction.atomic
def erase_from_list(registration: Registration) -> bool:
    """Erase at once, and promote the first on the waiting list. Returns False if the row was already gone."""
    event = Event.objects.locked(registration.event)
    held = Registration.objects.select_for_update(of=("self",), no_key=True).filter(pk=registration.pk).first()
    if held is None:
        return False
    erase(held)
    waiting_list.promote(event)
    return True


def suppress(address: str) -> None:
    """Add an address to the suppression list, also after a restore of an older backup."""
    erasure_journal.write_word(Word.SILENCED, digest_of(address))
    Suppression.objects.add_address(address)


@transaction.atomic
def unsuppress(suppressed: QuerySet[Suppression]) -> None:
    """Remove addresses whose owners ask for mails again, also after a restore of an older backup."""
    erasure_journal.write_word(Word.LIFTED, *suppressed.values_list("digest", flat=True))
    suppressed.delete()


def figures_of_asked(registration: Registration, event: Event, *, at: datetime) -> dict[str, Any]:
    """What the figures keep of someone who asks for erasure: a withdrawal before the end, then what had happened."""
    is_over = event.status == Event.Status.PUBLISHED and at >= event.ends_at
    return anonymisation.figures_of(registration, status="" if is_over else Registration.Status.CANCELLED)


def erase(registration: Registration) -> None:
    """Delete a person with all that belongs to them, also after a restore of an older backup."""
    erasure_journal.write(registration.uid)
    remove([registration.pk])


def remove(people: Sequence[int]) -> None:
    """Delete registrations with their mails, attendances and names in the admin's log. Writes no journal."""
    of_type = ContentType.objects.get_for_model(Registration)
    log = LogEntry.objects.filter(content_type=of_type, object_id__in=[str(pk) for pk in people])
    log.update(object_repr="", change_message="")
    Registration.objects.filter(pk__in=people).delete()


def erase_due() -> int:
    """Erase those who asked, once their last mail has left, or after a day. Returns how many."""
    return sum(_erase_if_due(pk) for pk in _to_erase().values_list("pk", flat=True))


def _to_erase() -> QuerySet[Registration]:
    telling = Delivery.objects.filter(registration=OuterRef("pk"), state__in=UNDER_WAY)
    asked = Registration.objects.filter(erase_by__isnull=False)
    return asked.filter(~Exists(telling) | Q(erase_by__lte=timezone.now()))


@transaction.atomic
def _erase_if_due(pk: int) -> bool:
    """Check again with the row locked: the person may have signed up again meanwhile."""
    registration = _to_erase().select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    if registration:
        anonymisation.keep_figures(registration.event, [registration])
        erase(registration)
    return registration is not None
