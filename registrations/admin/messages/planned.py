"""A message for an hour to come: the page that asks for the hour, and earlier messages to start from."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.admin.messages.forms import PlanForm
from registrations.admin.messages.review import address, subject
from registrations.admin.shared import confirmation
from registrations.admin.shared.model_admin import log_change
from registrations.domain import broadcasts
from registrations.models import Broadcast, Event
from registrations.security import event_access
from registrations.text import dates

EARLIER = "from"  # name in the address
EARLIER_SHOWN = 10


def in_words(broadcast: Broadcast) -> str:
    """« mardi 12 mai 2026, 9 h (heure de Paris) »."""
    if broadcast.planned_at is None:
        return ""
    event = broadcast.event
    return f"{dates.day(broadcast.planned_at, event)}, {dates.named_hour(broadcast.planned_at, event)}"


def plan_page(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    with timezone.override(broadcast.event.zone):
        return _plan(request, broadcast)


def _plan(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    back = HttpResponseRedirect(address("broadcast", broadcast))
    if not (broadcast.is_planned or broadcasts.is_being_written(broadcast)):
        return back
    at = broadcast.planned_at and timezone.localtime(broadcast.planned_at)
    initial = {"day": at.date(), "hour": f"{at:%H:%M}"} if at else {}
    form = PlanForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        return _ask(request, broadcast, form)
    if broadcasts.plan(broadcast, at=form.cleaned_data["at"]):
        broadcast.refresh_from_db()
        log_change(request, broadcast.event, _("Message planned."))
        messages.success(request, _("The message leaves on %(moment)s.") % {"moment": in_words(broadcast)})
    return back


def _ask(request: HttpRequest, broadcast: Broadcast, form: PlanForm) -> HttpResponse:
    is_for_new = broadcast.audiences != [Broadcast.Audience.CHOSEN]
    sentences = [
        _("“%(subject)s”, to: %(audience)s.") % {"subject": subject(broadcast), "audience": broadcast.audience_words},
        *([_("Who signs up until that hour receives it too.")] if is_for_new else []),
        _("Until then the hour can be changed, and the message taken back."),
        _("If the event is cancelled or postponed meanwhile, the message does not leave: you read it once more."),
        _("The hour is that of the event: %(zone)s.") % {"zone": dates.zone_name(broadcast.event)},
    ]
    return confirmation.form_page(
        request,
        Event,
        form,
        title=_("Plan the message for an hour"),
        sentences=sentences,
        button=_("Plan the message"),
        back=address("broadcast", broadcast),
        original=broadcast.event,
    )


def earlier(request: HttpRequest) -> list[tuple[str, str, int]]:
    """The latest messages that this account may read, of all its events: subject, event and number."""
    found = event_access.limited(Broadcast.objects.newest_first(), request.user, "event").select_related("event")
    return [(subject(one), str(one.event), one.pk) for one in found[:EARLIER_SHOWN]]


def words_of_earlier(request: HttpRequest) -> dict[str, Any]:
    """Subject and text of the earlier message that the address names."""
    number = request.GET.get(EARLIER, "")
    if not (number.isdecimal() and len(number) < 19):
        return {}
    found = event_access.limited(Broadcast.objects.filter(pk=number), request.user, "event").first()
    return {"subject": found.subject, "body": found.body} if found else {}
