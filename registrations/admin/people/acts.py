"""What can be done for people, in words: the buttons of a person's page, of the list, and of « Autre chose… ».

Each is an action of the list of people; what it asks before it acts is in `actions`, `attendance`, `on_behalf` and
`returned_mails`. One that ends in « … » opens a page which says what will happen.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.people.actions import EVERYWHERE
from registrations.admin.shared import confirmation
from registrations.domain import failed_mails
from registrations.models import Delivery, Event, Registration

CHANGE = "registrations.change_registration"
DELETE = "registrations.delete_registration"
EXPORT = "registrations.export_registration"
FEARED, FINAL = "feared", "feared final"


class Act(NamedTuple):
    """`applies`: whether this person's page offers it; its mails and presences are read already."""

    name: str
    words: Any
    does: Any
    applies: Callable[[Registration], bool]
    permissions: tuple[str, ...] = (CHANGE,)
    look: str = ""
    is_for_one: bool = False  # not offered for several people


def _may_be_written_to(person: Registration) -> bool:
    return not person.is_cancelled and person.event.status != Event.Status.DRAFT


def _has_come(person: Registration) -> bool:
    return bool(list(person.attendances.all()))


def _waits(person: Registration) -> bool:
    event = person.event
    return person.is_waiting and event.status == Event.Status.PUBLISHED and event.starts_at > timezone.now()


def _to_address(person: Registration) -> Iterable[Delivery]:
    return (mail for mail in person.deliveries.all() if mail.sent_to.lower() == person.email.lower())


def _was_written_to(person: Registration) -> bool:
    earlier = ["", *Delivery.ProviderStatus.BOUNCED.earlier()]
    mails = _to_address(person)
    return any(mail.state == Delivery.State.SENT and mail.provider_status in earlier for mail in mails)


def _has_returned(person: Registration) -> bool:
    return any(mail.provider_status == Delivery.ProviderStatus.BOUNCED for mail in _to_address(person))


SAFE = [
    Act(
        "send_again",
        gettext_lazy("Send the link again"),
        gettext_lazy("The mail that says where this person stands leaves once more, to their address."),
        _may_be_written_to,
    ),
    Act(
        "write_to",
        gettext_lazy("Write to these people…"),
        gettext_lazy("A message for them. Nothing is sent before you have seen it as it will arrive."),
        lambda _person: False,  # whose page has a link instead
        permissions=("registrations.write_to_registrants",),
    ),
    Act(
        "note_presence",
        gettext_lazy("Note the presence"),
        gettext_lazy("By hand, beside what the room’s report says. You can take it back."),
        lambda person: person.is_seated and not _has_come(person) and _is_the_day(person),
    ),
    Act(
        "address_works",
        gettext_lazy("The address works after all"),
        gettext_lazy("Mails go there again. Those that were not sent meanwhile are not made up for."),
        _has_returned,
    ),
    Act(
        "take_data",
        gettext_lazy("Download their data"),
        gettext_lazy("All that is stored about this person, for who asks (GDPR). Your password is asked for."),
        lambda _person: True,
        permissions=(EXPORT, CHANGE),
        is_for_one=True,
    ),
]
CHANGING = [
    Act(
        "give_seat",
        gettext_lazy("Give a seat…"),
        gettext_lazy("From the waiting list, whoever stands before; a mail says so."),
        _waits,
    ),
    Act(
        "come_back",
        gettext_lazy("Put back on the list…"),
        gettext_lazy("With a seat, or on the waiting list when there is none left; a mail says so."),
        lambda person: person.is_cancelled and not person.erase_by and person.event.status == Event.Status.PUBLISHED,
    ),
    Act(
        "take_presence_back",
        gettext_lazy("Take the presence back…"),
        gettext_lazy("The certificate is valid no longer. You can note the presence anew."),
        _has_come,
        look=FEARED,
    ),
    Act(
        "withdraw",
        gettext_lazy("Cancel the registration…"),
        gettext_lazy(
            "Gives the seat back and says so by mail. You can put the person back as long as sign-up is open."
        ),
        lambda person: not person.is_cancelled,
        look=FEARED,
    ),
    Act(
        "renew_links",
        gettext_lazy("Change the links…"),
        gettext_lazy("The links received so far stop working; new ones leave at once."),
        _may_be_written_to,
        look=FEARED,
    ),
    Act(
        "address_fails",
        gettext_lazy("The address does not work…"),
        gettext_lazy("No further mail goes there until it is corrected. You can take it back."),
        _was_written_to,
        look=FEARED,
    ),
    Act(
        "disown",
        gettext_lazy("Never write here again…"),
        gettext_lazy(
            "Deletes this registration and blocks its address for all webinars; the blocked addresses undo the latter."
        ),
        lambda _person: True,
        permissions=(DELETE,),
        look=FINAL,
    ),
    Act(
        "erase_on_request",
        gettext_lazy("Erase the data…"),
        gettext_lazy(
            "Name, address, answers and presence, once a mail has said so. Asked twice; it cannot be taken back."
        ),
        lambda person: not person.erase_by,
        permissions=(DELETE,),
        look=FINAL,
    ),
    Act(
        "delete_selected",
        gettext_lazy("Delete without a word…"),
        gettext_lazy(
            "For a row that was made by mistake: nobody is told. It is asked twice, and cannot be taken back."
        ),
        lambda _person: True,
        permissions=(DELETE,),
        look=FINAL,
    ),
]
IN_THE_BAR = ["give_seat", "write_to", "send_again", "note_presence"]
BULK_WORDS = {act.name: act for act in [*SAFE, *CHANGING]}


