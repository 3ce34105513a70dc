"""The first page of the desk: problems, a card for each event to come or to finish, a table of those that are over."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from registrations.admin_site import steps
from registrations.admin_site.pages import list_path
from registrations.admin_site.steps import ShownStep
from registrations.models import Delivery, Event, Registration, WorkerPresence, clock_mark
from registrations.runtime import pango
from registrations.security import event_access
from registrations.statistics import dashboard
from registrations.statistics.dashboard import EventSummary, UpcomingMails
from registrations.statistics.next_steps import Facts, next_step
from registrations.text import dates
from registrations.text.desk_words import Badge, badge, distance

MAY_SEE = ["registrations.view_event", "registrations.view_registration"]


class Link(NamedTuple):
    words: str
    address: str


class CountLink(NamedTuple):
    """A number of registrations, the list of them, and how many more have become anonymous."""

    number: int
    address: str  # empty when there is no list to show
    anonymous: int


class Row(NamedTuple):
    """One event: a card or a line of the first page."""

    event: Event
    badge: Badge
    days: str  # of an event that takes several: its leaf shows the first
    distance: str
    next: ShownStep | None
    present: int
    confirmed: CountLink
    waitlisted: CountLink
    cancelled: CountLink
    problems: list[Link]
    mails: list[UpcomingMails]


def context(request: HttpRequest) -> dict[str, Any]:
    only = event_access.named_events(request.user)
    found = {pk: problems for pk, problems in dashboard.problems().items() if only is None or pk in only}
    workers = clock_mark.with_mark(WorkerPresence.objects.all()).alive()
    summaries = dashboard.summaries(found, only)
    health = {
        "late": sum(problems.late for problems in found.values()),
        "failed": sum(problems.failed for problems in found.values()),
        "refused": sum(problems.refused for problems in found.values()),
        "held": sum(problems.held for problems in found.values()),
        "broken": sum(problems.broken for problems in found.values()),
    }
    return {
        "is_limited": only is not None,  # its own actions may name events that it sees no more
        "mail_health": health,
        "alerts": list(_alerts(**health)),
        "is_unattended": not workers,
        "stopped_purge": clock_mark.stopped_purge(workers),
        "missing_pango": {} if pango.is_installed() else pango.HOW_TO_INSTALL,
        "without_room": [summary.event for summary in summaries if summary.event.lacks_its_room],
        **(_table(request, summaries) if request.user.has_perms(MAY_SEE) else {}),
    }


def _alerts(*, late: int, failed: int, refused: int, held: int, broken: int) -> Iterator[Link]:
    """Problems with mails of all events, each with a link to the list of these mails."""
    if late:
        words = ngettext("%(number)s mail is late", "%(number)s mails are late", late)
        yield Link(words % {"number": late}, list_path(Delivery, state__exact="pending"))
    if failed:
        words = ngettext("%(number)s mail has failed", "%(number)s mails have failed", failed)
        yield Link(words % {"number": failed}, list_path(Delivery, look="failed"))
    if refused:
        words = ngettext(
            "%(number)s mail came back or was reported as unwanted",
            "%(number)s mails came back or were reported as unwanted",
            refused,
        )
        yield Link(words % {"number": refused}, list_path(Delivery, look="refused"))
    if held:
        words = ngettext(
            "A backup was restored: %(number)s mail that may have left before waits for you to decide",
            "A backup was restored: %(number)s mails that may have left before wait for you to decide",
            held,
        )
        yield Link(words % {"number": held}, list_path(Delivery, state__exact="held"))
    if broken:
        words = ngettext(
            "A fault of this site: %(number)s mail cannot be composed. "
            "It is tried again once the event, the person or the message is corrected",
            "A fault of this site: %(number)s mails cannot be composed. "
            "They are tried again once the event, the person or the message is corrected",
            broken,
        )
        yield Link(words % {"number": broken}, list_path(Delivery, state__exact="broken"))


def _table(request: HttpRequest, summaries: list[EventSummary]) -> dict[str, Any]:
    rows = {summary.event.pk: _row(summary, request.user) for summary in summaries}
    finished = {summary.event.pk for summary in summaries if _is_finished(summary)}
    return {
        "summaries": summaries,
        "this_year": timezone.localdate().year,
        "rows": list(rows.values()),
        "cards": sorted((row for pk, row in rows.items() if pk not in finished), key=lambda row: row.event.starts_at),
        "finished": [row for pk, row in rows.items() if pk in finished],
    }


def _is_finished(summary: EventSummary) -> bool:
    """Over, and nothing is left to do but to read its figures."""
    facts = _facts(summary)
    is_waiting = summary.event.status in {Event.Status.DRAFT, Event.Status.POSTPONED}
    return summary.event.is_over and not is_waiting and not facts.wants_report and not facts.to_see


def _facts(summary: EventSummary) -> Facts:
    found = summary.problems
    seated = summary.people.get(Registration.Status.CONFIRMED, 0)
    to_see = found.failed + found.refused + found.held + found.broken
    return Facts(summary.event, seated, to_see, has_attendance=summary.has_attendance)


def _row(summary: EventSummary, user: Any) -> Row:
    counts = {
        status: _count(summary, status, is_always_linked=status == Registration.Status.CONFIRMED)
        for status in Registration.Status
    }
    return Row(
        event=summary.event,
        badge=badge(summary.event),
        days=dates.event_days(summary.event, weekday=False) if dates.takes_several_days(summary.event) else "",
        distance=distance(summary.event),
        next=steps.shown(next_step(_facts(summary)), summary.event, user),
        present=summary.present,
        confirmed=counts[Registration.Status.CONFIRMED],
        waitlisted=counts[Registration.Status.WAITLISTED],
        cancelled=counts[Registration.Status.CANCELLED],
        problems=list(_problems(summary)),
        mails=summary.mails,
    )


def _count(summary: EventSummary, status: Registration.Status, *, is_always_linked: bool) -> CountLink:
    number = summary.people.get(status, 0)
    people = list_path(Registration, event__id__exact=summary.event.pk, status__exact=status.value)
    return CountLink(number, people if number or is_always_linked else "", summary.purged.get(status, 0))


def _problems(summary: EventSummary) -> Iterator[Link]:
    """Problems with mails of this event, each with a link to the list of these mails."""
    event, found = summary.event.pk, summary.problems
    if found.late:
        words = ngettext("%(number)s late", "%(number)s late", found.late) % {"number": found.late}
        yield Link(words, list_path(Delivery, event__id__exact=event, state__exact="pending"))
    if found.failed:
        words = ngettext("%(number)s failed", "%(number)s failed", found.failed) % {"number": found.failed}
        yield Link(words, list_path(Delivery, event__id__exact=event, look="failed"))
    if found.broken:
        words = ngettext("%(number)s cannot be composed", "%(number)s cannot be composed", found.broken)
        yield Link(
            words % {"number": found.broken}, list_path(Delivery, event__id__exact=event, state__exact="broken")
        )
    if found.refused:
        words = ngettext("%(number)s came back", "%(number)s came back", found.refused) % {"number": found.refused}
        yield Link(words, list_path(Delivery, event__id__exact=event, look="refused"))
