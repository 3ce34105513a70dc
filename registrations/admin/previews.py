"""What visitors and registrants will get, seen before they do: the page, and each mail as it would leave now."""

import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from registrations.forms import RegistrationForm
from registrations.models import Attendance, Delivery, Event, Registration
from registrations.models.registration import new_code
from registrations.views import reading
from registrations.views.responses import private_page

Kind, Reason, Status = Delivery.Kind, Delivery.Reason, Registration.Status
EXAMPLE_ADDRESS = "adresse@example.org"
PEOPLE_OFFERED = 20
EXAMPLES = {
    "fr": gettext_lazy("An example person"),
    "en": gettext_lazy("An example person, in English"),
}
MAY_SEE_MAILS = ["registrations.view_event", "registrations.view_registration"]


@dataclass(frozen=True)
class Sample:
    """A mail in a situation in which it is sent."""

    kind: Delivery.Kind
    reason: str = ""
    status: str = Status.CONFIRMED
    event_status: str = Event.Status.PUBLISHED
    is_present: bool = False

    @property
    def key(self) -> str:
        return "-".join(filter(None, [self.kind, self.reason, "present" if self.is_present else ""]))

    @property
    def title(self) -> str:
        words = [self.kind.label, Reason(self.reason).label if self.reason else "", _("present") * self.is_present]
        return " – ".join(str(word) for word in words if word)


SAMPLES: dict[str, Sample] = {
    sample.key: sample
    for sample in [
        Sample(Kind.CONFIRMATION, Reason.NEW),
        Sample(Kind.CONFIRMATION, Reason.KNOWN),
        Sample(Kind.CONFIRMATION, Reason.RESENT),
        Sample(Kind.CONFIRMATION, Reason.RETURNED),
        Sample(Kind.CONFIRMATION, Reason.CORRECTED),
        Sample(Kind.WAITING_LIST, Reason.NEW, Status.WAITLISTED),
        Sample(Kind.WAITING_LIST, Reason.KNOWN, Status.WAITLISTED),
        Sample(Kind.PROMOTED, Reason.PROMOTED),
        Sample(Kind.REMINDER_DAY),
        Sample(Kind.REMINDER_HOUR),
        Sample(Kind.FOLLOW_UP),
        Sample(Kind.FOLLOW_UP, is_present=True),
        Sample(Kind.CHANGED, Reason.MOVED),
        Sample(Kind.CHANGED, Reason.HOUR),
        Sample(Kind.CHANGED, Reason.REOPENED),
        Sample(Kind.CHANGED, Reason.NOTES),
        Sample(Kind.CHANGED, Reason.POSTPONED, event_status=Event.Status.POSTPONED),
        Sample(Kind.CANCELLED, event_status=Event.Status.CANCELLED),
        Sample(Kind.WITHDRAWN, Reason.SEAT, Status.CANCELLED),
        Sample(Kind.WITHDRAWN, Reason.LINE, Status.CANCELLED),
        Sample(Kind.UPDATED),
        Sample(Kind.ADDRESS_CHECK),
        Sample(Kind.ADDRESS_CHANGED),
        Sample(Kind.ERASED, Reason.SEAT, Status.CANCELLED),
        Sample(Kind.ERASED, Reason.LINE, Status.CANCELLED),
    ]
}


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
        people = self.event.registrations.order_by("-created_at")
        asked = people.filter(pk=self.asked) if self.asked.isdecimal() and len(self.asked) < 19 else people.none()
        return list({str(person.pk): str(person) for person in [*asked, *people[:PEOPLE_OFFERED]]}.items())


def owed(event: Event, sample: Sample, person: str) -> Delivery:
    """What would be owed in this situation; nothing of it is written down."""
    event = copy.copy(event)
    if sample.event_status != Event.Status.PUBLISHED or event.status == Event.Status.DRAFT:
        event.status = sample.event_status
    delivery = Delivery(registration=_registrant(event, sample, person), kind=sample.kind, reason=sample.reason)
    delivery.revision = 0 if sample.reason == Reason.NEW else 1
    if sample.kind in {Kind.ADDRESS_CHECK, Kind.ADDRESS_CHANGED}:
        delivery.recipient = EXAMPLE_ADDRESS
    return delivery


def _registrant(event: Event, sample: Sample, person: str) -> Registration:
    registration = example(event, sample, person) if person in EXAMPLES else Registration.objects.get(pk=person)
    registration.event, registration.status = event, sample.status
    registration.waiting_since = registration.created_at if registration.is_waiting else None
    if sample.kind == Kind.ADDRESS_CHECK:
        registration.new_email, registration.new_email_code = EXAMPLE_ADDRESS, new_code()
    return registration


def example(event: Event, sample: Sample, language: str) -> Registration:
    """Nobody: number 0 has no mails, no presences and a place at the end of the line."""
    with translation.override(language):
        first_name, last_name, organisation = _("First name"), _("Last name"), _("Organisation")
    registration = Registration(
        pk=0,
        event=event,
        first_name=first_name,
        last_name=last_name,
        organisation=organisation,
        email=EXAMPLE_ADDRESS,
        language=language,
        created_at=timezone.now(),
    )
    signs = Attendance.objects.none()
    signs._result_cache = [Attendance(registration=registration)] if sample.is_present else []
    registration._prefetched_objects_cache = {"attendances": signs}  # type: ignore[attr-defined]
    return registration


def composed(delivery: Delivery) -> reading.Received:
    """As the transport would be handed it now; a report that cannot be typeset does not keep the words back."""
    from registrations import (
        mail,
    )  # here: the desk stands in every web process, which must not load what builds a mail

    delivery.attempts = mail.TRIES_WITH_REPORT
    return reading.Received(reading.read(mail.compose(delivery).message().as_bytes()))


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
        form, mail = _chosen(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Preview of the mails"),
            "event": form.event,
            "form": form,
            "mail": mail,
            "chosen_query": urlencode(form.data),
        }
        return reading.framing(TemplateResponse(request, "admin/mails.html", context))


def _chosen(request: HttpRequest, pk: int) -> tuple[ChoiceForm, reading.Received]:
    if not request.user.has_perms(MAY_SEE_MAILS):
        raise PermissionDenied
    form = ChoiceForm(get_object_or_404(Event, pk=pk), request.GET)
    if not form.is_valid():
        raise Http404
    sample = SAMPLES[form.cleaned_data["mail"]]
    return form, composed(owed(form.event, sample, form.cleaned_data["person"]))


@xframe_options_sameorigin
@private_page
def preview_part(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return reading.part_response(_chosen(request, pk)[1], number)


@private_page
def preview_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The event's page as visitors see it, or will once it is published."""
    event, is_draft = _as_published(request, pk)
    return render(request, "registrations/event_preview.html", {"event": event, "is_draft": is_draft})


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
    return render(request, "registrations/form_preview.html", context)


def _as_published(request: HttpRequest, pk: int) -> tuple[Event, bool]:
    """The event as visitors meet it, and whether they do not yet."""
    if not request.user.has_perm("registrations.view_event"):
        raise PermissionDenied
    event = get_object_or_404(Event, pk=pk)
    is_draft = event.status == Event.Status.DRAFT
    if is_draft:
        event.status = Event.Status.PUBLISHED
    return event, is_draft
