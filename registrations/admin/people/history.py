"""What happened to one registration, in order of time: the answer to « je n’ai rien reçu »."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from registrations.admin.mails.deliveries import mail_state
from registrations.admin.people.attendance import attendance_words
from registrations.models import Delivery, Registration
from registrations.security import event_access

Kind = Delivery.Kind
GOOD, BAD = "good", "bad"
SHOWN = 10  # other webinars of one address


class Moment(NamedTuple):
    at: datetime
    title: str
    words: str = ""
    look: str = ""  # a class of desk.css: good, bad
    mail: int | None = None  # number of the mail that it is about


def person_history(registration: Registration) -> list[Moment]:
    """As far as the database knows, the oldest first; what is to come is at the end."""
    moments = [*_standing(registration), *_mails(registration), *_presences(registration), *_by_staff(registration)]
    return sorted(moments, key=lambda moment: moment.at)


def _standing(registration: Registration) -> Iterator[Moment]:
    yield Moment(registration.created_at, _("Signed up"), look=GOOD)
    if registration.waiting_since:
        yield Moment(registration.waiting_since, _("Put on the waiting list"))
    if registration.cancelled_at:
        yield Moment(registration.cancelled_at, _("Registration cancelled"))
    if registration.erase_by:
        yield Moment(registration.erase_by, _("Data erased at the latest"))


def _mails(registration: Registration) -> Iterator[Moment]:
    """Each mail at the time when it was sent, is due, ended without leaving, or else was created."""
    for delivery in sorted(registration.deliveries.all(), key=lambda one: one.pk):
        waits = delivery.state == Delivery.State.PENDING
        at = delivery.sent_at or (delivery.send_at if waits else delivery.ended_at or delivery.created_at)
        reason = f" ({Delivery.Reason(delivery.reason).label})" if delivery.reason else ""
        title = _("Mail: %(kind)s") % {"kind": f"{Kind(delivery.kind).label}{reason}"}
        yield Moment(at, title, mail_state(delivery), look=BAD if delivery.ended_badly else "", mail=delivery.pk)


def _presences(registration: Registration) -> Iterator[Moment]:
    for one in registration.attendances.all():
        one.registration = registration
        yield Moment(one.noted_at, _("Presence noted"), attendance_words(one), look=GOOD)


def _by_staff(registration: Registration) -> Iterator[Moment]:
    person = ContentType.objects.get_for_model(Registration)
    entries = LogEntry.objects.filter(content_type=person, object_id=str(registration.pk)).select_related("user")
    for entry in entries:
        title = _("In the desk, by %(account)s") % {"account": entry.user.get_username()}
        yield Moment(entry.action_time, title, str(entry.get_change_message()))


class Elsewhere(NamedTuple):
    """The same address at another webinar."""

    registration: Registration
    words: str
    is_present: bool


def elsewhere(registration: Registration, user: Any) -> list[Elsewhere]:
    """At the other webinars that this account may see, the latest first."""
    others = Registration.objects.without_dry_runs().found_by(registration.email).of_address(registration.email)
    seen = event_access.limited(others.exclude(pk=registration.pk), user, "event")
    latest = seen.select_related("event").prefetch_related("attendances").order_by("-pk")[:SHOWN]
    return [Elsewhere(one, _there(one), bool(list(one.attendances.all()))) for one in latest]


def _there(one: Registration) -> str:
    for sign in one.attendances.all():
        sign.registration = one
    signs = [attendance_words(sign) for sign in one.attendances.all()]
    return _("present: %(signs)s") % {"signs": " · ".join(signs)} if signs else one.get_status_display()
