"""The words of the thank-you page that depend on the event: what is on its way, and what happens then."""

from typing import Any

from django.utils.translation import gettext as _

from registrations.models import Event
from registrations.text import countdown, dates, report_name


def thanks_words(
    event: Event, *, was_full: bool, is_delayed: bool, sender: str, is_limited: bool = False, may_enter: bool = False
) -> dict[str, Any]:
    """`sender`: the name in the From of the mails. `was_full`: the sign-up went to the waiting list.

    `is_delayed`: the event's limit of mails is reached. `is_limited`: the mailbox had had its mails of the day; it may
    have the one with the link already, or its first one leaves now or later. The page must not say which.
    `may_enter`: this page leads into the room, because the session is near and the mail may take minutes.
    """
    if was_full:
        heading = _("Your request is recorded")
        on_its_way = _("All seats are taken: an email that says where you stand is on its way to")
    else:
        heading = _("Your registration is recorded")
        on_its_way = _("A confirmation email is on its way to")
    if is_delayed:
        on_its_way = _("Very many people are signing up now: your email will leave a little later, to")
    elif is_limited:
        on_its_way = _(
            "Several emails have been requested for this mailbox today: look there for yours first."
            " A first confirmation that has not left yet leaves now or in the next days, to"
        )
    return {
        "heading": heading,
        "on_its_way": on_its_way,
        "mail_holds": "" if was_full else _mail_holds(event),
        "steps": [
            *([] if is_delayed else [_open_your_mailbox(event, was_full, may_enter, sender)]),
            *([] if may_enter else _then(event, was_full)),
        ],
        "entrance": _entrance(event) if may_enter else "",
        "entrance_note": _entrance_note(event) if may_enter else "",
    }


def _entrance(event: Event) -> str:
    """The title above the way into the room."""
    if event.room_is_open:
        return _("The room is open")
    return _("The room opens at %(hour)s") % {"hour": dates.named_hour(event.room_opens_at, event)}


def _entrance_note(event: Event) -> str:
    if not event.room_is_open:
        left = countdown.in_words(event.room_opens_at)
        return _("%(left)s. This page opens by itself: keep it open, there is no need to wait for the email.") % {
            "left": left
        }
    start = {"hour": dates.named_hour(event.starts_at, event)}
    if event.is_over:
        return _("The session is over.")
    if event.has_started:
        return _("The session began at %(hour)s. Go in now: there is no need to wait for the email.") % start
    return _("The session begins at %(hour)s. Go in now: there is no need to wait for the email.") % start


def _mail_holds(event: Event) -> str:
    report = {"report": report_name.the_report(event)}
    match event.is_over, event.offers_report:
        case True, True:
            return _("It contains your personal link and %(report)s.") % report
        case True, False:
            return _("It contains your personal link.")
        case False, True:
            return _("It contains the connection link, the calendar invitation and %(report)s.") % report
    return _("It contains the connection link and the calendar invitation.")


def _open_your_mailbox(event: Event, was_full: bool, may_enter: bool, sender: str) -> str:
    words = _(
        "Check your inbox. The email comes from “%(sender)s”."
        " If it is not there within ten minutes, look in your junk folder."
    ) % {"sender": sender}
    if may_enter:
        return _(
            "Keep the email for later: the same link will lead to what follows. It comes from “%(sender)s”, and may"
            " take a few minutes."
        ) % {"sender": sender}
    if not event.is_today or was_full:
        return words
    now = _("Open the email now: your link is in it.")
    return f"{now} {words}"


def _then(event: Event, was_full: bool) -> list[str]:
    if event.is_over:
        return [_("Your personal link now leads to the documents.")] if event.offers_documents else []
    if was_full:
        return [
            _(
                "If you had no seat yet, you are on the waiting list: when a seat becomes free, the first in line"
                " receives it at once, with the connection link."
            )
        ]
    if event.has_started:
        return []
    date = {"days": dates.event_days(event), "hours": dates.named_from_to(event)}
    start = {"start": dates.named_hour(event.starts_at, event)}
    if dates.takes_several_days(event):
        use_link = _(
            "On the first day, use the link you received a few minutes before %(start)s."
            " It is the same on the following days."
        )
    else:
        use_link = _("On the day, use the link you received a few minutes before %(start)s.")
    return [
        _("Save the date: %(days)s, %(hours)s. The calendar invitation is in the email.") % date,
        use_link % start,
    ]
