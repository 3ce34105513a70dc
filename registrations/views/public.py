"""The pages for visitors: the event page, the form, the thank-you page, the public calendar file.

Only pages that show nothing of a person are compressed: the length of a compressed page that mixes a secret with text
chosen by somebody else reveals the secret (BREACH). The form's only secret, its CSRF token, is masked anew in each
answer.
"""

import time
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import SlugField
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from registrations.documents import share_image
from registrations.domain import corrections, custom_questions, signup
from registrations.models import Event, EventQuestion, EventState, person_fields, shown_identity
from registrations.models.person_fields import Kind
from registrations.models.prepared import Parameter, PreparedQuery
from registrations.runtime.write_queue import write_transaction
from registrations.security import rate_limits
from registrations.text import email_typos, replay
from registrations.web import page_cache, signed_up
from registrations.web.forms import AddressForm, RegistrationForm, fresh_stamp
from registrations.web.responses import (
    calendar_response,
    follow_the_room,
    framing,
    private_page,
    see_other,
    too_many,
    wait_of_form,
)
from registrations.web.thanks_words import thanks_words

RESENT = "envoye"  # in the query: the answer to the form, whatever was typed
CLOSED = {  # headings of the page shown in place of the form
    EventState.CANCELLED: _("The webinar is cancelled"),
    EventState.POSTPONED: _("The webinar is postponed"),
    EventState.NOT_YET_OPEN: _("Registration is not open yet"),
    EventState.PAST: _("This webinar is over"),
    EventState.FULL: _("The webinar is full"),
    EventState.LIVE: _("The webinar is full"),
}


_SHOWN = PreparedQuery(
    lambda: EventQuestion.objects.annotate_events(
        Event.objects.published().annotate_has_report().annotate_page_revision()
    ).filter(slug=Parameter("slug", SlugField()))
)


def shown_event(slug: str) -> Event:
    """The published event, with what its pages need first, in one query. Raises Http404."""
    if (event := _SHOWN.first(slug=slug)) is None:
        raise Http404
    return event


@require_safe
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    event = shown_event(slug)
    player = replay.player(event.replay_url) if event.is_over else ""

    def make() -> str:
        known = shown_identity.current()
        shared = share_image.address(event, accent=known.accent, logo=known.logo_digest)
        context = {"event": event, "share_image": shared, "player": player}
        return render_to_string("registrations/public/event.html", context, request)

    response = page_cache.pages.get(page_cache.key_of(request, event, player), make).response(request)
    return framing(response, replay.origin(player)) if player else response


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
@gzip_page
def sign_up(request: HttpRequest, slug: str) -> HttpResponse:
    event = shown_event(slug)
    if not event.accepts_sign_ups:
        return _closed(request, event)
    if request.method == "POST":
        return _sent(request, event, RegistrationForm(request.POST, event=event))
    if request.POST:
        form = RegistrationForm(request.POST, event=event)
        wait_of_form(request, form)
        return HttpResponse(_form_page(request, event, form))
    return _empty_form(request, event)


def _sent(request: HttpRequest, event: Event, form: RegistrationForm) -> HttpResponse:
    is_valid = form.is_valid()
    with write_transaction():
        wait = wait_of_form(request, form)
        if wait is None and is_valid:
            with transaction.atomic():
                try:
                    _sign_up(request, event, **form.cleaned_data)
                except signup.SignUpClosed:
                    return _closed(request, event)
            return see_other("thanks", slug=event.slug)
    return too_many(HttpResponse(_form_page(request, event, form)), wait)


def _form_page(request: HttpRequest, event: Event, form: RegistrationForm, **more: Any) -> str:
    context = {"event": event, "form": form, "kept_until": event.kept_until(timezone.now()), **more}
    return render_to_string("registrations/public/form.html", context, request)


def _empty_form(request: HttpRequest, event: Event) -> HttpResponse:
    """The empty form, from the page cache: only the token and the time stamp differ between visitors."""
    form = RegistrationForm(event=event) if custom_questions.may_ask(event) else None
    last_day = event.kept_until(timezone.now()).astimezone(event.zone).date()
    key = page_cache.key_of(request, event, form and form.shape, last_day)
    page = page_cache.pages.get(key, lambda: _form_with_holes(request, event, form or RegistrationForm(event=event)))
    return page.response(request, token=get_token(request), stamp=fresh_stamp())


def _form_with_holes(request: HttpRequest, event: Event, form: RegistrationForm) -> str:
    form.initial["stamp"] = page_cache.hole("stamp")
    return _form_page(request, event, form, csrf_token=page_cache.hole("token"))


def _sign_up(request: HttpRequest, event: Event, **answers: Any) -> None:
    language = get_language() or settings.LANGUAGE_CODE
    done = signup.register(event, language=language, asked_from=rate_limits.origin(request), **answers)
    signed_up.remember(request, event, done, answers, was_full=done.was_full, at=time.time())


def _closed(request: HttpRequest, event: Event) -> HttpResponse:
    """The page shown in place of the form. It repeats the long texts that were typed, so that they can be copied."""
    texts = person_fields.names(lambda one: one.asked and one.asked.kind == Kind.LONG_TEXT)
    own_texts = [own.field_name for own in custom_questions.asked(event) if own.kind == EventQuestion.Kind.TEXT]
    typed = [text for name in [*texts, *own_texts] if (text := request.POST.get(name, ""))]
    heading = CLOSED.get(event.state, _("Registration is closed"))
    return render(request, "registrations/public/closed.html", {"event": event, "heading": heading, "typed": typed})