def _is_the_day(person: Registration) -> bool:
    """From the day of the session on: nobody was present before."""
    return person.event.has_started or person.event.is_today


def waits_for_the_day(person: Registration) -> bool:
    return person.is_seated and not _has_come(person) and not _is_the_day(person)


def offered(acts: list[Act], user: Any, person: Registration | None = None) -> list[Act]:
    """Those that this account may do; for one person, those that apply to them."""
    return [
        act
        for act in acts
        if user.has_perms(act.permissions) and (act.applies(person) if person else not act.is_for_one)
    ]


def in_the_bar(user: Any, view: str) -> list[Act]:
    """Above the list: the usual ones, and the door to all others. A seat is given from the waiting list."""
    names = [name for name in IN_THE_BAR if name != "give_seat" or view == Registration.Status.WAITLISTED]
    usual = offered([BULK_WORDS[name] for name in names], user)
    return [*usual, Act("more", _("Something else…"), "", lambda _person: True)] if usual else []


@admin.action(description=gettext_lazy("Something else…"), permissions=["change"])
def more(model_admin: Any, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
    """All that can be done for the people ticked, each with what it does."""
    count = queryset.count()
    if not count:
        messages.warning(request, _("Tick the people first."))
        return None
    words = ngettext("For %(count)s person", "For %(count)s people", count)
    across = confirmation.is_across(request)
    ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return confirmation.page(
        request,
        Registration,
        title=words % {"count": count},
        template="admin/people_acts_page.html",
        names=[str(row) for row in queryset.prefetch_related(None).order_by("pk")[: confirmation.NAMES_SHOWN]],
        unnamed=max(count - confirmation.NAMES_SHOWN, 0),
        safe=offered(SAFE, request.user),
        changing=offered(CHANGING, request.user),
        hidden=[(ACTION_CHECKBOX_NAME, pk) for pk in ticked] + ([("select_across", 1)] if across else []),
        back=request.get_full_path(),
    )


@admin.action(description=gettext_lazy("Mark the mails as seen"), permissions=["write"], location=EVERYWHERE)
def mails_seen(model_admin: Any, request: HttpRequest, queryset: QuerySet[Registration]) -> None:
    """Nothing is sent, and nothing is lost: no page asks."""
    count = failed_mails.mark_seen(Delivery.objects.filter(registration__in=queryset.order_by().values("pk")))
    words = ngettext("%(count)s mail is no longer to look at.", "%(count)s mails are no longer to look at.", count)
    messages.success(request, words % {"count": count})
