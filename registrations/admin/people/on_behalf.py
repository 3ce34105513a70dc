"""What people do themselves by the link in their mail, done for them by the team, under the team's own name."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import DELETION
from django.contrib.admin.options import ActionLocation
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from registrations.admin.people.actions import EVERYWHERE, WAITING_FIRST, Question, admin_action
from registrations.admin.people.bulk_actions import BULK_ACTIONS, BulkAction
from registrations.domain import erasure, signup
from registrations.models import Event, Registration
from registrations.security import audit
from registrations.views.self_service import data_file


def _cancelled(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.filter(status=Registration.Status.CANCELLED, event__status=Event.Status.PUBLISHED)


def _all(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.all()


def _come_back(registration: Registration) -> bool:
    try:
        signup.come_back(registration)
    except signup.SignUpClosed:
        return False
    return True


def _disown(registration: Registration) -> None:
    audit.record(audit.Action.ON_BEHALF, about=registration, act="disown")
    erasure.disown(registration)


BULK_ACTIONS["come_back"] = BulkAction(
    title=_("Put back on the list and tell the person"),
    chosen=_cancelled,
    do=_come_back,
    done=ngettext_lazy(
        "%(count)s person is back on the list; the mail that says so is on its way.",
        "%(count)s people are back on the list; the mails that say so are on their way.",
        "count",
    ),
    action=audit.Action.ON_BEHALF,
)
COME_BACK = Question(
    name="come_back",
    question=ngettext_lazy(
        "%(count)s person is put back on the list, with a seat or on the waiting list, and told by mail. "
        "Nothing is done once sign-up has closed, or for someone whose data is being erased.",
        "%(count)s people are put back on the list, with a seat or on the waiting list, and told by mail. "
        "Nothing is done once sign-up has closed, or for someone whose data is being erased.",
        "count",
    ),
    button=ngettext_lazy("Put %(count)s person back", "Put %(count)s people back", "count"),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: it is not cancelled, or its event is not published.",
        "%(count)s registrations are left out: they are not cancelled, or their event is not published.",
        "count",
    ),
)
BULK_ACTIONS["erase_on_request"] = BulkAction(
    title=_("Erase the data and tell the person"),
    chosen=_all,
    order=WAITING_FIRST,
    do=erasure.ask_for_erasure,
    done=ngettext_lazy(
        "The data of %(count)s person is erased once the mail that says so has left.",
        "The data of %(count)s people is erased once the mails that say so have left.",
        "count",
    ),
    action=audit.Action.ON_BEHALF,
    permission="registrations.delete_registration",
    flag=DELETION,
)
ERASE_ON_REQUEST = Question(
    name="erase_on_request",
    question=ngettext_lazy(
        "%(count)s person is taken off the list, told by mail, and then deleted with all answers. "
        "This cannot be taken back.",
        "%(count)s people are taken off the list, told by mail, and then deleted with all answers. "
        "This cannot be taken back.",
        "count",
    ),
    button=ngettext_lazy("Erase the data of %(count)s person", "Erase the data of %(count)s people", "count"),
    left_out="",
    is_final=True,
)
BULK_ACTIONS["disown"] = BulkAction(
    title=_("Delete, and never write to this address again"),
    chosen=_all,
    order=WAITING_FIRST,
    do=_disown,
    done=ngettext_lazy(
        "%(count)s registration is deleted, and its address receives nothing any more.",
        "%(count)s registrations are deleted, and their addresses receive nothing any more.",
        "count",
    ),
    permission="registrations.delete_registration",
    flag=DELETION,
)
DISOWN = Question(
    name="disown",
    question=ngettext_lazy(
        "%(count)s person has not signed up: the row is deleted without a mail, and its address receives no mail "
        "of this site any more.",
        "%(count)s people have not signed up: the rows are deleted without a mail, and their addresses receive "
        "no mail of this site any more.",
        "count",
    ),
    button=ngettext_lazy("Delete %(count)s registration for good", "Delete %(count)s registrations for good", "count"),
    left_out="",
    warning=_(
        "Only when the owner of the address says so: the suppression list lets the address be used again. Since no "
        "mail leaves, an entry in their calendar stays: they delete it there."
    ),
    is_final=True,
)

come_back = admin_action(COME_BACK, location=EVERYWHERE)
erase_on_request = admin_action(ERASE_ON_REQUEST, permission="delete", location=EVERYWHERE)
disown = admin_action(DISOWN, permission="delete", location=EVERYWHERE)


@admin.action(description=_("Download their data"), permissions=["export"], location=[ActionLocation.CHANGE_FORM])
def take_data(model_admin: Any, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse:
    """For someone who asks what is stored about them (GDPR, articles 15 and 20)."""
    if (registration := queryset.select_related("event").first()) is None:
        raise Http404
    audit.record(audit.Action.EXPORTED, about=registration, list="data of one person", rows=1)
    return data_file(registration)
