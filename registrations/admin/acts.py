"""What an organiser may do to people on the list: each act asks first, writes to them, and stays in their history."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from registrations import audit, signup, waiting_list
from registrations.admin import confirmation
from registrations.models import Delivery, Event, PeopleTally, Registration


class Act(NamedTuple):
    """Its words, of `count` people, and the verb; a verb that answers False has found nothing to do any more."""

    title: Any
    question: Any
    button: Any
    done: Any
    left_out: Any
    do: Callable[[Registration], bool | None]


def perform(
    act: Act,
    model_admin: ModelAdmin[Registration],
    request: HttpRequest,
    queryset: QuerySet[Registration],
    chosen: QuerySet[Registration],
) -> HttpResponse | None:
    """Ask, then do it to the chosen ones of those that were ticked, and say how many there were."""
    count = chosen.count()
    left_out = queryset.count() - count
    others = str(act.left_out % {"count": left_out}) if left_out else ""
    if not count:
        messages.warning(request, others)
        return None
    if not confirmation.given(request, count):
        sentences = [str(act.question % {"count": count}), *_seats_exceeded(act, chosen), others]
        button = str(act.button % {"count": count})
        return confirmation.ask(
            model_admin,
            request,
            chosen,
            count=count,
            title=str(act.title),
            sentences=list(filter(None, sentences)),
            button=button,
        )
    count = sum(_do(act, model_admin, request, registration) for registration in chosen)
    messages.success(request, act.done % {"count": count})
    audit.record(audit.Action.BULK_MAIL, act=str(act.title), count=count)
    return None


def _do(act: Act, model_admin: ModelAdmin[Registration], request: HttpRequest, registration: Registration) -> bool:
    if act.do(registration) is False:
        return False
    model_admin.log_change(request, registration, str(act.title))
    return True


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


def _send_again(registration: Registration) -> None:
    signup.send_link(registration, reason=Delivery.Reason.RESENT)


GIVE_SEAT = Act(
    title=_("Give a seat"),
    question=ngettext_lazy(
        "%(count)s person leaves the waiting list and is sent the mail with the link and the invitation, "
        "whoever stands before.",
        "%(count)s people leave the waiting list and are sent the mail with the link and the invitation, "
        "whoever stands before.",
        "count",
    ),
    button=ngettext_lazy("Give a seat to %(count)s person", "Give a seat to %(count)s people", "count"),
    done=ngettext_lazy(
        "%(count)s person has a seat; the mail that says so is on its way.",
        "%(count)s people have a seat; the mails that say so are on their way.",
        "count",
    ),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is not on the waiting list of an event to come.",
        "%(count)s registrations are left out: they are not on the waiting list of an event to come.",
        "count",
    ),
    do=waiting_list.promote_one,
)
SEND_AGAIN = Act(
    title=_("Send the confirmation again"),
    question=ngettext_lazy(
        "%(count)s person is sent again the mail that says where they stand: with the link for a seat, "
        "without it on the waiting list.",
        "%(count)s people are sent again the mail that says where they stand: with the link for a seat, "
        "without it on the waiting list.",
        "count",
    ),
    button=ngettext_lazy("Send %(count)s mail", "Send %(count)s mails", "count"),
    done=ngettext_lazy("%(count)s mail is on its way.", "%(count)s mails are on their way.", "count"),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is cancelled, or its event is a draft.",
        "%(count)s registrations are left out: they are cancelled, or their event is a draft.",
        "count",
    ),
    do=_send_again,
)
RENEW_LINKS = Act(
    title=_("Renew the personal links"),
    question=ngettext_lazy(
        "The links that %(count)s person has received lead nowhere any more; the new ones leave at once by mail.",
        "The links that %(count)s people have received lead nowhere any more; the new ones leave at once by mail.",
        "count",
    ),
    button=ngettext_lazy("Renew the links of %(count)s person", "Renew the links of %(count)s people", "count"),
    done=ngettext_lazy(
        "The links of %(count)s person are new; the mail is on its way.",
        "The links of %(count)s people are new; the mails are on their way.",
        "count",
    ),
    left_out=SEND_AGAIN.left_out,
    do=signup.renew_links,
)
WITHDRAW = Act(
    title=_("Cancel the registration and tell the person"),
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
    done=ngettext_lazy(
        "%(count)s registration is cancelled; the mail that says so is on its way.",
        "%(count)s registrations are cancelled; the mails that say so are on their way.",
        "count",
    ),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is cancelled already.",
        "%(count)s registrations are left out: they are cancelled already.",
        "count",
    ),
    do=signup.withdraw,
)
