"""What happened to one registration, in order of time: the page for « je n’ai rien reçu »."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.admin.mails.deliveries import mail_state
from registrations.admin.people.attendance import attendance_words
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage
from registrations.models import Delivery, Registration

Kind = Delivery.Kind


class Moment(NamedTuple):
    at: datetime
    title: str
    words: str = ""


def person_history(registration: Registration) -> list[Moment]:
    """As far as the database knows, the oldest first; what is to come is at the end."""
    moments = [*_standing(registration), *_mails(registration), *_presences(registration), *_by_staff(registration)]
    return sorted(moments, key=lambda moment: moment.at)


def _standing(registration: Registration) -> Iterator[Moment]:
    yield Moment(registration.created_at, _("Signed up"))
    if registration.waiting_since:
        yield Moment(registration.waiting_since, _("Put on the waiting list"))
    if registration.cancelled_at:
        yield Moment(registration.cancelled_at, _("Registration cancelled"))
    if registration.erase_by:
        yield Moment(registration.erase_by, _("Data erased at the latest"))


def _mails(registration: Registration) -> Iterator[Moment]:
    """Each mail at the time when it was sent, is due, ended without leaving, or else was created."""
    for delivery in registration.deliveries.order_by("pk"):
        waits = delivery.state == Delivery.State.PENDING
        at = delivery.sent_at or (delivery.send_at if waits else delivery.ended_at or delivery.created_at)
        reason = f" ({Delivery.Reason(delivery.reason).label})" if delivery.reason else ""
        title = _("Mail: %(kind)s") % {"kind": f"{Kind(delivery.kind).label}{reason}"}
        yield Moment(at, title, mail_state(delivery))


def _presences(registration: Registration) -> Iterator[Moment]:
    for one in registration.attendances.all():
        one.registration = registration
        yield Moment(one.noted_at, _("Presence noted"), attendance_words(one))


def _by_staff(registration: Registration) -> Iterator[Moment]:
    person = ContentType.objects.get_for_model(Registration)
    entries = LogEntry.objects.filter(content_type=person, object_id=str(registration.pk)).select_related("user")
    for entry in entries:
        title = _("In the desk, by %(account)s") % {"account": entry.user.get_username()}
        yield Moment(entry.action_time, title, str(entry.get_change_message()))


def history(request: HttpRequest, pk: int) -> HttpResponse:
    registration = get_object_or_404(Registration.objects.without_dry_runs().select_related("event"), pk=pk)
    moments, now = person_history(registration), timezone.now()
    return model_admin.page(
        request,
        Registration,
        "admin/person_history.html",
        title=_("What happened: %(person)s") % {"person": registration},
        registration=registration,
        past=[moment for moment in moments if moment.at <= now],
        to_come=[moment for moment in moments if moment.at > now],
    )


PAGES = [AdminPage("<int:pk>/story/", history, name="story", permissions=("registrations.view_registration",))]
