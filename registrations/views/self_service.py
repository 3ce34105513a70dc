"""Pages behind the manage link: see, correct, withdraw, come back, download, erase.

GET changes nothing, but that the link was used, which keeps others from moving the registration.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import yesno
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registrations.documents import study_report
from registrations.domain import corrections, custom_questions, erasure, signup, waiting_list
from registrations.models import Delivery, Event, EventState, Registration
from registrations.models.person_fields import PERSON_FIELDS, Kind, PersonField
from registrations.security import rate_limits
from registrations.text import email_typos
from registrations.web import personal_words
from registrations.web.errors import too_many_requests
from registrations.web.forms import AnswersForm, NewAddressForm
from registrations.web.responses import View, private_page, see_other, too_many, wait_of_form

type OwnView = Callable[[HttpRequest, Registration], HttpResponse]


def own_page(view: OwnView) -> View:
    """Pass the registration of this code to the view. A malformed, unknown or expired code gets the same 404."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @private_page
    @wraps(view)
    def wrapper(request: HttpRequest, manage_code: str) -> HttpResponse:
        registration = _registration(manage_code=manage_code)
        registration.note_use_of_link()
        if registration.erase_by and view.__name__ != manage.__name__:
            return _to_my_registration(registration)
        return view(request, registration)

    return wrapper


def counted(view: OwnView) -> OwnView:
    """Apply the limit of forms to a page that has only a button: 429 over it."""

    @wraps(view)
    def wrapper(request: HttpRequest, registration: Registration) -> HttpResponse:
        if request.method == "POST" and (wait := rate_limits.wait_of_form(request)):
            return too_many_requests(request, wait)
        return view(request, registration)

    return wrapper


@own_page
def manage(request: HttpRequest, registration: Registration) -> HttpResponse:
    event, answers = registration.event, list(_answers(registration))
    context = {
        "registration": registration,
        "event": event,
        "answers": [one for one in answers if not one.comes_last],
        "own_answers": custom_questions.answered(registration),
        "last_answers": [one for one in answers if one.comes_last],
        "report_size": study_report.known_size(event),
        "heading": personal_words.standing(registration),
        "act": personal_words.act(registration),
        "is_refused": corrections.is_refused(registration),
        "suggested_domain": email_typos.meant_domain(registration.new_email or registration.email),
    }
    return render(request, "registrations/personal/manage.html", context)


class Answer(NamedTuple):
    field: PersonField
    value: Any

    @property
    def label(self) -> Any:
        return self.field.shown_label or self.field.form_label

    @property
    def is_typed(self) -> bool:
        """Free text, which may be in a script of the other direction."""
        return self.field.asked is not None and self.field.asked.kind not in {Kind.LIST, Kind.RADIO, Kind.BOX}

    @property
    def comes_last(self) -> bool:
        """Shown after the answers to the event's own questions."""
        return self.field.asked is not None and self.field.asked.kind in {Kind.LONG_TEXT, Kind.BOX}


def _answers(registration: Registration) -> Iterator[Answer]:
    """What the page shows: each answer that is not empty, and a box that the event offers, ticked or not."""
    for field in PERSON_FIELDS:
        value = getattr(registration, field.name)
        if field.shown and field.asked and field.asked.kind == Kind.BOX:
            if field.asked.offers is None or field.asked.offers(registration.event):
                yield Answer(field, yesno(value, _("yes,no")))
        elif field.shown and (value or field.is_required):
            yield Answer(field, _label(field, registration.event, value))


def _label(field: PersonField, event: Event, value: Any) -> Any:
    """A choice as the form words it in this language."""
    offered = field.asked.offers(event) if field.asked and field.asked.offers else None
    return offered.get(value, value) if isinstance(offered, dict) else value


@own_page
def correct(request: HttpRequest, registration: Registration) -> HttpResponse:
    if registration.is_cancelled:
        return _to_my_registration(registration)
    answers = corrections.answers(registration)
    form = AnswersForm(request.POST or None, event=registration.event, initial=answers)
    wait = wait_of_form(request, form)
    if wait is None and request.method == "POST" and form.is_valid():
        if corrections.correct_answers(registration, **form.cleaned_data):
            messages.success(request, _("Your corrections are recorded. An email confirms it."))
        return _to_my_registration(registration)
    return too_many(_render(request, "registrations/personal/correct.html", registration, form=form), wait)


