"""Previews for the organiser: the page and the form of an event, and each mail as it would be sent now."""

from collections.abc import Iterator
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

from registrations.admin.events import mail_words
from registrations.admin.messages.broadcasts import may_write, require_writer, trial_address
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage
from registrations.domain import dry_runs
from registrations.mailing import previews
from registrations.mailing.failures import NotComposed, in_words
from registrations.mailing.previews import EXAMPLES, SAMPLES
from registrations.models import Delivery, Event, MailText
from registrations.models.mail_kinds import AUTOMATIC, OWN_WORDS, by_moment
from registrations.views import reading
from registrations.web import uploads
from registrations.web.forms import RegistrationForm
from registrations.web.responses import View, private_page

PEOPLE_OFFERED = 20
NOT_TYPED = {"csrfmiddlewaretoken", "mail", "person"}


class ChoiceForm(forms.Form):
    event: Event

    mail = forms.ChoiceField(label=gettext_lazy("Mail"))
    person = forms.ChoiceField(label=gettext_lazy("As it would be sent to"))
    typed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, event: Event, data: Any) -> None:
        first = {"mail": next(iter(SAMPLES)), "person": "fr"}
        typed = {"typed": "1"} if data.get("typed") else {}
        super().__init__({name: data.get(name) or value for name, value in first.items()} | typed)
        self.event = event
        self.asked = str(data.get("person", ""))
        cast(forms.ChoiceField, self.fields["mail"]).choices = _mails()
        cast(forms.ChoiceField, self.fields["person"]).choices = [*EXAMPLES.items(), *self._people()]

    def _people(self) -> list[tuple[str, str]]:
        """The latest registrants, and the one whose own page links here."""
        people = self.event.registrations.without_dry_runs().order_by("-created_at")
        asked = people.filter(pk=self.asked) if self.asked.isdecimal() and len(self.asked) < 19 else people.none()
        return list({str(person.pk): str(person) for person in [*asked, *people[:PEOPLE_OFFERED]]}.items())


def _mails() -> list[tuple[Any, list[tuple[str, str]]]]:
    """The mails in the groups of their moments."""
    return [
        (moment.label, [(key, one.title) for key, one in SAMPLES.items() if one.kind in kinds])
        for moment, kinds in by_moment(AUTOMATIC)
    ]


def composed(delivery: Delivery) -> reading.Received:
    """As it would be given to the transport now. If the report cannot be typeset, the mail is shown without it.

    Raises NotComposed.
    """
    from registrations.mailing import composer  # here: every web process loads the admin, but should not load this

    message = composer.compose(delivery)
    with composer.not_composed():
        return reading.Received(reading.read(message.message().as_bytes()))


def preview_mails(request: HttpRequest, pk: int) -> HttpResponse:
    """Of the event as it is saved; from its form, as it is typed."""
    if request.method == "POST" and not _is_form_of_event(request):
        return _send_preview(request, pk)
    event = _event(request, pk)
    if isinstance(event, HttpResponse):
        return event
    form = _asked(event, request.POST or request.GET)
    texts = _typed_texts(request, form)
    try:
        mail, defect = _mail(form, texts), ""
    except NotComposed as error:
        mail, defect = None, in_words(error)
    typed = list(_typed(request))
    response = model_admin.page(
        request,
        Event,
        "admin/mail_previews.html",
        title=_("Preview of the mails"),
        event=form.event,
        form=form,
        mail=mail,
        defect=defect,
        typed=typed,
        not_saved=texts is not None and own_words_path(form),
        own_words=own_words_path(form) if request.user.has_perm("registrations.change_event") else "",
        chosen_query=urlencode(form.data),
        trial_address=trial_address(request, form.event) if may_write(request) and not typed else "",
    )
    return reading.allow_frame(response)


def _is_form_of_event(request: HttpRequest) -> bool:
    """Whether the form of the event was sent here, and not the button of a trial."""
    return "title" in request.POST


def _event(request: HttpRequest, pk: int) -> Event | HttpResponse:
    return typed_event(request, pk) if request.method == "POST" else get_object_or_404(Event, pk=pk)


def _typed(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """What the page sends again for another mail, person or part."""
    for name, values in request.POST.lists():
        if name not in NOT_TYPED:
            yield from ((name, value) for value in values)


def _asked(event: Event, data: Any) -> ChoiceForm:
    form = ChoiceForm(event, data)
    if not form.is_valid():
        raise Http404
    return form


def _mail(form: ChoiceForm, texts: list[MailText] | None) -> reading.Received:
    sample = SAMPLES[form.cleaned_data["mail"]]
    return composed(previews.sample_delivery(form.event, sample, form.cleaned_data["person"], texts=texts))


def _typed_texts(request: HttpRequest, form: ChoiceForm) -> list[MailText] | None:
    """Own words as they were typed and not saved; None: as they are saved."""
    kind = SAMPLES[form.cleaned_data["mail"]].kind
    return mail_words.typed_texts(request, form.event, kind) if form.cleaned_data["typed"] else None


def own_words_path(form: ChoiceForm) -> str:
    """The page of the words of the mail that is shown; empty when they are the site's only."""
    kind = SAMPLES[form.cleaned_data["mail"]].kind
    return mail_words.path(form.event, kind) if kind in OWN_WORDS else ""


def _send_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the mail that is shown to the organiser who looks at it."""
    require_writer(request)
    form = _asked(get_object_or_404(Event, pk=pk), request.POST)
    recipient = trial_address(request, form.event)
    chosen, texts = form.cleaned_data, _typed_texts(request, form)
    dry_runs.send_preview(form.event, chosen["mail"], chosen["person"], recipient=recipient, texts=texts)
    messages.success(request, _("A trial is on its way to %(address)s.") % {"address": recipient})
    return HttpResponseRedirect(f"{request.path}?{urlencode(form.data)}")


@xframe_options_sameorigin
@private_page
def preview_part(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    event = _event(request, pk)
    if isinstance(event, HttpResponse):
        return event
    try:
        form = _asked(event, request.POST or request.GET)
        return reading.part_response(_mail(form, _typed_texts(request, form)), number)
    except NotComposed as error:
        raise Http404 from error


def typed_event(request: HttpRequest, pk: int) -> Event | HttpResponse:
    """The event as its form was sent, or that form if it has to be corrected. All that was saved is undone.

    A mail is composed from it afterwards: no transaction stays open while a document is typeset.
    """
    with transaction.atomic():
        saved = _saved(request, pk)
        if saved.status_code != HTTPStatus.FOUND:
            return saved
        event = Event.objects.prefetch_related("report_sections").get(pk=pk)
        transaction.set_rollback(True)
    return event


def _saved(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer of the event's own form, in a transaction that will be undone."""
    if IS_POPUP_VAR in request.POST:
        raise BadRequest("A preview is no form in a window of its own.")
    uploads.drop(request)  # a stored file would not be undone
    messages.set_level(request, messages.ERROR + 1)  # none about what is undone
    response: HttpResponse = admin.site.get_model_admin(Event).changeform_view(request, str(pk))
    return response


def as_typed(view: View) -> View:
    """Decorator: show the event as its form was sent. It is saved, looked at, and all is undone."""

    @private_page
    @wraps(view)
    def wrapper(request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return view(request, pk)
        with transaction.atomic():
            saved = _saved(request, pk)
            response = view(request, pk) if saved.status_code == HTTPStatus.FOUND else saved
            transaction.set_rollback(True)
        return response

    return wrapper


@as_typed
def preview_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The event's page as visitors see it, or will once it is published."""
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
