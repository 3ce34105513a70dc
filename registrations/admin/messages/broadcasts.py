"""The pages to write to the registrants: write, read the mail, type the number of people, then two minutes to stop it.

What is written is saved as a draft, so that nothing is lost and the second page can show it.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.clickjacking import xframe_options_sameorigin

from registrations.admin.messages import planned
from registrations.admin.messages.forms import CountForm, MessageForm
from registrations.admin.messages.review import (
    address,
    chosen_names,
    facts,
    figures,
    fingerprint,
    html_of,
    letters,
    subject,
)
from registrations.admin.shared import confirmation
from registrations.admin.shared.jobs import carry_out
from registrations.admin.shared.mistakes import mistakes
from registrations.admin.shared.model_admin import log_change
from registrations.admin_site import login
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import broadcasts
from registrations.models import Broadcast, Delivery, Event, Job, Registration
from registrations.models.registration import RegistrationQuerySet
from registrations.views import reading

PERMISSION = "registrations.write_to_registrants"
REVIEW_TEMPLATE = "admin/registrations/event/review_broadcast.html"
PROGRESS_TEMPLATE = "admin/registrations/event/broadcast_progress.html"
SEEN, TRIAL, TAKE_BACK, STOP, WRITE_AGAIN = "seen", "trial", "take_back", "stop", "write_again"  # names of fields
ENDED_BADLY = {"failed": [Delivery.State.FAILED], "dropped": [Delivery.State.CANCELLED, Delivery.State.EXPIRED]}
NAMES_SHOWN = 50
TO = "to"  # name in the address: a person
MESSAGES_SHOWN = 10
LETTER_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


def write(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    if not has_readers(event):
        messages.info(request, _("There is nobody to write to: the event is a draft, or nobody is on its list."))
        return HttpResponseRedirect(event_path(event))
    chosen = _named_in_address(request, event)
    broadcast = Broadcast(event=event, created_by=int(request.user.pk or 0), **planned.words_of_earlier(request))
    broadcast.audience = Broadcast.Audience.CHOSEN if chosen else ""
    return _form(request, broadcast, chosen=chosen)


def _named_in_address(request: HttpRequest, event: Event) -> RegistrationQuerySet | None:
    """The person to whom the page of a person leads, if they are on the list."""
    asked = request.GET.get(TO, "")
    if not (asked.isdecimal() and len(asked) < 19):
        return None
    found = event.registrations.without_dry_runs().not_cancelled().filter(pk=asked)
    if not found:
        messages.warning(request, _("This person is not on the list any more: choose to whom you write."))
    return found or None


def correct_broadcast(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    with transaction.atomic():
        broadcast = Broadcast.objects.locked(found(pk, number))
        return _form(request, broadcast) if broadcasts.is_being_written(broadcast) else back_to(broadcast)


def _form(request: HttpRequest, broadcast: Broadcast, *, chosen: RegistrationQuerySet | None = None) -> HttpResponse:
    is_new = broadcast.pk is None
    form = MessageForm(request.POST if request.method == "POST" else None, instance=broadcast, chosen=chosen)
    if form.is_valid():
        return back_to(form.save())
    return confirmation.form_page(
        request,
        Event,
        form,
        title=_("Write to the people registered"),
        sentences=[_("Nothing is sent yet: the next page shows the message as it will arrive, and to how many.")],
        button=_("See what will be sent"),
        template="admin/write.html",
        adminform=AdminForm(form, form.fieldsets(), {}, model_admin=admin.site.get_model_admin(Event)),
        earlier=planned.earlier(request) if is_new else [],
        chosen=list(chosen_names(*form.first_chosen)),
        mistakes=mistakes(form),
        kept_address=f"&{TO}={chosen.get().pk}" if chosen else "",
        people=list_path(Registration, event__id__exact=broadcast.event.pk),
        delete="" if is_new else address("delete_broadcast", broadcast),
        back=event_path(broadcast.event) if is_new or broadcast.is_unwritten else address("broadcast", broadcast),
        original=broadcast.event,
    )


def broadcast_page(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    if request.method == "POST":
        with transaction.atomic():
            return _answer(request, Broadcast.objects.locked(found(pk, number)))
    return _answer(request, found(pk, number))


def _answer(request: HttpRequest, broadcast: Broadcast) -> HttpResponseBase:
    if TAKE_BACK in request.POST:
        return _take_back(request, broadcast)
    if STOP in request.POST:
        return _stop(request, broadcast)
    if WRITE_AGAIN in request.POST and broadcast.may_start_another:
        draft = broadcasts.write_again(broadcast, account=int(request.user.pk or 0))
        return HttpResponseRedirect(address("correct_broadcast", draft))
    if broadcast.is_unwritten:
        return HttpResponseRedirect(address("correct_broadcast", broadcast))
    if not broadcasts.is_being_written(broadcast):
        return back_to(broadcast) if request.method == "POST" else _progress(request, broadcast)
    return login.with_fresh_password(_draft)(request, broadcast)


def _draft(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    if TRIAL in request.POST:
        return _send_trial(request, broadcast)
    count = broadcast.recipients().count()
    form = CountForm(request.POST if request.method == "POST" else None, count=count)
    if request.method != "POST" or not form.is_valid():
        return _review(request, broadcast, form)
    if request.POST.get(SEEN) != fingerprint(broadcast):
        messages.warning(request, _("The message or the event has changed meanwhile: read it once more."))
        return _review(request, broadcast, CountForm(count=count))
    return _send(request, broadcast, count)


def _send(request: HttpRequest, broadcast: Broadcast, count: int) -> HttpResponse:
    job = Job(
        kind=Job.Kind.MESSAGE,
        title=broadcast.subject,
        event=broadcast.event,
        permission=PERMISSION,
        total=count,
        parameters={"broadcast": broadcast.pk, "seen": fingerprint(broadcast)},
        detail={"broadcast": broadcast.pk},
    )
    return carry_out(request, job, then=address("broadcast", broadcast))


def _send_trial(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    recipient = trial_address(request, broadcast.event)
    broadcasts.try_out(broadcast, recipient=recipient)
    messages.success(request, _("A trial is on its way to %(address)s.") % {"address": recipient})
    return back_to(broadcast)


def _take_back(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    if broadcast.is_planned and broadcasts.take_back(broadcast):
        log_change(request, broadcast.event, _("Message taken back."))
        messages.success(request, _("Taken back: the message is a draft again, and leaves at no hour."))
    elif broadcasts.take_back(broadcast):
        log_change(request, broadcast.event, _("Message taken back."))
        messages.success(request, _("Taken back: none of these mails leaves."))
    elif broadcast.is_draft:
        if reason := broadcasts.refusal(broadcast):
            sentence = _("There is nothing to take back: the message was not sent. %(reason)s")
            messages.warning(request, sentence % {"reason": reason})
    elif not broadcast.is_taken_back:
        messages.error(request, _("Too late: the mails are on their way."))
    return back_to(broadcast)


def _stop(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    if confirmation.ANSWER not in request.POST:
        return _question_before_stop(request, broadcast)
    count = broadcasts.stop(broadcast)
    if count is None:
        messages.warning(request, _("There was nothing left to stop."))
        return back_to(broadcast)
    log_change(request, broadcast.event, _("Message stopped."))
    words = ngettext("Stopped: %(count)s mail does not leave.", "Stopped: %(count)s mails do not leave.", count)
    messages.success(request, words % {"count": count})
    return back_to(broadcast)


def _question_before_stop(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    progress = broadcasts.progress(broadcast)
    sentences = [
        ngettext("%(count)s mail has left already.", "%(count)s mails have left already.", progress["sent"])
        % {"count": progress["sent"]},
        _("What has not left will not leave, and says why. This cannot be undone."),
    ]
    count = progress["waiting"]
    button = ngettext("Stop %(count)s mail", "Stop %(count)s mails", count) % {"count": count}
    return confirmation.page(
        request,
        Event,
        title=_("Stop what remains"),
        sentences=sentences,
        button=button,
        hidden=[(STOP, "yes"), (confirmation.ANSWER, "yes")],
        back=address("broadcast", broadcast),
        original=broadcast.event,
    )


def delete_broadcast(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    broadcast = found(pk, number)
    if not broadcasts.is_being_written(broadcast):
        messages.error(request, _("This message was confirmed: it stays, with what became of it."))
        return back_to(broadcast)
    if confirmation.ANSWER not in request.POST:
        return confirmation.page(
            request,
            Event,
            title=_("Delete the draft"),
            sentences=[subject(broadcast), _("Nothing of it was sent to the people registered.")],
            button=_("Delete the draft"),
            hidden=[(confirmation.ANSWER, "yes")],
            back=address("broadcast", broadcast),
            original=broadcast.event,
        )
    if not broadcasts.discard(broadcast):
        return back_to(broadcast)
    log_change(request, broadcast.event, _("Draft of a message deleted."))
    messages.success(request, _("The draft is deleted."))
    return HttpResponseRedirect(event_path(broadcast.event))


def _review(request: HttpRequest, broadcast: Broadcast, form: CountForm) -> HttpResponse:
    response = confirmation.page(
        request,
        Event,
        template=REVIEW_TEMPLATE,
        title=_("Read the message before it leaves"),
        original=broadcast.event,
        broadcast=broadcast,
        facts=list(facts(broadcast)),
        letters=list(letters(broadcast)),
        form=form,
        plan=address("plan", broadcast),
        seen=fingerprint(broadcast),
        trial_address=trial_address(request, broadcast.event),
        correct=address("correct_broadcast", broadcast),
        delete=address("delete_broadcast", broadcast),
    )
    return reading.allow_frame(response)


def _progress(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    mails = broadcast.deliveries.filter(kind=Delivery.Kind.BROADCAST)
    progress = broadcasts.progress(broadcast)
    waiting = progress["waiting"] if broadcast.is_under_way else 0
    badly = [state for outcome, states in ENDED_BADLY.items() if progress[outcome] for state in states]
    ended_badly = mails.filter(state__in=badly).exclude(error="")
    return confirmation.page(
        request,
        Event,
        template=PROGRESS_TEMPLATE,
        title=subject(broadcast),
        original=broadcast.event,
        broadcast=broadcast,
        pending_job=broadcasts.pending_job(broadcast).first() if broadcast.is_draft else None,
        facts=list(facts(broadcast)),
        figures=list(figures(request, broadcast, progress)),
        not_sent=ended_badly.select_related("registration").order_by("-state", "pk")[:NAMES_SHOWN],
        not_sent_shown=NAMES_SHOWN,
        waiting=waiting,
        leaves_at=broadcast.leaves_at and _clock(broadcast.leaves_at),
        planned_in_words=planned.in_words(broadcast) if broadcast.is_planned else "",
        plan=address("plan", broadcast),
        back=event_path(broadcast.event),
    )


def plan(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    broadcast = found(pk, number)
    return back_to(broadcast) if broadcast.is_unwritten else planned.plan_page(request, broadcast)


def letter_page(request: HttpRequest, pk: int, number: int, person: int) -> HttpResponse:
    """The HTML of the mail to one of its recipients, for a frame in which scripts and forms are forbidden."""
    broadcast = found(pk, number)
    reader = get_object_or_404(broadcast.recipients(), pk=person)
    return xframe_options_sameorigin(frame_response)(request, html_of(broadcast, reader))


def frame_response(request: HttpRequest, html: str) -> HttpResponse:
    response = HttpResponse(html)
    response["Content-Security-Policy"] = LETTER_CSP
    return response


def may_write(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


def require_writer(request: HttpRequest) -> None:
    if not may_write(request):
        raise PermissionDenied


def has_readers(event: Event) -> bool:
    return event.status != Event.Status.DRAFT and event.registrations.without_dry_runs().not_cancelled().exists()


def event_path(event: Event) -> str:
    return reverse("admin:registrations_event_change", args=[event.pk])


def found(pk: int, number: int) -> Broadcast:
    return get_object_or_404(Broadcast.objects.select_related("event"), pk=number, event=pk)


def back_to(broadcast: Broadcast) -> HttpResponseRedirect:
    return HttpResponseRedirect(address("broadcast", broadcast))


def trial_address(request: HttpRequest, event: Event) -> str:
    """The address of the account; the contact address of the event when the account has none."""
    return str(getattr(request.user, "email", "")) or event.contact_email


def _clock(moment: Any) -> str:
    return formats.date_format(timezone.localtime(moment), pgettext("time of day", "H:i"))


MAY_WRITE = (PERMISSION,)
PAGES = [
    AdminPage("<int:pk>/write/", write, name="write", permissions=MAY_WRITE),
    AdminPage("<int:pk>/write/<int:number>/", broadcast_page, name="broadcast", permissions=MAY_WRITE),
    AdminPage(
        "<int:pk>/write/<int:number>/correct/", correct_broadcast, name="correct_broadcast", permissions=MAY_WRITE
    ),
    AdminPage(
        "<int:pk>/write/<int:number>/plan/", plan, name="plan", permissions=MAY_WRITE, needs_fresh_password=True
    ),
    AdminPage("<int:pk>/write/<int:number>/delete/", delete_broadcast, name="delete_broadcast", permissions=MAY_WRITE),
    AdminPage("<int:pk>/write/<int:number>/letter/<int:person>/", letter_page, name="letter", permissions=MAY_WRITE),
]
