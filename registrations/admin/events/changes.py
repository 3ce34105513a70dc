"""The pages for a change of an event that registrants are told of: form, preview of the mail, then the change."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registrations.admin.events.change_forms import FORMS, PostponeForm
from registrations.admin.shared import confirmation
from registrations.admin.shared.jobs import carry_out
from registrations.admin_site.pages import AdminPage
from registrations.domain import event_changes
from registrations.mailing import first_mails
from registrations.mailing.failures import NotComposed, in_words
from registrations.models import Delivery, Event, Job, Registration
from registrations.text import dates

Reason, Status = Delivery.Reason, Event.Status
TEMPLATE = "admin/registrations/event/confirm_change.html"
SEEN = "seen"
CORRECT = "correct"
NOT_TYPED = {"csrfmiddlewaretoken", confirmation.ANSWER, SEEN, CORRECT}


def possible(event: Event, *, listed: int) -> list[tuple[str, str]]:
    """(title, address) of the changes that are possible now; empty while no one would have to be told."""
    if not event_changes.must_be_announced(event, listed=listed):
        return []
    forms_for_it = [form for form in FORMS if event.status in form.possible_from]
    return [(form.title_for(event), address(form, event)) for form in forms_for_it]


def address(form: type[PostponeForm], event: Event) -> str:
    return reverse(f"admin:registrations_event_{form.slug}", args=[event.pk])


def change(request: HttpRequest, pk: int, *, form_class: type[PostponeForm]) -> HttpResponse:
    """Three steps: the form, the page that shows what will be sent, and the change. Only the last one saves.

    All hours are read and shown in the event's time zone.
    """
    event = get_object_or_404(Event, pk=pk)
    with timezone.override(event.zone):
        response = _locked_answer(request, event, form_class)
        return response.render() if isinstance(response, TemplateResponse) else response


def _locked_answer(request: HttpRequest, event: Event, form_class: type[PostponeForm]) -> HttpResponse:
    if confirmation.ANSWER in request.POST and CORRECT not in request.POST:
        with transaction.atomic():
            return _answer(request, Event.objects.locked(event), form_class)
    return _answer(request, event, form_class)


def _answer(request: HttpRequest, event: Event, form_class: type[PostponeForm]) -> HttpResponse:
    if not event_changes.must_be_announced(event) or event.status not in form_class.possible_from:
        messages.info(request, _("There is nothing to do: the event is “%(status)s”.") % _status(event))
        return _back_to(event)
    form = form_class(event, request.POST if request.method == "POST" else None)
    if CORRECT in request.POST or not form.is_valid():
        return _form(request, form)
    if form.changes_nothing:
        messages.info(request, _("Date, hour and note are those that were announced already: nobody is told."))
        answered = confirmation.ANSWER in request.POST
        return _back_to(event) if answered else _form(request, form)
    if request.POST.get(SEEN) != fingerprint(event):
        messages.warning(
            request,
            _("Someone has changed this event in the meantime. It is now: %(now)s. Nobody was told by you yet.")
            % _now(event),
        )
        return _form(request, form)
    return _confirmed(request, form) if confirmation.ANSWER in request.POST else _question(request, form)


def _confirmed(request: HttpRequest, form: PostponeForm) -> HttpResponse:
    typed = {name: value for name, value in request.POST.items() if name not in NOT_TYPED}
    job = Job(
        kind=Job.Kind.CHANGE,
        title=form.title_for(form.event),
        event=form.event,
        permission="registrations.change_event",
        total=event_changes.concerned(form.event, form.reason).count(),
        parameters={"form": form.slug, "typed": typed, "seen": request.POST[SEEN]},
    )
    return carry_out(request, job, then=_back_to(form.event).url)


def fingerprint(event: Event) -> str:
    """A digest of the fields that these pages change: it differs once someone else has changed one."""
    seen = (
        event.status,
        event.starts_at,
        event.ends_at,
        event.connection_notes,
        event.connection_notes_en,
        event.organiser_words,
        event.organiser_words_en,
        event.sequence,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def _form(request: HttpRequest, form: PostponeForm) -> HttpResponse:
    return confirmation.form_page(
        request,
        Event,
        form,
        title=form.title_for(form.event),
        sentences=list(_explanations(form)),
        hidden=[(SEEN, fingerprint(form.event))],
        button=_("See what will be sent"),
        back=_path(form.event),
        original=form.event,
    )


def _explanations(form: PostponeForm) -> Iterator[str]:
    yield _("Announced so far: %(now)s.") % _now(form.event)
    yield _("Nothing is sent yet: the next page shows the mail and who receives it.")


def _question(request: HttpRequest, form: PostponeForm) -> HttpResponse:
    seats, waiting = _told_by_status(form)
    typed = [(name, value) for name, value in request.POST.items() if name not in NOT_TYPED]
    return confirmation.page(
        request,
        Event,
        template=TEMPLATE,
        title=form.title_for(form.event),
        differences=list(differences(form.event, form.changed())),
        told=_told(seats, waiting),
        consequences=list(consequences(form, seats)),
        letters=list(letters(form)),
        hidden=[(confirmation.ANSWER, "yes"), (SEEN, fingerprint(form.event)), *typed],
        button=_button(seats + waiting),
        back=_path(form.event),
        original=form.event,
    )


def _told_by_status(form: PostponeForm) -> tuple[int, int]:
    people = form.event.registrations.without_dry_runs()
    waiting = 0 if form.reason == Reason.NOTES else people.on_waiting_list().count()
    return people.seated().count(), waiting


class Difference(NamedTuple):
    label: str
    before: str
    after: str


def differences(before: Event, after: Event) -> Iterator[Difference]:
    pairs = [
        (_("State"), before.get_status_display(), after.get_status_display()),
        (_("Date"), _date(before), _date(after)),
        (_("Note on the connection"), before.connection_notes, after.connection_notes),
        (_("Note on the connection, in English"), before.connection_notes_en, after.connection_notes_en),
        (_("Your words"), before.organiser_words, after.organiser_words),
        (_("Your words in English"), before.organiser_words_en, after.organiser_words_en),
    ]
    for label, old, new in pairs:
        if old != new:
            yield Difference(label, old or _("none"), new or _("none"))


def consequences(form: PostponeForm, seats: int) -> Iterator[str]:
    """What the change does besides the mail."""
    after, note_alone = form.changed(), form.reason == Reason.NOTES
    if after.status != Status.PUBLISHED:
        yield _("Calendars: the mail takes the entry out of the calendar of whoever has a seat.")
        yield _("Reminders: none leaves any more.")
        yield _("Sign-up: the form is closed.")
        return
    if note_alone:
        yield _("Calendars and reminders: nothing changes.")
        return
    if seats:
        yield _("Calendars: the mail brings the entry up to date for whoever has a seat; nobody has anything to do.")
    yield from _first_mails(form)
    yield from _reminders(after)
    if after.registration_closes_at:
        closing = {
            "day": dates.day(after.registration_closes_at, after),
            "hour": dates.hour(after.registration_closes_at, after),
        }
        yield (
            _("Sign-up closes on %(day)s at %(hour)s, as before: change it in the event’s form if need be.") % closing
        )


def _first_mails(form: PostponeForm) -> Iterator[str]:
    people = event_changes.concerned(form.event, form.reason)
    if form.reason == Reason.REOPENED and (count := first_mails.missing(people).count()):
        sentence = ngettext(
            "%(count)s person has not had the first mail (with a seat: link, invitation, document): it leaves in "
            "place of this one.",
            "%(count)s people have not had the first mail (with a seat: link, invitation, document): it leaves in "
            "place of this one.",
            count,
        )
        yield sentence % {"count": count}


def _reminders(event: Event) -> Iterator[str]:
    for moment in (event.reminder_day_at, event.reminder_hour_at):
        if moment is None:
            continue
        words = {"day": dates.day(moment, event), "hour": dates.hour(moment, event)}
        if moment > timezone.now():
            yield _("Reminder: it leaves on %(day)s at %(hour)s.") % words
        else:
            yield _("Reminder of %(day)s at %(hour)s: its hour has passed, it does not leave.") % words


class Letter(NamedTuple):
    title: str
    subject: str
    body: str


def letters(form: PostponeForm) -> Iterator[Letter]:
    """The mail as it will be sent to the latest registrant of each status and language, whom an index finds fast."""
    titles = {
        (Registration.Status.CONFIRMED, "fr"): _("To people with a seat"),
        (Registration.Status.CONFIRMED, "en"): _("To people with a seat, in English"),
        (Registration.Status.WAITLISTED, "fr"): _("To people on the waiting list"),
        (Registration.Status.WAITLISTED, "en"): _("To people on the waiting list, in English"),
    }
    there = form.event.registrations.without_dry_runs().order_by().values_list("status", "language").distinct()
    found = set(there)
    for (status, language), title in titles.items():
        if (status, language) not in found:
            continue
        people = event_changes.concerned(form.event, form.reason).filter(status=status, language=language)
        if registration := people.order_by("-created_at").first():
            registration.event = form.changed()
            yield _letter(title, Delivery(registration=registration, kind=form.kind, reason=form.reason))


def _letter(title: str, delivery: Delivery) -> Letter:
    from registrations.mailing import composer  # here: every web process loads the admin, but should not load this

    try:
        message = composer.compose(delivery)
    except NotComposed as error:
        return Letter(title, "", in_words(error))
    return Letter(title, str(message.subject), str(message.body))


def _date(event: Event) -> str:
    return _("new date not known yet") if event.status == Status.POSTPONED else dates.when(event)


def _told(seats: int, waiting: int) -> str:
    with_seat = ngettext("%(count)s person with a seat", "%(count)s people with a seat", seats) % {"count": seats}
    without_seat = ngettext("%(count)s on the waiting list", "%(count)s on the waiting list", waiting) % {
        "count": waiting
    }
    return f"{with_seat}, {without_seat}" if waiting else with_seat


def _button(count: int) -> str:
    if not count:
        return _("Save; nobody is told")
    return ngettext("Save and tell %(count)s person", "Save and tell %(count)s people", count) % {"count": count}


def _status(event: Event) -> dict[str, str]:
    return {"status": str(event.get_status_display())}


def _now(event: Event) -> dict[str, str]:
    return {"now": f"{event.get_status_display().lower()}, {_date(event)}"}


def _path(event: Event) -> str:
    return reverse("admin:registrations_event_change", args=[event.pk])


def _back_to(event: Event) -> HttpResponseRedirect:
    return HttpResponseRedirect(_path(event))


PAGES = [
    AdminPage(
        f"<int:pk>/{form.slug}/",
        partial(change, form_class=form),
        name=form.slug,
        permissions=("registrations.change_event",),
    )
    for form in FORMS
]