@require_safe
@private_page
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows only what this browser has just typed, so that nobody learns whether an address was known."""
    event = shown_event(slug)
    typed = signed_up.of(request, slug)
    more = {
        "may_correct": signed_up.may_correct(typed),
        "suggested_domain": email_typos.meant_domain(typed["answers"]["email"]) if typed else "",
        "may_enter": signed_up.may_enter(event, typed),
        "is_open": event.room_is_open and bool(event.connection_url),
    }
    response = HttpResponse(_thanks_page(request, event, typed, more))
    if more["may_enter"]:
        follow_the_room(response, event)
    return response


def _thanks_page(request: HttpRequest, event: Event, typed: dict[str, Any] | None, more: dict[str, Any]) -> str:
    if typed is None or more["suggested_domain"] or more["may_enter"]:
        context = {
            "event": event,
            "signed_up": typed and typed["answers"],
            **_thanks_words(event, typed, more),
            **more,
        }
        return render_to_string("registrations/public/thanks.html", context, request)
    page = _kept_thanks_page(request, event, typed, more)
    return page.filled(token=get_token(request), **{name: typed["answers"][name] for name in ("first_name", "email")})


def _kept_thanks_page(
    request: HttpRequest, event: Event, typed: dict[str, Any], more: dict[str, Any]
) -> page_cache.Page:
    """From the page cache: only the token, the first name and the address differ between visitors.

    Rendered each time, the page takes twice the CPU.
    """
    holes = {"first_name": page_cache.hole("first_name"), "email": page_cache.hole("email")}

    def make() -> str:
        words = _thanks_words(event, typed, more)
        context = {"event": event, "signed_up": holes, "csrf_token": page_cache.hole("token"), **words, **more}
        return render_to_string("registrations/public/thanks.html", context, request)

    sender = settings.DEFAULT_FROM_EMAIL
    key = page_cache.key_of(request, event, event.is_today, _state(typed), sender, *more.values())
    return page_cache.pages.get(key, make)


def _thanks_words(event: Event, typed: dict[str, Any] | None, more: dict[str, Any]) -> dict[str, Any]:
    sender, _address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    was_full, is_delayed, is_limited = _state(typed)
    words = thanks_words(
        event,
        was_full=was_full,
        is_delayed=is_delayed,
        is_limited=is_limited,
        may_enter=more["may_enter"],
        sender=sender or event.organiser_name,
    )
    if more["suggested_domain"] and not (is_delayed or is_limited):
        words["on_its_way"] = _("Your email leaves in two minutes, to")
    return words


def _state(typed: dict[str, Any] | None) -> tuple[bool, bool, bool]:
    """Whether the event was full, whether its mails are delayed, and whether those to this mailbox are limited."""
    told = typed or {}
    return told.get("was_full", False), told.get("is_delayed", False), told.get("is_limited", False)


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def correct_address(request: HttpRequest, slug: str) -> HttpResponse:
    """« Corriger mon adresse »: for the sign-up made in this browser within the last half hour."""
    event = get_object_or_404(Event.objects.published(), slug=slug)
    known = signed_up.of(request, slug)
    if known is None or not signed_up.may_correct(known):
        return redirect("resend", slug=slug)
    typed = known["answers"]["email"]
    form = AddressForm(request.POST or None, initial={"email": email_typos.with_meant_domain(typed)})
    wait = wait_of_form(request, form)
    if wait is None and request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if email.lower() != typed.lower():
            _move_sign_up(request, event, known, email)
        return see_other("thanks", slug=slug)
    context = {"event": event, "form": form, "typed": typed}
    return too_many(render(request, "registrations/public/correct_address.html", context), wait)


@transaction.atomic
def _move_sign_up(request: HttpRequest, event: Event, known: dict[str, Any], email: str) -> None:
    """The page says the same, whoever had this address and whatever became of the row meanwhile."""
    answers = {**known["answers"], "email": email}
    language = get_language() or settings.LANGUAGE_CODE
    asked_from = rate_limits.origin(request)
    done = corrections.correct_sign_up(
        event, known["registration"], language=language, asked_from=asked_from, **answers
    )
    signed_up.remember(request, event, done, answers, was_full=known.get("was_full"), at=known["at"])


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def resend(request: HttpRequest, slug: str) -> HttpResponse:
    """« Recevoir mon lien »: the page is the same for every address."""
    event = get_object_or_404(Event.objects.published(), slug=slug)
    form = AddressForm(request.POST or None)
    wait = wait_of_form(request, form)
    if wait is None and request.method == "POST" and form.is_valid():
        signup.resend(event, email=form.cleaned_data["email"])
        return see_other(f"{request.path}?{RESENT}")
    context = {"event": event, "form": form, "is_sent": RESENT in request.GET}
    return too_many(render(request, "registrations/public/resend.html", context), wait)


@require_safe
def public_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    from registrations.documents import (
        invitation,
    )  # imported here, so that a sign-up does not load the calendar library

    event = get_object_or_404(Event.objects.published().exclude(status=Event.Status.POSTPONED), slug=slug)
    return calendar_response(invitation.public_entry(event), "evenement.ics")
