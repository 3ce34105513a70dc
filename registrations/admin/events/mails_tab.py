"""All about the mails of an event: those that need somebody, the next ones, messages, automatic ones."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, Subquery, Window
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from registrations.admin.events import mail_words
from registrations.admin.mails.one_mail import CHANGE, WRITE
from registrations.admin.messages import broadcasts
from registrations.admin.messages.review import address, subject
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import failed_mails
from registrations.mailing import upcoming
from registrations.models import Broadcast, Delivery, Event, unresolved_mails
from registrations.models.mail_kinds import AUTOMATIC, OWN_WORDS, Kind, by_moment
from registrations.text import desk_words

TO_SEE_SHOWN = 6
State, Told = Delivery.State, Delivery.ProviderStatus
LOOKS = {
    State.FAILED: desk_words.Badge("error", pgettext_lazy("mail", "Not delivered")),
    State.HELD: desk_words.Badge("notice", gettext_lazy("Held back")),
    State.BROKEN: desk_words.Badge("error", gettext_lazy("Cannot be composed")),
}
RETURNED = desk_words.Badge("error", pgettext_lazy("mail", "Came back"))
UNWANTED = desk_words.Badge("error", gettext_lazy("Reported as unwanted"))


class ToSee(NamedTuple):
    """One mail that needs somebody, and what this account may do about it."""

    mail: Delivery
    badge: desk_words.Badge
    reason: str
    may_correct: bool
    may_send: bool


class Message(NamedTuple):
    broadcast: Any
    subject: str
    at: datetime
    path: str


class Automatic(NamedTuple):
    """One kind of mail. `line`: its hour, where it has one."""

    kind: Kind
    line: upcoming.Line | None
    figures: list[str]
    list: str
    words: str  # its page, where it may be written in one's own words
    preview: str


def mails_tab(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    mails, may = upcoming.mails_of(event), request.user.has_perm
    to_see, number = _to_see(request, event)
    messages = _messages(event) if broadcasts.may_write(request) else []
    return model_admin.page(
        request,
        Event,
        "admin/event_mails.html",
        title="",
        subtitle=_("Mails"),
        event=event,
        to_see=number,
        cards=to_see,
        next=_next(mails.lines, [one for one in messages if one.broadcast.is_planned]),
        notes=list(upcoming.notes(event)),
        messages_written=[one for one in messages if not one.broadcast.is_planned],
        groups=[(moment, _automatic(event, kinds, mails)) for moment, kinds in by_moment(AUTOMATIC)],
        all_mails=list_path(Delivery, event__id__exact=event.pk),
        all_to_see=list_path(Delivery, event__id__exact=event.pk, look="all"),
        may_write=broadcasts.may_write(request) and broadcasts.has_readers(event),
        may_word=may("registrations.change_event") and may("registrations.view_registration"),
    )


def _to_see(request: HttpRequest, event: Event) -> tuple[list[ToSee], int]:
    """The latest of them, and how many there are."""
    found = unresolved_mails.to_see(Delivery.objects.filter(event=event)).annotate(total=Window(Count("*")))
    shown: list[Any] = list(found.select_related("registration", "event").order_by("-pk")[:TO_SEE_SHOWN])
    return [_card(request, mail) for mail in shown], shown[0].total if shown else 0


def _card(request: HttpRequest, mail: Delivery) -> ToSee:
    may, person = request.user.has_perm, mail.registration
    if person and mail.event:
        person.event = mail.event
    returned = {Told.BOUNCED: RETURNED, Told.COMPLAINED: UNWANTED}.get(Told(mail.provider_status or Told.QUEUED))
    badge = returned or LOOKS[State(mail.state)]
    may_send = mail.ended_badly and may(WRITE)
    can_correct = person is not None and failed_mails.may_be_corrected(person) and not mail.recipient
    reason = str(Told(mail.provider_status).label) if returned else mail.error
    return ToSee(mail, badge, reason, may_send and can_correct and may(CHANGE), may_send)


def _messages(event: Event) -> list[Message]:
    author = User.objects.filter(pk=OuterRef("created_by"))
    names = {"author": Subquery(author.values("first_name")[:1]), "account": Subquery(author.values("username")[:1])}
    written = event.broadcasts.newest_first().annotate(**names).select_related("answered_question")
    planned = written.filter(state=Broadcast.State.PLANNED)
    newest = written.exclude(state=Broadcast.State.PLANNED)[: broadcasts.MESSAGES_SHOWN]
    return [
        Message(one, subject(one), one.leaves_at or one.created_at, address("broadcast", one))
        for one in [*planned, *newest]
    ]


def _next(lines: list[upcoming.Line], planned: list[Message]) -> list[Any]:
    """Mails and messages whose hour is to come, in the order of time."""
    to_come = [line for line in lines if line.send_at and not line.has_passed]
    return sorted([*to_come, *planned], key=_hour)


def _hour(one: Any) -> datetime:
    hour: datetime | None = one.at if isinstance(one, Message) else one.send_at
    return hour or datetime.max.replace(tzinfo=UTC)


def _automatic(event: Event, kinds: list[Kind], mails: upcoming.MailsOfEvent) -> list[Automatic]:
    scheduled = {line.kind: line for line in mails.lines if line.is_scheduled}
    return [
        Automatic(
            kind,
            scheduled.get(kind),
            list(_figures(mails.totals[kind])),
            list_path(Delivery, event__id__exact=event.pk, kind__exact=kind.value) if mails.totals[kind] else "",
            mail_words.path(event, kind) if kind in OWN_WORDS else "",
            mail_words.preview_path(event, kind),
        )
        for kind in kinds
    ]


def _figures(states: Any) -> Any:
    to_leave = states[State.PENDING] + states[State.SENDING]
    if sent := states[State.SENT]:
        yield ngettext("%(count)s sent", "%(count)s sent", sent) % {"count": sent}
    if to_leave:
        yield ngettext("%(count)s to be sent", "%(count)s to be sent", to_leave) % {"count": to_leave}
    if failed := states[State.FAILED]:
        yield ngettext("%(count)s not delivered", "%(count)s not delivered", failed) % {"count": failed}


MAY_SEE = ("registrations.view_event", "registrations.view_delivery")
PAGES = [AdminPage("<int:pk>/timeline/", mails_tab, name="timeline", permissions=MAY_SEE)]
