"""What happened to one person, in order of time: a page to answer « je n’ai rien reçu » with."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.admin.mails.deliveries import mail_state
from registrations.admin.people.attendance import sign_words
from registrations.models import Delivery, Registration

Kind = Delivery.Kind


class Moment(NamedTuple):
    at: datetime
    title: str
    words: str = ""


def story(registration: Registration) -> list[Moment]:
    """As far as the rows tell, the oldest first; what is to come stands at the end."""
    told = [*_standing(registration), *_mails(registration), *_presences(registration), *_by_staff(registration)]
    return sorted(told, key=lambda moment: moment.at)


def _standing(registration: Registration) -> Iterator[Moment]:
    yield Moment(registration.created_at, _("Signed up"))
    if registration.waiting_since:
        yield Moment(registration.waiting_since, _("Put on the waiting list"))
    if registration.cancelled_at:
        yield Moment(registration.cancelled_at, _("Registration cancelled"))
    if registration.erase_by:
        yield Moment(registration.erase_by, _("Data erased at the latest"))


def _mails(registration: Registration) -> Iterator[Moment]:
    """Each at the moment that matters: when it left, when it is due, or when it was written down."""
    for delivery in registration.deliveries.all():
        waits = delivery.state == Delivery.State.PENDING
        at = delivery.sent_at or (delivery.due if waits else delivery.created_at)
        reason = f" ({Delivery.Reason(delivery.reason).label})" if delivery.reason else ""
        title = _("Mail: %(kind)s") % {"kind": f"{Kind(delivery.kind).label}{reason}"}
        yield Moment(at, title, mail_state(delivery))


def _presences(registration: Registration) -> Iterator[Moment]:
    for sign in registration.attendances.all():
        sign.registration = registration
        yield Moment(sign.noted_at, _("Presence noted"), sign_words(sign))


def _by_staff(registration: Registration) -> Iterator[Moment]:
    person = ContentType.objects.get_for_model(Registration)
    entries = LogEntry.objects.filter(content_type=person, object_id=str(registration.pk)).select_related("user")
    for entry in entries:
        title = _("In the desk, by %(account)s") % {"account": entry.user.get_username()}
        yield Moment(entry.action_time, title, str(entry.get_change_message()))


class Stories:
    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.story)
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<int:pk>/story/", view, name="registrations_registration_story"), *urls]

    def story(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("registrations.view_registration"):
            raise PermissionDenied
        registration = get_object_or_404(Registration.objects.select_related("event"), pk=pk)
        told = story(registration)
        now = timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What happened: %(person)s") % {"person": registration},
            "registration": registration,
            "past": [moment for moment in told if moment.at <= now],
            "to_come": [moment for moment in told if moment.at > now],
        }
        return TemplateResponse(request, "admin/story.html", context)
