"""« Essai à blanc »: an organiser goes the whole way of a registrant, and leaves no trace."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.widgets import AdminEmailInputWidget, AdminTextInputWidget
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.mails.deliveries import mail_state
from registrations.admin.shared import confirmation
from registrations.domain import dry_runs, erasure
from registrations.models import Delivery, Event, Registration
from registrations.models.mail_kinds import SCHEDULED
from registrations.web.fields import AddressField

PERMISSION = "registrations.add_registration"
TEMPLATE = "admin/registrations/event/dry_run.html"
SEND, REMOVE = "send", "remove"  # names of buttons


class TrialForm(forms.Form):
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=100, widget=AdminTextInputWidget)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=100, widget=AdminTextInputWidget)
    email = AddressField(label=gettext_lazy("Email address"), max_length=254, widget=AdminEmailInputWidget)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)


class Trials:
    admin_site: Any
    log_change: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.trial)
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<int:pk>/trial/", view, name="registrations_event_trial"), *urls]

    def trial(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        event = get_object_or_404(Event, pk=pk)
        if REMOVE in request.POST:
            return self._remove_trial(request, event)
        if SEND in request.POST:
            return _send(request, event)
        return self._start_trial(request, event)

    def _start_trial(self, request: HttpRequest, event: Event) -> HttpResponse:
        if not event.may_be_tried:
            return self._trial_page(request, event, None)
        form = TrialForm(request.POST if request.method == "POST" else None, initial=_account(request))
        if not form.is_valid():
            return self._trial_page(request, event, form)
        try:
            trial = dry_runs.start(event, **form.cleaned_data, **_answers(event))
        except dry_runs.StillBeingRemoved:
            form.add_error("email", _("The earlier trial is being removed: its last mail has to leave first."))
            return self._trial_page(request, event, form)
        self.log_change(request, event, _("Dry run."))
        messages.success(request, _("The confirmation is on its way to %(email)s.") % {"email": trial.email})
        return _back_to(event)

    def _remove_trial(self, request: HttpRequest, event: Event) -> HttpResponse:
        erasure.ask_for_erasure(_chosen(request, event, REMOVE))
        messages.success(
            request,
            _("The trial is being removed: a last mail takes the entry out of the calendar, and nothing stays."),
        )
        return _back_to(event)

    def _trial_page(self, request: HttpRequest, event: Event, form: TrialForm | None) -> HttpResponse:
        context = {
            "running": [_shown(trial) for trial in dry_runs.of_event(event).select_related("event")],
            "kinds": SCHEDULED,
            "moments": dry_runs.Moment,
            "days": dry_runs.KEPT.days,
            "back": reverse("admin:registrations_event_change", args=[event.pk]),
            "original": event,
            "title": _("Dry run"),
        }
        if form is None:
            return confirmation.page(self, request, template=TEMPLATE, **context)  # type: ignore[arg-type]
        return confirmation.form_page(self, request, form, template=TEMPLATE, **context)  # type: ignore[arg-type]


def _account(request: HttpRequest) -> dict[str, str]:
    return {name: str(getattr(request.user, name, "")) for name in ("first_name", "last_name", "email")}


def _answers(event: Event) -> dict[str, str]:
    return {"organisation": event.organiser_name, "job_title": _("Dry run")}


def _send(request: HttpRequest, event: Event) -> HttpResponse:
    kind, _colon, _pk = request.POST[SEND].partition(":")
    if kind not in SCHEDULED:
        raise Http404
    trial = _chosen(request, event, SEND)
    dry_runs.send_now(trial, Delivery.Kind(kind))
    messages.success(request, _("The mail is on its way to %(email)s.") % {"email": trial.email})
    return _back_to(event)


def _chosen(request: HttpRequest, event: Event, button: str) -> Registration:
    number = request.POST[button].rpartition(":")[2]
    if not (number.isdecimal() and len(number) < 19):
        raise Http404
    trial: Registration = get_object_or_404(dry_runs.of_event(event).select_related("event"), pk=number)
    return trial


def _shown(trial: Registration) -> tuple[Registration, list[tuple[str, str]]]:
    """With its mails, each with what became of it."""
    mails = trial.deliveries.order_by("pk")
    return trial, [(str(delivery.get_kind_display()), mail_state(delivery)) for delivery in mails]


def _back_to(event: Event) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:registrations_event_trial", args=[event.pk]))
