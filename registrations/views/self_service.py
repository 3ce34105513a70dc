"""Behind the manage link: see, correct, withdraw, come back, take one's data away, have it erased. GET only shows."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registrations.documents import study_report
from registrations.domain import corrections, custom_questions, erasure, signup
from registrations.models import Delivery, Registration
from registrations.security import rate_limits
from registrations.text import email_typos
from registrations.web.errors import too_many_requests
from registrations.web.forms import AnswersForm, NewAddressForm
from registrations.web.responses import View, private_page, see_other, too_many, wait_of_form

type OwnView = Callable[[HttpRequest, Registration], HttpResponse]


def own_page(view: OwnView) -> View:
    """A page of one person's registration. A wrong, an unknown and an expired code get the same answer: 404."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @private_page
    @wraps(view)
    def wrapper(request: HttpRequest, manage_code: str) -> HttpResponse:
        registration = _registration(manage_code=manage_code)
        if registration.erase_by and view.__name__ != manage.__name__:
            return _to_my_registration(registration)
        return view(request, registration)

    return wrapper


def counted(view: OwnView) -> OwnView:
    """A page with a button and nothing typed: one press too many is asked to wait."""

    @wraps(view)
    def wrapper(request: HttpRequest, registration: Registration) -> HttpResponse:
        if request.method == "POST" and (wait := rate_limits.wait_of_form(request)):
            return too_many_requests(request, wait)
        return view(request, registration)

    return wrapper


@own_page
def manage(request: HttpRequest, registration: Registration) -> HttpResponse:
    event = registration.event
    context = {
        "registration": registration,
        "event": event,
        "own_answers": custom_questions.answered(registration),
        "report_size": study_report.known_size(event),
        "suggested_domain": email_typos.meant_domain(registration.new_email or registration.email),
    }
    return render(request, "registrations/manage.html", context)


@own_page
def correct(request: HttpRequest, registration: Registration) -> HttpResponse:
    if registration.is_cancelled:
        return _to_my_registration(registration)
    answers = corrections.answers(registration)
    form = AnswersForm(request.POST or None, event=registration.event, initial=answers)
    wait = wait_of_form(request, form)
    if wait is None and request.method == "POST" and form.is_valid():
        if corrections.correct_answers(registration, **form.cleaned_data):
            messages.success(request, _("Your corrections are recorded. A message confirms it."))
        return _to_my_registration(registration)
    return too_many(_render(request, "registrations/correct.html", registration, form=form), wait)


@own_page
def change_address(request: HttpRequest, registration: Registration) -> HttpResponse:
    form = NewAddressForm(request.POST or None, current=registration.email)
    wait = wait_of_form(request, form)
    if wait is None and request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if corrections.ask_for_address(registration, email=email):
            words = _(
                "A message is on its way to %(email)s: open its link to confirm the address. "
                "Until then nothing changes."
            )
            messages.success(request, words % {"email": email})
        else:
            messages.warning(request, _had_enough())
        return _to_my_registration(registration)
    return too_many(_render(request, "registrations/change_address.html", registration, form=form), wait)


@own_page
@counted
def send_again(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST" and not registration.is_cancelled:
        if _send_again(registration):
            messages.success(request, _("The message is on its way to %(email)s.") % {"email": registration.email})
        else:
            messages.warning(request, _had_enough())
    return _to_my_registration(registration)


def _send_again(registration: Registration) -> bool:
    if not registration.is_trial:
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
    return _render(request, "registrations/withdraw.html", registration)


@own_page
@counted
def come_back(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        try:
            registration = signup.come_back(registration)
        except signup.SignUpClosed:
            messages.warning(request, _("Registration is closed: you cannot come back any more."))
        else:
            messages.success(request, _("You are back on the list. A message confirms it."))
    return _to_my_registration(registration)


@own_page
@counted
def not_me(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        erasure.disown(registration)
        return render(request, "registrations/not_me_done.html", {"event": registration.event})
    return _render(request, "registrations/not_me.html", registration)


@own_page
@counted
def erase(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST":
        erasure.ask_for_erasure(registration)
        return _to_my_registration(registration)
    return _render(request, "registrations/erase.html", registration)


@own_page
def my_data(request: HttpRequest, registration: Registration) -> HttpResponse:
    options = {"ensure_ascii": False, "indent": 2}
    response = JsonResponse(erasure.personal_data(registration), json_dumps_params=options)
    response["Content-Disposition"] = 'attachment; filename="mes-donnees.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def confirm_address(request: HttpRequest, address_code: str) -> HttpResponse:
    """Behind the link in the mail to a new address: confirm it, or say that one did not ask."""
    registration = _registration(new_email_code=address_code)
    if request.method != "POST":
        return _render(request, "registrations/confirm_address.html", registration)
    if "refuse" in request.POST:
        corrections.refuse_address(registration)
        return render(request, "registrations/not_me_done.html", {"event": registration.event})
    try:
        corrections.confirm_address(registration)
    except corrections.AddressTaken:
        return _render(request, "registrations/confirm_address.html", registration, taken=True)
    messages.success(request, _("Your address is changed. A message with your link is on its way to it."))
    return _to_my_registration(registration)


def _had_enough() -> str:
    return _("Three messages have left for this address today: look in the junk folder, or try tomorrow.")


def _registration(**code: str) -> Registration:
    registration = get_object_or_404(Registration.everyone.reachable(), **code)
    registration.sees_its_event()
    if registration.kept_until <= timezone.now():
        raise Http404
    return registration


def _to_my_registration(registration: Registration) -> HttpResponse:
    return see_other("manage", manage_code=registration.manage_code)


def _render(request: HttpRequest, template: str, registration: Registration, **context: Any) -> HttpResponse:
    context |= {"registration": registration, "event": registration.event}
    return render(request, template, context)
