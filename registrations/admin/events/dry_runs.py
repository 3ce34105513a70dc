"""Dry run (« essai à blanc »): an organiser registers, receives each mail, and everything is deleted afterwards."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.widgets import AdminEmailInputWidget, AdminTextInputWidget
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.mails.deliveries import mail_state
from registrations.admin.shared import confirmation, model_admin
from registrations.admin_site.pages import AdminPage
from registrations.domain import dry_runs, erasure
from registrations.models import Delivery, Event, Registration
from registrations.models.dry_run_moment import Moment
from registrations.models.mail_kinds import SCHEDULED
from registrations.text import email_typos
from registrations.web.fields import ANSWER_TOO_LONG, AddressField, NameField

TEMPLATE = "admin/registrations/event/dry_run.html"
OF_NAMES: dict[str, Any] = {"limit": 100, "too_long": ANSWER_TOO_LONG}
SEND, REMOVE = "send", "remove"  # names of buttons


class DryRunForm(forms.Form):
    first_name = NameField(label=gettext_lazy("First name"), widget=AdminTextInputWidget, **OF_NAMES)
    last_name = NameField(label=gettext_lazy("Last name"), widget=AdminTextInputWidget, **OF_NAMES)
    email = AddressField(label=gettext_lazy("Email address"), max_length=254, widget=AdminEmailInputWidget)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)


def dry_run(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    if REMOVE in request.POST:
        return _remove(request, event)
    if SEND in request.POST:
        return _send(request, event)
    return _start(request, event)


def _start(request: HttpRequest, event: Event) -> HttpResponse:
    if not event.may_be_tried:
        return _page(request, event, None)
    form = DryRunForm(request.POST if request.method == "POST" else None, initial=_account(request))
    if not form.is_valid():
        return _page(request, event, form)
    try:
        started = dry_runs.start(event, **form.cleaned_data, **_answers(event))
    except dry_runs.StillBeingRemoved:
        form.add_error("email", _("The earlier trial is being removed: its last mail has to leave first."))
        return _page(request, event, form)
    model_admin.log_change(request, event, _("Dry run."))
    messages.success(request, _("The confirmation is on its way to %(email)s.") % {"email": started.email})
    if slip := email_typos.question(started.email):
        messages.warning(request, slip)
    return _back_to(event)


def _remove(request: HttpRequest, event: Event) -> HttpResponse:
    erasure.ask_for_erasure(_chosen(request, event, REMOVE))
    messages.success(
        request,
        _("The trial is being removed: a last mail takes the entry out of the calendar, and nothing stays."),
    )
    return _back_to(event)


def _page(request: HttpRequest, event: Event, form: DryRunForm | None) -> HttpResponse:
    """Without a form when the event is over or cancelled."""
    context: dict[str, Any] = {
        "running": [_shown(one) for one in dry_runs.of_event(event).select_related("event")],
        "kinds": SCHEDULED,
        "moments": Moment,
        "days": dry_runs.KEPT.days,
        "back": reverse("admin:registrations_event_change", args=[event.pk]),
        "original": event,
        "title": _("Dry run"),
    }
    if form is None:
        return confirmation.page(request, Event, template=TEMPLATE, **context)
    return confirmation.form_page(request, Event, form, template=TEMPLATE, **context)


def _account(request: HttpRequest) -> dict[str, str]:
    return {name: str(getattr(request.user, name, "")) for name in ("first_name", "last_name", "email")}


def _answers(event: Event) -> dict[str, str]:
    return {"organisation": event.organiser_name, "job_title": _("Dry run")}


def _send(request: HttpRequest, event: Event) -> HttpResponse:
    kind, _colon, _pk = request.POST[SEND].partition(":")
    if kind not in SCHEDULED:
        raise Http404
    chosen = _chosen(request, event, SEND)
    dry_runs.send_now(chosen, Delivery.Kind(kind))
    messages.success(request, _("The mail is on its way to %(email)s.") % {"email": chosen.email})
    return _back_to(event)


def _chosen(request: HttpRequest, event: Event, button: str) -> Registration:
    number = request.POST[button].rpartition(":")[2]
    if not (number.isdecimal() and len(number) < 19):
        raise Http404
    found: Registration = get_object_or_404(dry_runs.of_event(event).select_related("event"), pk=number)
    return found


def _shown(one: Registration) -> tuple[Registration, list[tuple[str, str]]]:
    """With its mails, each with its state."""
    mails = one.deliveries.order_by("pk")
    return one, [(str(delivery.get_kind_display()), mail_state(delivery)) for delivery in mails]


def _back_to(event: Event) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:registrations_event_trial", args=[event.pk]))


MAY_TRY = ("registrations.add_registration", "registrations.change_registration")  # it shows the links of dry runs
PAGES = [AdminPage("<int:pk>/trial/", dry_run, name="trial", permissions=MAY_TRY)]