@own_page
def change_address(request: HttpRequest, registration: Registration) -> HttpResponse:
    form = NewAddressForm(request.POST or None, current=registration.email)
    wait = wait_of_form(request, form)
    if wait is None and request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        corrections.ask_for_address(registration, email=email)
        words = _(
            "An email is on its way to %(email)s: open its link to confirm the address. Until then nothing changes. "
            "It is sent at most three times a day to one address: if nothing arrives, try again tomorrow."
        )
        messages.success(request, words % {"email": email})
        return _to_my_registration(registration)
    return too_many(_render(request, "registrations/personal/change_address.html", registration, form=form), wait)


@own_page
@counted
def send_again(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST" and not registration.is_cancelled:
        if _send_again(registration):
            messages.success(request, _("The email is on its way to %(email)s.") % {"email": registration.email})
        else:
            messages.warning(request, _had_enough())
    return _to_my_registration(registration)


def _send_again(registration: Registration) -> bool:
    if not registration.is_dry_run:
        return signup.resend(registration.event, email=registration.email)
    signup.send_link(registration, reason=Delivery.Reason.RESENT)
    return True


@own_page
@counted
def withdraw(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        signup.withdraw(registration)
    if request.method == "POST" or registration.is_cancelled:
        return _to_my_registration(registration)
    return _render(
        request,
        "registrations/personal/withdraw.html",
        registration,
        someone_waits=registration.is_seated and waiting_list.has_someone_to_serve(registration.event),
        way_back=_way_back(registration.event),
    )


def _way_back(event: Event) -> str:
    """Whether one can come back after a withdrawal, by which one's own seat becomes free."""
    has_line = event.waiting_list and not event.has_started
    match event.state:
        case EventState.OPEN | EventState.FULL | EventState.LIVE if event.capacity and not has_line:
            return _("You can come back only while a seat is free.")
        case EventState.OPEN | EventState.FULL if event.capacity:
            return _(
                "You can come back as long as registration is open; if all seats are taken by then, you wait in line."
            )
        case EventState.OPEN | EventState.LIVE | EventState.PAST_AND_OPEN:
            return _("You can come back as long as registration is open.")
        case EventState.CLOSED:
            return _("Registration is closed: you will not be able to come back.")
    return ""


@own_page
@counted
def come_back(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        try:
            registration = signup.come_back(registration)
        except signup.SignUpClosed:
            messages.warning(request, _("Registration is closed: you cannot come back any more."))
        else:
            messages.success(request, _back_in_words(registration))
    return _to_my_registration(registration)


def _back_in_words(registration: Registration) -> str:
    if registration.is_waiting:
        return _("You are on the waiting list. An email confirms it.")
    return _("You are back on the list. An email confirms it.")


@own_page
@counted
def not_me(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        erasure.disown(registration)
        return render(request, "registrations/personal/not_me_done.html", {"event": registration.event})
    return _render(request, "registrations/personal/not_me.html", registration)


@own_page
@counted
def erase(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        erasure.ask_for_erasure(registration)
        return _to_my_registration(registration)
    return _render(request, "registrations/personal/erase.html", registration)


@own_page
def my_data(request: HttpRequest, registration: Registration) -> HttpResponse:
    return data_file(registration)


def data_file(registration: Registration) -> HttpResponse:
    options = {"ensure_ascii": False, "indent": 2}
    response = JsonResponse(erasure.personal_data(registration), json_dumps_params=options)
    response["Content-Disposition"] = 'attachment; filename="mes-donnees.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def confirm_address(request: HttpRequest, address_code: str) -> HttpResponse:
    """The link in the mail to a new address: confirm the address, or say that one did not ask for the change."""
    registration = _registration(new_email_code=address_code)
    if request.method != "POST":
        return _render(request, "registrations/personal/confirm_address.html", registration)
    if "refuse" in request.POST:
        corrections.refuse_address(registration)
        return render(request, "registrations/personal/not_me_done.html", {"event": registration.event})
    try:
        corrections.confirm_address(registration)
    except corrections.AddressTaken:
        return _render(request, "registrations/personal/confirm_address.html", registration, taken=True)
    messages.success(request, _("Your address is changed. An email with your link is on its way to it."))
    return _to_my_registration(registration)


def _had_enough() -> str:
    return _(
        "The link has already been requested three times today for this address: look in your junk folder, or"
        " try again tomorrow."
    )


def _registration(**code: str) -> Registration:
    registration = get_object_or_404(Registration.objects.reachable(), **code)
    registration.preview_as_published()
    if registration.kept_until <= timezone.now():
        raise Http404
    return registration


def _to_my_registration(registration: Registration) -> HttpResponse:
    return see_other("manage", manage_code=registration.manage_code)


def _render(request: HttpRequest, template: str, registration: Registration, **context: Any) -> HttpResponse:
    context |= {"registration": registration, "event": registration.event}
    return render(request, template, context)
