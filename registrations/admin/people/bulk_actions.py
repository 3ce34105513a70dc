"""Actions on many registrations, one after another: each in a transaction of its own."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from registrations.admin.shared.jobs import carry_out, note_history
from registrations.models import Event, Job, Registration
from registrations.models.job import Outcome
from registrations.security import audit
from registrations.worker import jobs

NAME = "deed"  # of the action: a key in stored jobs, which keeps its old name
SHORT = 200  # people: the slowest of these actions takes 6 ms for each


class BulkAction(NamedTuple):
    """`chosen` filters those to whom it applies, registrations and live counts alike; it is applied again to each.

    `do` returns False if there was nothing to do.
    """

    title: Any
    chosen: Callable[[QuerySet[Any]], QuerySet[Any]]
    do: Callable[[Registration], bool | None]
    done: Any  # a sentence with the count
    order: Sequence[str] = ("-created_at", "-pk")  # as in the list
    history: Any = ""  # of each person; the title when it is empty
    action: audit.Action | None = None  # in the audit log
    permission: str = "registrations.change_registration"
    flag: int = CHANGE


BULK_ACTIONS: dict[str, BulkAction] = {}


def do_to(
    people: QuerySet[Registration], name: str, request: HttpRequest, *, confirmed: int, then: str = ""
) -> HttpResponse | None:
    """Run the action on these people in this order: at once when they are few. When their number is no longer the one
    that was confirmed, nothing is done. `then`: the next page, if it is not the one where it was asked."""
    bulk_action, pks = BULK_ACTIONS[name], list(people.values_list("pk", flat=True))
    if len(pks) != confirmed:
        messages.warning(request, _("The list has changed meanwhile: nothing was done. Choose once more."))
        return None
    events = {pk for (pk,) in people.order_by().values_list("event").distinct()}
    event = Event.objects.get(pk=events.pop()) if len(events) == 1 else None
    job = Job(
        kind=Job.Kind.PEOPLE,
        title=str(bulk_action.title),
        event=event,
        permission=bulk_action.permission,
        total=len(pks),
        parameters={NAME: name, "people": pks},
    )
    return carry_out(request, job, then=then)


def note_in_audit(job: Job) -> None:
    """Record how many people were dealt with since the last entry."""
    bulk_action, noted = BULK_ACTIONS[job.parameters[NAME]], job.detail.get("noted", 0)
    if bulk_action.action is None or job.count == noted > 0:
        return
    detail: dict[str, Any] = {"passed_over": len(job.skipped)} if job.skipped else {}
    people = job.parameters.get("people", [])
    about = Registration(pk=people[0]) if len(people) == 1 else job.event
    audit.record(bulk_action.action, about=about, deed=job.parameters[NAME], count=job.count - noted, **detail)
    job.add_detail(noted=job.count)


@jobs.handler(Job.Kind.PEOPLE, short=SHORT, is_one_transaction=False, note=note_in_audit)
def do_to_people(job: Job) -> Outcome:
    bulk_action = BULK_ACTIONS[job.parameters[NAME]]

    def do(pk: int) -> bool:
        found = (
            bulk_action.chosen(Registration.objects.without_dry_runs().filter(pk=pk)).select_related("event").first()
        )
        if found is None or bulk_action.do(found) is False:
            return False
        note_history(
            job.asked_by, [Registration(pk=pk)], bulk_action.flag, str(bulk_action.history or bulk_action.title)
        )
        return True

    jobs.each(job, job.parameters["people"], do, _("People"))
    note_in_audit(job)
    is_for_nothing = job.skipped and not job.count
    return Outcome([] if is_for_nothing else [("success", str(bulk_action.done % {"count": job.count}))])
