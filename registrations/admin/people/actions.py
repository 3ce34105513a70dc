"""The actions on registrations. Each asks first, and is recorded in the history of each person."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.contrib.admin.options import ActionLocation
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from registrations.admin.people.bulk_actions import BULK_ACTIONS, BulkAction, do_to
from registrations.admin.shared import confirmation
from registrations.admin_site.pages import list_path
from registrations.domain import erasure, signup, waiting_list
from registrations.models import Delivery, Event, Registration
from registrations.models.search import folded
from registrations.security import audit

Status = Registration.Status


class Question(NamedTuple):
    """The texts of the question before the bulk action of the same name; `count` is filled in."""

    name: str
    question: Any
    button: Any
    left_out: Any
    warning: Any = ""
    is_feared: bool = False  # shown in red
    is_final: bool = False  # cannot be taken back: the name, or the number of people, is typed

    @property
    def bulk_action(self) -> BulkAction:
        return BULK_ACTIONS[self.name]


def admin_action(
    asked: Question, permission: str = "change", location: Sequence[ActionLocation] = (ActionLocation.CHANGE_LIST,)
) -> Callable[..., HttpResponse | None]:
    """The action of the list of registrations that asks this question."""

    @admin.action(description=asked.bulk_action.title, permissions=[permission], location=location)
    def action(
        model_admin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration]
    ) -> HttpResponse | None:
        return _perform(asked, request, queryset)

    action.__name__ = asked.name
    return action


def _perform(asked: Question, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
    """Ask, then apply the action to the ticked registrations for which it is meant."""
    bulk_action = asked.bulk_action
    chosen = bulk_action.chosen(queryset).order_by(*bulk_action.order)
    count = chosen.count()
    left_out = queryset.count() - count
    others = str(asked.left_out % {"count": left_out}) if left_out else ""
    if not count:
        messages.warning(request, others)
        return None
    to_type = _to_type(chosen, count) if asked.is_final else ""
    if not confirmation.given(request, count, to_type=to_type):
        sentences = [str(asked.question % {"count": count}), *_seats_exceeded(asked, chosen), others, asked.warning]
        return confirmation.ask(
            request,
            chosen,
            count=count,
            title=str(bulk_action.title),
            sentences=list(map(str, filter(None, sentences))),
            button=str(asked.button % {"count": count}),
            to_type=to_type,
            is_feared=asked.is_feared,
        )
    return do_to(chosen, asked.name, request, confirmed=count, then=_after(asked, request, chosen))


def _to_type(chosen: QuerySet[Registration], count: int) -> str:
    """The name of the person; of several people, how many they are."""
    first = chosen.prefetch_related(None).first() if count == 1 else None
    name = f"{first.first_name} {first.last_name}" if first else ""
    return name if folded(name) else str(count)


def _after(asked: Question, request: HttpRequest, chosen: QuerySet[Registration]) -> str:
    """The page of a person who is deleted is there no longer: the list of their event follows."""
    if not asked.is_final or confirmation.ON_THE_FORM not in request.POST:
        return ""
    return list_path(Registration, event__id__exact=chosen.values_list("event", flat=True)[0])


def too_few_seats(event: Event, *, more: int = 0) -> str:
    """A warning when more seats are taken, or would be, than there are. Nobody loses a seat."""
    taken = event.registrations.without_dry_runs().seated().count() + more
    if event.capacity is None or taken <= event.capacity:
        return ""
    sentence = ngettext(
        "“%(event)s”: %(taken)s seats are taken, and there is %(capacity)s.",
        "“%(event)s”: %(taken)s seats are taken, and there are %(capacity)s.",
        event.capacity,
    )
    return sentence % {"event": event, "taken": taken, "capacity": event.capacity}


def tell_of_promoted(request: HttpRequest, count: int) -> None:
    """How many people on the waiting list were given a seat by the change that the organiser has just made."""
    sentence = ngettext(
        "%(count)s person on the waiting list has been given a seat; the mail that says so is on its way.",
        "%(count)s people on the waiting list have been given a seat; the mails that say so are on their way.",
        count,
    )
    if count:
        messages.success(request, sentence % {"count": count})


def _seats_exceeded(asked: Question, chosen: QuerySet[Registration]) -> list[str]:
    if asked is not GIVE_SEAT:
        return []
    more = dict(chosen.order_by().values_list("event").annotate(count=Count("pk")))
    return [too_few_seats(event, more=more[event.pk]) for event in Event.objects.filter(pk__in=more)]


WAITING_FIRST = ["-status", "pk"]  # when seats become free, no chosen person is promoted and then cancelled


def _waiting(people: QuerySet[Any]) -> QuerySet[Any]:
    """On the waiting list of an event to come."""
    coming = people.filter(event__status=Event.Status.PUBLISHED, event__starts_at__gt=timezone.now())
    return coming.filter(status=Status.WAITLISTED)


def _to_write_to(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.exclude(status=Status.CANCELLED).exclude(event__status=Event.Status.DRAFT)


def _on_the_list(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.exclude(status=Status.CANCELLED)


def _all(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.all()


def _send_again(registration: Registration) -> None:
    signup.send_link(registration, reason=Delivery.Reason.RESENT)


def _withdraw(registration: Registration) -> None:
    signup.withdraw(registration, by_team=True)


BULK_ACTIONS["give_seat"] = BulkAction(
    title=_("Give a seat"),
    chosen=_waiting,
    order=["waiting_since", "pk"],
    do=waiting_list.promote_one,
    done=ngettext_lazy(
        "%(count)s person has a seat; the mail that says so is on its way.",
        "%(count)s people have a seat; the mails that say so are on their way.",
        "count",
    ),
    action=audit.Action.BULK_MAIL,
)
GIVE_SEAT = Question(
    name="give_seat",
    question=ngettext_lazy(
        "%(count)s person leaves the waiting list and is sent the mail with the link and the invitation, "
        "whoever stands before.",
        "%(count)s people leave the waiting list and are sent the mail with the link and the invitation, "
        "whoever stands before.",
        "count",
    ),
    button=ngettext_lazy("Give a seat to %(count)s person", "Give a seat to %(count)s people", "count"),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is not on the waiting list of an event to come.",
        "%(count)s registrations are left out: they are not on the waiting list of an event to come.",
        "count",
    ),
)
BULK_ACTIONS["send_again"] = BulkAction(
    title=_("Send the confirmation again"),
    chosen=_to_write_to,
    do=_send_again,
    done=ngettext_lazy("%(count)s mail is on its way.", "%(count)s mails are on their way.", "count"),
    action=audit.Action.BULK_MAIL,
)
SEND_AGAIN = Question(
    name="send_again",
    question=ngettext_lazy(
        "%(count)s person is sent again the mail that says where they stand: with the link for a seat, "
        "without it on the waiting list.",
        "%(count)s people are sent again the mail that says where they stand: with the link for a seat, "
        "without it on the waiting list.",
        "count",
    ),
    button=ngettext_lazy("Send %(count)s mail", "Send %(count)s mails", "count"),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is cancelled, or its event is a draft.",
        "%(count)s registrations are left out: they are cancelled, or their event is a draft.",
        "count",
    ),
)
BULK_ACTIONS["renew_links"] = BulkAction(
    title=_("Renew the personal links"),
    chosen=_to_write_to,
    do=signup.renew_links,
    done=ngettext_lazy(
        "The links of %(count)s person are new; the mail is on its way.",
        "The links of %(count)s people are new; the mails are on their way.",
        "count",
    ),
    action=audit.Action.BULK_MAIL,
)
RENEW_LINKS = Question(
    name="renew_links",
    question=ngettext_lazy(
        "The links that %(count)s person has received lead nowhere any more; the new ones leave at once by mail.",
        "The links that %(count)s people have received lead nowhere any more; the new ones leave at once by mail.",
        "count",
    ),
    button=ngettext_lazy("Renew the links of %(count)s person", "Renew the links of %(count)s people", "count"),
    left_out=SEND_AGAIN.left_out,
    is_feared=True,
)
BULK_ACTIONS["withdraw"] = BulkAction(
    title=_("Cancel the registration and tell the person"),
    chosen=_on_the_list,
    order=WAITING_FIRST,
    do=_withdraw,
    done=ngettext_lazy(
        "%(count)s registration is cancelled; the mail that says so is on its way.",
        "%(count)s registrations are cancelled; the mails that say so are on their way.",
        "count",
    ),
    action=audit.Action.BULK_MAIL,
)
WITHDRAW = Question(
    name="withdraw",
    question=ngettext_lazy(
        "%(count)s person is taken off the list and told by mail; calendars take the entry out. "
        "A seat that becomes free goes to the first in line.",
        "%(count)s people are taken off the list and told by mail; calendars take the entry out. "
        "The seats that become free go to the first in line.",
        "count",
    ),
    button=ngettext_lazy(
        "Cancel %(count)s registration and tell the person",
        "Cancel %(count)s registrations and tell the people",
        "count",
    ),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is cancelled already.",
        "%(count)s registrations are left out: they are cancelled already.",
        "count",
    ),
    is_feared=True,
)
BULK_ACTIONS["delete_selected"] = BulkAction(
    title=_("Delete the chosen registrations"),
    chosen=_all,
    order=WAITING_FIRST,
    do=erasure.erase_from_list,
    done=ngettext_lazy("%(count)s registration is deleted.", "%(count)s registrations are deleted.", "count"),
    permission="registrations.delete_registration",
    flag=DELETION,
)
ERASE = Question(
    name="delete_selected",
    question=ngettext_lazy(
        "%(count)s person is deleted for good, with their answers, their mails and their presence.",
        "%(count)s people are deleted for good, with their answers, their mails and their presences.",
        "count",
    ),
    button=ngettext_lazy("Delete %(count)s registration", "Delete %(count)s registrations", "count"),
    left_out="",
    warning=_(
        "Deleting is not cancelling: nobody is told, and the entry stays in the person’s calendar. To take someone "
        "off the list, go back and use “Cancel the registration and tell the person”; when someone asks that their "
        "data be erased, “Erase the data and tell the person”. Delete a row that was made by mistake."
    ),
    is_final=True,
)

EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
give_seat = admin_action(GIVE_SEAT, location=EVERYWHERE)
send_again = admin_action(SEND_AGAIN, location=EVERYWHERE)
renew_links = admin_action(RENEW_LINKS, location=EVERYWHERE)
withdraw = admin_action(WITHDRAW, location=EVERYWHERE)
delete_selected = admin_action(ERASE, permission="delete", location=EVERYWHERE)
