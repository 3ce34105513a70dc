"""What visitors and registrants will get, seen before they do: the page, and each mail as it would leave now."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from registrations.admin.messages.broadcasts import may_write, require_writer, trial_address
from registrations.domain import dry_runs
from registrations.mailing import previews
from registrations.mailing.previews import EXAMPLES, SAMPLES
from registrations.models import Delivery, Event
from registrations.views import reading
from registrations.web.forms import RegistrationForm
from registrations.web.responses import private_page

PEOPLE_OFFERED = 20
MAY_SEE_MAILS = ["registrations.view_event", "registrations.view_registration"]


class ChoiceForm(forms.Form):
    event: Event

    mail = forms.ChoiceField(label=gettext_lazy("Mail"))
    person = forms.ChoiceField(label=gettext_lazy("As it would be sent to"))

    def __init__(self, event: Event, data: Any) -> None:
        first = {"mail": next(iter(SAMPLES)), "person": "fr"}
        super().__init__({name: data.get(name) or value for name, value in first.items()})
        self.event = event
        self.asked = str(data.get("person", ""))
        self.fields["mail"].choices = [(key, sample.title) for key, sample in SAMPLES.items()]  # type: ignore[attr-defined]
        self.fields["person"].choices = [*EXAMPLES.items(), *self._people()]  # type: ignore[attr-defined]

    def _people(self) -> list[tuple[str, str]]:
        """The latest ones, and the one that was asked for by their own page."""
        people = self.event.registrations.without_dry_runs().order_by("-created_at")
        asked = people.filter(pk=self.asked) if self.asked.isdecimal() and len(self.asked) < 19 else people.none()
        return list({str(person.pk): str(person) for person in [*asked, *people[:PEOPLE_OFFERED]]}.items())


def composed(delivery: Delivery) -> reading.Received:
    """As the transport would be handed it now; a report that cannot be typeset does not keep the words back."""
    from registrations.mailing import (
        composer,  # here: the desk stands in every web process, which must not load what builds a mail
    )

    delivery.attempts = composer.TRIES_WITH_REPORT
    return reading.Received(reading.read(composer.compose(delivery).message().as_bytes()))


class Previews:
    """The pages behind « Aperçu » on an event's form."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        name, wrap = "registrations_event", self.admin_site.admin_view
        return [
            path("<int:pk>/preview/", wrap(preview_page), name=f"{name}_preview"),
            path("<int:pk>/preview/form/", wrap(preview_form), name=f"{name}_preview_form"),
            path("<int:pk>/mails/", wrap(self.preview_mails), name=f"{name}_mails"),
            path("<int:pk>/mails/<int:number>/", wrap(preview_part), name=f"{name}_mail_part"),
            *urls,
        ]

    def preview_mails(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method == "POST":
            return _try_out(request, pk)
        form, mail = _chosen(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Preview of the mails"),
            "event": form.event,
            "form": form,
            "mail": mail,
            "chosen_query": urlencode(form.data),
            "trial_address": trial_address(request, form.event) if may_write(request) else "",
        }
        return reading.allow_frame(TemplateResponse(request, "admin/mail_previews.html", context))


def _asked(request: HttpRequest, pk: int, data: Any) -> ChoiceForm:
    if not request.user.has_perms(MAY_SEE_MAILS):
        raise PermissionDenied
    form = ChoiceForm(get_object_or_404(Event, pk=pk), data)
    if not form.is_valid():
        raise Http404
    return form


def _chosen(request: HttpRequest, pk: int) -> tuple[ChoiceForm, reading.Received]:
    form = _asked(request, pk, request.GET)
    sample = SAMPLES[form.cleaned_data["mail"]]
    return form, composed(previews.owed(form.event, sample, form.cleaned_data["person"]))


def _try_out(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail that is shown, to who looks at it."""
    require_writer(request)
    form = _asked(request, pk, request.POST)
    recipient = trial_address(request, form.event)
    dry_runs.send_preview(form.event, form.cleaned_data["mail"], form.cleaned_data["person"], recipient=recipient)
    messages.success(request, _("A trial is on its way to %(address)s.") % {"address": recipient})
    return HttpResponseRedirect(f"{request.path}?{urlencode(form.data)}")


@xframe_options_sameorigin
@private_page
def preview_part(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return reading.part_response(_chosen(request, pk)[1], number)


@private_page
def preview_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The event's page as visitors see it, or will once it is published."""
    event, is_draft = _as_published(request, pk)
    return render(request, "registrations/public/event_preview.html", {"event": event, "is_draft": is_draft})


@require_safe
@private_page
def preview_form(request: HttpRequest, pk: int) -> HttpResponse:
    """The form with the event's own questions, without a way to send it."""
    event, _is_draft = _as_published(request, pk)
    context = {
        "event": event,
        "form": RegistrationForm(event=event),
        "kept_until": event.kept_until(timezone.now()),
    }
    return render(request, "registrations/public/form_preview.html", context)


def _as_published(request: HttpRequest, pk: int) -> tuple[Event, bool]:
    """The event as visitors meet it, and whether they do not yet."""
    if not request.user.has_perm("registrations.view_event"):
        raise PermissionDenied
    event = get_object_or_404(Event, pk=pk)
    is_draft = event.status == Event.Status.DRAFT
    if is_draft:
        event.status = Event.Status.PUBLISHED
    return event, is_draft
