"""Writing to the registrants: write, read it as three of them will, type how many they are, and two minutes to think.

What is written is kept as a draft, so that nothing is lost and the frames of the second page have something to show.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.clickjacking import xframe_options_sameorigin

from registrations.admin.messages.forms import CountForm, MessageForm
from registrations.admin.shared import confirmation
from registrations.admin.shared.jobs import carry_out
from registrations.admin_site import login
from registrations.domain import broadcasts
from registrations.mailing import placeholders
from registrations.models import Broadcast, Delivery, Event, Job, PeopleTally, Registration

PERMISSION = "registrations.write_to_registrants"
REVIEW_TEMPLATE = "admin/registrations/event/review_broadcast.html"
PROGRESS_TEMPLATE = "admin/registrations/event/broadcast_progress.html"
SEEN, TRIAL, TAKE_BACK, STOP = "seen", "trial", "take_back", "stop"  # names of fields
ENDED_BADLY = {"failed": [Delivery.State.FAILED], "dropped": [Delivery.State.CANCELLED, Delivery.State.EXPIRED]}
LETTERS = 3
NAMES_SHOWN = 50
MESSAGES_SHOWN = 10
LETTER_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


class Letter(NamedTuple):
    person: Registration
    title: str
    subject: str
    text: str
    address: str


class Broadcasts:
    """The link on an event's page, and the pages behind it."""

    admin_site: Any
    opts: Any
    log_change: Any

    def get_urls(self) -> list[URLPattern]:
        pages = [
            ("<int:pk>/write/", self.write, "write"),
            ("<int:pk>/write/<int:number>/", self.broadcast, "broadcast"),
            ("<int:pk>/write/<int:number>/correct/", self.correct_broadcast, "correct_broadcast"),
            ("<int:pk>/write/<int:number>/delete/", self.delete_broadcast, "delete_broadcast"),
            ("<int:pk>/write/<int:number>/letter/<int:person>/", self.letter, "letter"),
        ]
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [
            *(
                path(at, self.admin_site.admin_view(view), name=f"registrations_event_{name}")
                for at, view, name in pages
            ),
            *urls,
        ]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Event | None = None,
    ) -> HttpResponse:
        if obj and may_write(request):
            newest = obj.broadcasts.newest_first()[:MESSAGES_SHOWN]
            written = [(subject(one), one.get_state_display(), address("broadcast", one)) for one in newest]
            context = {**context, "may_write": has_readers(obj), "written": written}
        response: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)  # type: ignore[misc]
        return response

    # What is written

    def write(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_writer(request)
        event = get_object_or_404(Event, pk=pk)
        if not has_readers(event):
            messages.info(request, _("There is nobody to write to: the event is a draft, or nobody is on its list."))
            return HttpResponseRedirect(event_path(event))
        return self._form(request, Broadcast(event=event, created_by=int(request.user.pk or 0)))

    def correct_broadcast(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        require_writer(request)
        with transaction.atomic():
            broadcast = Broadcast.objects.locked(found(pk, number))
            return self._form(request, broadcast) if broadcasts.is_being_written(broadcast) else back_to(broadcast)

    def _form(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        form = MessageForm(request.POST if request.method == "POST" else None, instance=broadcast)
        if form.is_valid():
            return back_to(form.save())
        return confirmation.form_page(
            self,  # type: ignore[arg-type]
            request,
            form,
            title=_("Write to the people registered"),
            sentences=[_("Nothing is sent yet: the next page shows the message as it will arrive, and to how many.")],
            button=_("See what will be sent"),
            back=address("broadcast", broadcast) if broadcast.pk else event_path(broadcast.event),
            original=broadcast.event,
        )

    # What becomes of it

    def broadcast(self, request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
        require_writer(request)
        if request.method == "POST":
            with transaction.atomic():
                return self._answer(request, Broadcast.objects.locked(found(pk, number)))
        return self._answer(request, found(pk, number))

    def _answer(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponseBase:
        if TAKE_BACK in request.POST:
            return self._take_back(request, broadcast)
        if STOP in request.POST:
            return self._stop(request, broadcast)
        if not broadcasts.is_being_written(broadcast):
            return back_to(broadcast) if request.method == "POST" else self._progress(request, broadcast)
        return login.with_fresh_password(self._draft)(request, broadcast)

    def _draft(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        if TRIAL in request.POST:
            return self._try_out(request, broadcast)
        count = broadcasts.audience_size(broadcast)
        form = CountForm(request.POST if request.method == "POST" else None, count=count)
        if request.method != "POST" or not form.is_valid():
            return self._review(request, broadcast, form)
        if request.POST.get(SEEN) != fingerprint(broadcast):
            messages.warning(request, _("The message or the event has changed meanwhile: read it once more."))
            return self._review(request, broadcast, CountForm(count=count))
        return self._send(request, broadcast, count)

    def _send(self, request: HttpRequest, broadcast: Broadcast, count: int) -> HttpResponse:
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

    def _try_out(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        recipient = trial_address(request, broadcast.event)
        broadcasts.try_out(broadcast, recipient=recipient)
        messages.success(request, _("A trial is on its way to %(address)s.") % {"address": recipient})
        return back_to(broadcast)

    def _take_back(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        if broadcasts.take_back(broadcast):
            self.log_change(request, broadcast.event, _("Message taken back."))
            messages.success(request, _("Taken back: none of these mails leaves."))
        elif broadcast.is_draft:
            if reason := broadcasts.refusal(broadcast):
                sentence = _("There is nothing to take back: the message was not sent. %(reason)s")
                messages.warning(request, sentence % {"reason": reason})
        elif not broadcast.is_taken_back:
            messages.error(request, _("Too late: the mails are on their way."))
        return back_to(broadcast)

    def _stop(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        if confirmation.ANSWER not in request.POST:
            return self._question_before_stop(request, broadcast)
        count = broadcasts.stop(broadcast)
        if count is None:
            messages.warning(request, _("There was nothing left to stop."))
            return back_to(broadcast)
        self.log_change(request, broadcast.event, _("Message stopped."))
        words = ngettext("Stopped: %(count)s mail does not leave.", "Stopped: %(count)s mails do not leave.", count)
        messages.success(request, words % {"count": count})
        return back_to(broadcast)

    def _question_before_stop(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        progress = broadcasts.progress(broadcast)
        sentences = [
            ngettext("%(count)s mail has left already.", "%(count)s mails have left already.", progress["sent"])
            % {"count": progress["sent"]},
            _("What has not left will not leave, and says why. This cannot be undone."),
        ]
        count = progress["waiting"]
        button = ngettext("Stop %(count)s mail", "Stop %(count)s mails", count) % {"count": count}
        return confirmation.page(
            self,  # type: ignore[arg-type]
            request,
            title=_("Stop what remains"),
            sentences=sentences,
            button=button,
            hidden=[(STOP, "yes"), (confirmation.ANSWER, "yes")],
            back=address("broadcast", broadcast),
            original=broadcast.event,
        )

    def delete_broadcast(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        require_writer(request)
        broadcast = found(pk, number)
        if not broadcasts.is_being_written(broadcast):
            messages.error(request, _("This message was confirmed: it stays, with what became of it."))
            return back_to(broadcast)
        if confirmation.ANSWER not in request.POST:
            return confirmation.page(
                self,  # type: ignore[arg-type]
                request,
                title=_("Delete the draft"),
                sentences=[subject(broadcast), _("Nothing of it was sent to the people registered.")],
                button=_("Delete the draft"),
                hidden=[(confirmation.ANSWER, "yes")],
                back=address("broadcast", broadcast),
                original=broadcast.event,
            )
        if not broadcasts.discard(broadcast):
            return back_to(broadcast)
        self.log_change(request, broadcast.event, _("Draft of a message deleted."))
        messages.success(request, _("The draft is deleted."))
        return HttpResponseRedirect(event_path(broadcast.event))

    def _review(self, request: HttpRequest, broadcast: Broadcast, form: CountForm) -> HttpResponse:
        response = confirmation.page(
            self,  # type: ignore[arg-type]
            request,
            template=REVIEW_TEMPLATE,
            title=_("Read the message before it leaves"),
            original=broadcast.event,
            broadcast=broadcast,
            facts=list(facts(broadcast)),
            letters=list(letters(broadcast)),
            form=form,
            seen=fingerprint(broadcast),
            trial_address=trial_address(request, broadcast.event),
            correct=address("correct_broadcast", broadcast),
            delete=address("delete_broadcast", broadcast),
        )
        response._csp_config = {**settings.SECURE_CSP, "frame-src": ["'self'"]}  # type: ignore[attr-defined]
        return response

    def _progress(self, request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
        mails = broadcast.deliveries.filter(kind=Delivery.Kind.BROADCAST)
        progress = broadcasts.progress(broadcast)
        waiting = progress["waiting"] if broadcast.is_under_way else 0
        badly = [state for outcome, states in ENDED_BADLY.items() if progress[outcome] for state in states]
        ended_badly = mails.filter(state__in=badly).exclude(error="")
        return confirmation.page(
            self,  # type: ignore[arg-type]
            request,
            template=PROGRESS_TEMPLATE,
            title=subject(broadcast),
            original=broadcast.event,
            broadcast=broadcast,
            asked=broadcasts.asked(broadcast).first() if broadcast.is_draft else None,
            facts=list(facts(broadcast)),
            figures=list(figures(request, broadcast, progress)),
            not_sent=ended_badly.select_related("registration").order_by("-state", "pk")[:NAMES_SHOWN],
            not_sent_shown=NAMES_SHOWN,
            waiting=waiting,
            leaves_at=broadcast.leaves_at and clock(broadcast.leaves_at),
            back=event_path(broadcast.event),
        )

    def letter(self, request: HttpRequest, pk: int, number: int, person: int) -> HttpResponse:
        """The HTML of the mail to one of those whom it is for, to stand in a frame that may do nothing."""
        require_writer(request)
        broadcast = found(pk, number)
        reader = get_object_or_404(broadcast.recipients(), pk=person)
        return xframe_options_sameorigin(framed)(request, html_of(broadcast, reader))


def may_write(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


def require_writer(request: HttpRequest) -> None:
    if not may_write(request):
        raise PermissionDenied


def has_readers(event: Event) -> bool:
    return event.status != Event.Status.DRAFT and event.registrations.on_the_list().exists()


def event_path(event: Event) -> str:
    return reverse("admin:registrations_event_change", args=[event.pk])


def found(pk: int, number: int) -> Broadcast:
    return get_object_or_404(Broadcast.objects.select_related("event"), pk=number, event=pk)


def address(page: str, broadcast: Broadcast, *args: int) -> str:
    return reverse(f"admin:registrations_event_{page}", args=[broadcast.event.pk, broadcast.pk, *args])


def subject(broadcast: Broadcast) -> str:
    """As it is read: what stands in braces is filled in."""
    return placeholders.filled(broadcast.subject, placeholders.plain_values(broadcast.event))


def back_to(broadcast: Broadcast) -> HttpResponseRedirect:
    return HttpResponseRedirect(address("broadcast", broadcast))


def trial_address(request: HttpRequest, event: Event) -> str:
    """To who writes; an account without an address has the contact's."""
    return str(getattr(request.user, "email", "")) or event.contact_email


def clock(moment: Any) -> str:
    return formats.date_format(timezone.localtime(moment), pgettext("time of day", "H:i"))


def fingerprint(broadcast: Broadcast) -> str:
    """Of what the second page shows: different as soon as someone has changed it."""
    event = broadcast.event
    written = (broadcast.audience, broadcast.territory, broadcast.newsletter_only, broadcast.subject, broadcast.body)
    seen = (*written, event.title, event.starts_at, event.status)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def facts(broadcast: Broadcast) -> Iterator[tuple[str, str]]:
    yield _("To whom"), broadcast.get_audience_display()
    if broadcast.territory:
        yield _("Only of this territory"), broadcast.territory
    if broadcast.newsletter_only:
        yield _("Newsletter"), _("only who asked for it")


def readers(broadcast: Broadcast) -> list[Registration]:
    """One of each language first, then the latest on the list: an index ends with them."""
    people = broadcast.recipients().order_by("-created_at")
    spoken = {code for code, _total in PeopleTally.objects.of(broadcast.event).totals("language")}
    of_languages = [people.filter(language=code).first() for code, _name in settings.LANGUAGES if code in spoken]
    chosen = {person.pk: person for person in [*filter(None, of_languages), *people[:LETTERS]]}
    return list(chosen.values())[:LETTERS]


def letters(broadcast: Broadcast) -> Iterator[Letter]:
    """As they will arrive, but for the personal links: who writes need not hold other people’s keys."""
    for person in readers(broadcast):
        message = composed(broadcast, person)
        title = f"{person} ({person.get_language_display()})"
        frame = address("letter", broadcast, person.pk)
        yield Letter(person, title, str(message.subject), str(message.body), frame)


def composed(broadcast: Broadcast, person: Registration) -> Any:
    from registrations.mailing import composer  # here, as in event_changes

    person.event, person.join_code, person.manage_code = broadcast.event, "", ""
    return composer.compose(Delivery(registration=person, kind=Delivery.Kind.BROADCAST, broadcast=broadcast))


def html_of(broadcast: Broadcast, person: Registration) -> str:
    parts = composed(broadcast, person).alternatives
    html = next((str(content) for content, mimetype in parts if mimetype == "text/html"), None)
    if html is None:
        raise Http404
    return html.replace("<head>", '<head><base target="_blank">', 1)  # a link opens nothing: the sandbox forbids it


def framed(request: HttpRequest, html: str) -> HttpResponse:
    response = HttpResponse(html)
    response["Content-Security-Policy"] = LETTER_CSP
    return response


class Figure(NamedTuple):
    label: str
    number: int
    address: str


def figures(request: HttpRequest, broadcast: Broadcast, progress: dict[str, int]) -> Iterator[Figure]:
    """Each with the list of its mails, for who may see them."""
    queries = {
        "waiting": (_("To be sent"), {"state__in": "pending,sending"}),
        "sent": (_("Sent"), {"state__exact": "sent"}),
        "failed": (_("Failed"), {"state__exact": "failed"}),
        "dropped": (_("Not sent"), {"state__in": "cancelled,expired"}),
        "returned": (_("Came back or reported as unwanted"), {"provider_status__in": "bounced,complained"}),
    }
    sees_mails = request.user.has_perm("registrations.view_delivery")
    for name, (label, query) in queries.items():
        of_broadcast = {"broadcast__id__exact": broadcast.pk, "kind__exact": Delivery.Kind.BROADCAST.value, **query}
        mails = f"{reverse('admin:registrations_delivery_changelist')}?{urlencode(of_broadcast)}"
        yield Figure(label, progress[name], mails if sees_mails else "")
