"""What a visitor meets: the event page, the form, the thank-you page, the public calendar file."""

from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from registrations import limits, signup
from registrations.forms import RegistrationForm, too_many_forms
from registrations.models import Event
from registrations.views.responses import calendar_response, private_page, see_other, too_many

PAST_EVENTS_SHOWN = 10
SIGNED_UP = "signed_up"  # key of the session


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The only event one can sign up to, or a list of them; with none, the last past ones."""
    events = list(Event.objects.to_sign_up().order_by("starts_at"))
    if len(events) == 1:
        return redirect(events[0])
    past = [] if events else list(Event.objects.past()[:PAST_EVENTS_SHOWN])
    return render(request, "registrations/home.html", {"events": events, "past_events": past})


@require_safe
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.published(), slug=slug)
    return render(request, "registrations/event.html", {"event": event})


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def sign_up(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.published(), slug=slug)
    if not event.accepts_sign_ups:
        return _closed(request, event)
    form = RegistrationForm(request.POST or None, event=event)
    wait = limits.wait_of_form(request) if request.method == "POST" else None
    if wait:
        form.refuse(too_many_forms(wait))
    elif request.method == "POST" and form.is_valid():
        answers = form.cleaned_data
        try:
            signup.register(event, language=get_language() or settings.LANGUAGE_CODE, **answers)
        except signup.SignUpClosed:
            return _closed(request, event)
        request.session[SIGNED_UP] = {
            "slug": slug,
            "first_name": answers["first_name"],
            "email": answers["email"],
        }
        return see_other("thanks", slug=slug)
    context = {"event": event, "form": form, "kept_until": event.kept_until(timezone.now())}
    response = render(request, "registrations/form.html", context)
    return too_many(response, wait) if wait else response


def _closed(request: HttpRequest, event: Event) -> HttpResponse:
    """In place of the form; a question that was typed is shown for copying."""
    typed = request.POST.get("question", "")
    return render(request, "registrations/closed.html", {"event": event, "typed_question": typed})


@require_safe
@private_page
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows only what this browser has just typed, whether the address was known or not."""
    event = get_object_or_404(Event.objects.published(), slug=slug)
    signed_up = request.session.get(SIGNED_UP)
    if signed_up and signed_up["slug"] != slug:
        signed_up = None
    sender, _address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    context = {"event": event, "signed_up": signed_up, "sender": sender or event.organiser_name}
    return render(request, "registrations/thanks.html", context)


@require_safe
def public_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    from registrations import invitation  # here: a sign-up must not load the calendar library

    event = get_object_or_404(Event.objects.published().exclude(status=Event.Status.POSTPONED), slug=slug)
    return calendar_response(invitation.public_entry(event), "evenement.ics")
