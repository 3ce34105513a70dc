"""The page of one person: what comes next, the answers, what can be done, and all that happened beside."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.admin.mails.deliveries import mail_state
from registrations.admin.people import acts, history
from registrations.admin.people.attendance import attendance_words
from registrations.admin.people.badges import mail_badge, noted_events, presence_badge, standing_badge
from registrations.domain import custom_questions, failed_mails
from registrations.models import Delivery, Registration, person_fields, unresolved_mails
from registrations.text import email_typos
from registrations.text.desk_words import Badge

EDIT = "edit"  # in the address: the answers are shown as a form
IN_THE_TITLE = {"first_name", "last_name"}


class Problem(NamedTuple):
    """A mail that did not arrive, what was told of it, and the address that was probably meant."""

    mail: Delivery
    kind: str
    told: str
    address: str
    may_be_corrected: bool


def context(request: HttpRequest, person: Registration, *, may_change: bool) -> dict[str, Any]:
    to_see = list(unresolved_mails.to_see(Delivery.objects.filter(registration=person)).order_by("-pk"))
    presence = presence_badge(person, is_noted=bool(noted_events([person])))
    moments, now = history.person_history(person)[::-1], timezone.now()
    return {
        "is_edited": may_change and (EDIT in request.GET or request.method == "POST"),
        "name": name(person),
        "standing": standing_badge(person),
        "mail": mail_badge(person.deliveries.all(), needs_somebody=bool(to_see)),
        "presence": presence,
        "problem": next(_problems(to_see, person), None),
        "facts": list(_facts(person, presence)),
        "safe": acts.offered(acts.SAFE, request.user, person),
        "changing": acts.offered(acts.CHANGING, request.user, person),
        "waits_for_the_day": acts.waits_for_the_day(person),
        "to_come": [moment for moment in moments if moment.at > now],
        "past": [moment for moment in moments if moment.at <= now],
        "elsewhere": history.elsewhere(person, request.user),
    }


def name(person: Registration) -> str:
    return f"{person.first_name} {person.last_name}".strip() or str(_("A person without a name"))


def _problems(mails: list[Delivery], person: Registration) -> Iterator[Problem]:
    for mail in mails:
        is_corrected = mail.sent_to.lower() not in {"", person.email.lower()}
        if mail.ended_badly and not is_corrected:
            kind = str(Delivery.Kind(mail.kind).label)
            meant = email_typos.with_meant_domain(person.email)
            yield Problem(mail, kind, mail_state(mail), meant, failed_mails.may_be_corrected(person))


def _facts(person: Registration, presence: Badge | None) -> Iterator[tuple[Any, Any]]:
    """What the person has answered, and what is known besides; empty answers are left out."""
    for field in person_fields.PERSON_FIELDS:
        if field.name not in IN_THE_TITLE and field.corrected_by_organiser and (words := _words(person, field.name)):
            yield field.label, words
    for answered in custom_questions.answered(person):
        yield answered.question.label, ", ".join(answered.lines)
    signs = list(person.attendances.all())
    yield _("Presence"), " · ".join(map(attendance_words, signs)) or (presence.words if presence else _("not noted"))
    if not person.wants_messages:
        yield _("Messages of the team"), _("no longer wanted")
    if not person.wants_reminders:
        yield _("Reminders"), _("no longer wanted")


def _words(person: Registration, name: str) -> str:
    value = getattr(person, name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    shown = getattr(person, f"get_{name}_display", None)
    return str(shown() if shown else value)
