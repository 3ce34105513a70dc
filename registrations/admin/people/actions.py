"""What an organiser may do to people on the list: each act asks first, writes to them, and stays in their history."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin.models import DELETION
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from registrations.admin.people.bulk_actions import DEEDS, Deed, do_to
from registrations.admin.shared import confirmation
from registrations.domain import erasure, signup, waiting_list
from registrations.models import Delivery, Event, PeopleTally, Registration
from registrations.security import audit

Status = Registration.Status


class Act(NamedTuple):
    """The words with which it is asked for, of `count` people, and the deed of the same name."""

    name: str
    question: Any
    button: Any
    left_out: Any
    warning: Any = ""

    @property
    def deed(self) -> Deed:
        return DEEDS[self.name]


def perform(act: Act, model_admin: Any, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
    """Ask, then do it to those of the ticked ones to whom it applies, and say how many there were."""
    chosen = act.deed.chosen(queryset).order_by(*act.deed.order)
    count = model_admin.count_of(request, queryset, act.deed.chosen)
    left_out = model_admin.count_of(request, queryset) - count
    others = str(act.left_out % {"count": left_out}) if left_out else ""
    if not count:
        messages.warning(request, others)
        return None
    if not confirmation.given(request, count):
        sentences = [str(act.question % {"count": count}), *_seats_exceeded(act, chosen), others, str(act.warning)]
        return confirmation.ask(
            model_admin,
            request,
            chosen,
            count=count,
            title=str(act.deed.title),
            sentences=list(filter(None, sentences)),
            button=str(act.button % {"count": count}),
        )
    return do_to(chosen, act.name, request, confirmed=count)


def too_few_seats(event: Event, *, more: int = 0) -> str:
    """A sentence when more seats are taken, or would be, than there are; nobody loses one."""
    taken = PeopleTally.objects.of(event).filter(status=Registration.Status.CONFIRMED).total() + more
    if event.capacity is None or taken <= event.capacity:
        return ""
    sentence = ngettext(
        "“%(event)s”: %(taken)s seats are taken, and there is %(capacity)s.",
        "“%(event)s”: %(taken)s seats are taken, and there are %(capacity)s.",
        event.capacity,
    )
    return sentence % {"event": event, "taken": taken, "capacity": event.capacity}


def tell_of_promoted(request: HttpRequest, count: int) -> None:
    """Who was waiting and has a seat now, by what the organiser has just done."""
    sentence = ngettext(
        "%(count)s person on the waiting list has been given a seat; the mail that says so is on its way.",
        "%(count)s people on the waiting list have been given a seat; the mails that say so are on their way.",
        count,
    )
    if count:
        messages.success(request, sentence % {"count": count})


def _seats_exceeded(act: Act, chosen: QuerySet[Registration]) -> list[str]:
    if act is not GIVE_SEAT:
        return []
    more = dict(chosen.order_by().values_list("event").annotate(count=Count("pk")))
    return [too_few_seats(event, more=more[event.pk]) for event in Event.objects.filter(pk__in=more)]


WAITING_FIRST = ["-status", "pk"]  # where seats become free: nobody is given one only to lose it


def _waiting(people: QuerySet[Any]) -> QuerySet[Any]:
    """For an event to come."""
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


DEEDS["give_seat"] = Deed(
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
GIVE_SEAT = Act(
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
DEEDS["send_again"] = Deed(
    title=_("Send the confirmation again"),
    chosen=_to_write_to,
    do=_send_again,
    done=ngettext_lazy("%(count)s mail is on its way.", "%(count)s mails are on their way.", "count"),
    action=audit.Action.BULK_MAIL,
)
SEND_AGAIN = Act(
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
DEEDS["renew_links"] = Deed(
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
RENEW_LINKS = Act(
    name="renew_links",
    question=ngettext_lazy(
        "The links that %(count)s person has received lead nowhere any more; the new ones leave at once by mail.",
        "The links that %(count)s people have received lead nowhere any more; the new ones leave at once by mail.",
        "count",
    ),
    button=ngettext_lazy("Renew the links of %(count)s person", "Renew the links of %(count)s people", "count"),
    left_out=SEND_AGAIN.left_out,
)
DEEDS["withdraw"] = Deed(
    title=_("Cancel the registration and tell the person"),
    chosen=_on_the_list,
    order=WAITING_FIRST,
    do=signup.withdraw,
    done=ngettext_lazy(
        "%(count)s registration is cancelled; the mail that says so is on its way.",
        "%(count)s registrations are cancelled; the mails that say so are on their way.",
        "count",
    ),
    action=audit.Action.BULK_MAIL,
)
WITHDRAW = Act(
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
)
DEEDS["delete_selected"] = Deed(
    title=_("Delete the chosen registrations"),
    chosen=_all,
    order=WAITING_FIRST,
    do=erasure.erase_from_list,
    done=ngettext_lazy("%(count)s registration is deleted.", "%(count)s registrations are deleted.", "count"),
    permission="registrations.delete_registration",
    flag=DELETION,
)
ERASE = Act(
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
        "off the list, go back and use “Cancel the registration and tell the person”. Delete when someone asks that "
        "their data be erased, or when a row was made by mistake."
    ),
)
