"""Previews for the organiser: the page and the form of an event, and each mail as it would be sent now."""

from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from registrations.admin.messages.broadcasts import may_write, require_writer, trial_address
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage
from registrations.domain import dry_runs, publishing
from registrations.mailing import previews
from registrations.mailing.failures import NotComposed, in_words
from registrations.mailing.previews import EXAMPLES, SAMPLES
from registrations.models import Delivery, Event, EventCheck
from registrations.views import reading
from registrations.web.forms import RegistrationForm
from registrations.web.responses import View, private_page

PEOPLE_OFFERED = 20


class ChoiceForm(forms.Form):
    event: Event

    mail = forms.ChoiceField(label=gettext_lazy("Mail"))
    person = forms.ChoiceField(label=gettext_lazy("As it would be sent to"))

    def __init__(self, event: Event, data: Any) -> None:
        first = {"mail": next(iter(SAMPLES)), "person": "fr"}
        super().__init__({name: data.get(name) or value for name, value in first.items()})
        self.event = event
        self.asked = str(data.get("person", ""))
        cast(forms.ChoiceField, self.fields["mail"]).choices = [(key, one.title) for key, one in SAMPLES.items()]
        cast(forms.ChoiceField, self.fields["person"]).choices = [*EXAMPLES.items(), *self._people()]

    def _people(self) -> list[tuple[str, str]]:
        """The latest registrants, and the one whose own page links here."""
        people = self.event.registrations.without_dry_runs().order_by("-created_at")
        asked = people.filter(pk=self.asked) if self.asked.isdecimal() and len(self.asked) < 19 else people.none()
        return list({str(person.pk): str(person) for person in [*asked, *people[:PEOPLE_OFFERED]]}.items())


def composed(delivery: Delivery) -> reading.Received:
    """As it would be given to the transport now. If the report cannot be typeset, the mail is shown without it.

    Raises NotComposed.
    """
    from registrations.mailing import composer  # here: every web process loads the admin, but should not load this

    message = composer.compose(delivery)
    with composer.not_composed():
        return reading.Received(reading.read(message.message().as_bytes()))


def preview_mails(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _send_preview(request, pk)
    form = _asked(pk, request.GET)
    publishing.note_look(form.event, EventCheck.Part.MAILS, by=request.user)
    try:
        mail, defect = _mail(form), ""
    except NotComposed as error:
        mail, defect = None, in_words(error)
    response = model_admin.page(
        request,
        Event,
        "admin/mail_previews.html",
        title=_("Preview of the mails"),
        event=form.event,
        form=form,
        mail=mail,
        defect=defect,
        chosen_query=urlencode(form.data),
        trial_address=trial_address(request, form.event) if may_write(request) else "",
    )
    return reading.allow_frame(response)


def _asked(pk: int, data: Any) -> ChoiceForm:
    form = ChoiceForm(get_object_or_404(Event, pk=pk), data)
    if not form.is_valid():
        raise Http404
    return form


def _mail(form: ChoiceForm) -> reading.Received:
    sample = SAMPLES[form.cleaned_data["mail"]]
    return composed(previews.sample_delivery(form.event, sample, form.cleaned_data["person"]))


def _send_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the mail that is shown to the organiser who looks at it."""
    require_writer(request)
    form = _asked(pk, request.POST)
    recipient = trial_address(request, form.event)
    dry_runs.send_preview(form.event, form.cleaned_data["mail"], form.cleaned_data["person"], recipient=recipient)
    messages.success(request, _("A trial is on its way to %(address)s.") % {"address": recipient})
    return HttpResponseRedirect(f"{request.path}?{urlencode(form.data)}")


@xframe_options_sameorigin
@private_page
def preview_part(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    try:
        return reading.part_response(_mail(_asked(pk, request.GET)), number)
    except NotComposed as error:
        raise Http404 from error


def as_typed(view: View) -> View:
    """Decorator: show the event as its form was sent. It is saved, looked at, and all is undone."""

    @private_page
    @wraps(view)
    def wrapper(request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return view(request, pk)
        if IS_POPUP_VAR in request.POST:
            raise BadRequest("A preview is no form in a window of its own.")
        request.FILES.clear()  # a stored file would not be undone
        messages.set_level(request, messages.ERROR + 1)  # none about what is undone
        with transaction.atomic():
            saved: HttpResponse = admin.site.get_model_admin(Event).changeform_view(request, str(pk))
            response = view(request, pk) if saved.status_code == HTTPStatus.FOUND else saved
            transaction.set_rollback(True)
        return response

    return wrapper


@as_typed
def preview_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The event's page as visitors see it, or will once it is published."""
    if request.method == "GET":  # a page that is only typed is not what will be published
        publishing.note_look(get_object_or_404(Event, pk=pk), EventCheck.Part.PAGE, by=request.user)
    event, is_draft = _as_published(pk)
    return render(request, "registrations/public/event_preview.html", {"event": event, "is_draft": is_draft})


@as_typed
def preview_form(request: HttpRequest, pk: int) -> HttpResponse:
    """The form with the event's own questions; it cannot be sent."""
    event, _is_draft = _as_published(pk)
    context = {
        "event": event,
        "form": RegistrationForm(event=event),
        "kept_until": event.kept_until(timezone.now()),
    }
    return render(request, "registrations/public/form_preview.html", context)


def _as_published(pk: int) -> tuple[Event, bool]:
    """The event as visitors see it once it is published, and whether it is still a draft."""
    event = get_object_or_404(Event, pk=pk)
    is_draft = event.status == Event.Status.DRAFT
    if is_draft:
        event.status = Event.Status.PUBLISHED
    return event, is_draft


MAY_SEE_EVENT = ("registrations.view_event",)
MAY_SEE_MAILS = ("registrations.view_event", "registrations.view_registration")
PAGES = [
    AdminPage("<int:pk>/preview/", preview_page, name="preview", permissions=MAY_SEE_EVENT),
    AdminPage("<int:pk>/preview/form/", preview_form, name="preview_form", permissions=MAY_SEE_EVENT),
    AdminPage("<int:pk>/mails/", preview_mails, name="mails", permissions=MAY_SEE_MAILS),
    AdminPage("<int:pk>/mails/<int:number>/", preview_part, name="mail_part", permissions=MAY_SEE_MAILS),
]
