"""Each entry of the audit log as one sentence: who did what, to how many, of which event with its date.

The log stores numbers. Names are read when it is shown, and what is gone meanwhile has none.
"""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from registrations.models import AuditEntry, Broadcast, Event, Registration
from registrations.text import dates

Action = AuditEntry.Action
COUNTS = ("count", "rows", "noted", "added", "held")
KINDS: list[type[Model]] = [Event, Registration, Broadcast, User, Group]

SENTENCES: dict[Action, dict[str, Any]] = {
    Action.LOGGED_IN: {"": gettext_lazy("%(who)s logged in.")},
    Action.LOGIN_FAILED: {"": gettext_lazy("A login as %(account)s was refused.")},
    Action.CODE_FAILED: {"": gettext_lazy("A code typed for %(account)s was refused.")},
    Action.LOGGED_OUT: {"": gettext_lazy("%(who)s logged out.")},
    Action.ENROLLED: {"": gettext_lazy("A second factor was set up for %(account)s.")},
    Action.RECOVERED: {"": gettext_lazy("A recovery code of %(account)s was used.")},
    Action.OTP_RESET: {"": gettext_lazy("%(who)s took away the second factor of %(account)s.")},
    Action.PASSWORD_CHANGED: {"": gettext_lazy("%(who)s changed the password of %(account)s.")},
    Action.ACCOUNT_ADDED: {"": gettext_lazy("%(who)s added the account %(account)s.")},
    Action.INVITED: {"": gettext_lazy("%(who)s invited %(account)s.")},
    Action.RIGHTS_CHANGED: {
        "auth.user": gettext_lazy("%(who)s changed the rights of %(account)s."),
        "auth.group": gettext_lazy("%(who)s changed the rights of the group %(account)s."),
    },
    Action.DELETED: {
        "registrations.registration": gettext_lazy("%(who)s deleted registration no. %(number)s."),
        "registrations.event": gettext_lazy("%(who)s deleted webinar no. %(number)s."),
        "auth.user": gettext_lazy("%(who)s deleted account no. %(number)s."),
        "auth.group": gettext_lazy("%(who)s deleted group no. %(number)s."),
    },
    Action.ON_BEHALF: {
        "correct": gettext_lazy("%(who)s corrected registration no. %(number)s for %(event)s."),
        "came_back": gettext_lazy("%(who)s noted a returned mail of registration no. %(number)s for %(event)s."),
        "disown": gettext_lazy(
            "%(who)s deleted registration no. %(number)s and blocked its address, as the person asked."
        ),
        "come_back": ngettext_lazy(
            "%(who)s put %(count)s person back on the list of %(event)s.",
            "%(who)s put %(count)s people back on the list of %(event)s.",
            "count",
        ),
        "erase_on_request": ngettext_lazy(
            "%(who)s erased the data of %(count)s person registered for %(event)s.",
            "%(who)s erased the data of %(count)s people registered for %(event)s.",
            "count",
        ),
        "address_fails": ngettext_lazy(
            "%(who)s noted that %(count)s address of %(event)s does not work.",
            "%(who)s noted that %(count)s addresses of %(event)s do not work.",
            "count",
        ),
        "address_works": ngettext_lazy(
            "%(who)s noted that %(count)s address of %(event)s works again.",
            "%(who)s noted that %(count)s addresses of %(event)s work again.",
            "count",
        ),
        "note_presence": ngettext_lazy(
            "%(who)s noted the presence of %(count)s person at %(event)s.",
            "%(who)s noted the presence of %(count)s people at %(event)s.",
            "count",
        ),
        "take_presence_back": ngettext_lazy(
            "%(who)s took back the presence of %(count)s person at %(event)s.",
            "%(who)s took back the presence of %(count)s people at %(event)s.",
            "count",
        ),
    },
    Action.BULK_MAIL: {
        "give_seat": ngettext_lazy(
            "%(who)s gave a seat to %(count)s person on the waiting list of %(event)s.",
            "%(who)s gave a seat to %(count)s people on the waiting list of %(event)s.",
            "count",
        ),
        "people.send_again": ngettext_lazy(
            "%(who)s sent the confirmation of %(event)s again to %(count)s person.",
            "%(who)s sent the confirmation of %(event)s again to %(count)s people.",
            "count",
        ),
        "renew_links": ngettext_lazy(
            "%(who)s renewed the links of %(count)s person registered for %(event)s.",
            "%(who)s renewed the links of %(count)s people registered for %(event)s.",
            "count",
        ),
        "withdraw": ngettext_lazy(
            "%(who)s cancelled %(count)s registration for %(event)s.",
            "%(who)s cancelled %(count)s registrations for %(event)s.",
            "count",
        ),
        "let_leave": ngettext_lazy(
            "%(who)s let %(count)s mail leave that was held back.",
            "%(who)s let %(count)s mails leave that were held back.",
            "count",
        ),
        "give_up": ngettext_lazy(
            "%(who)s gave up %(count)s mail that was held back.",
            "%(who)s gave up %(count)s mails that were held back.",
            "count",
        ),
        "send_again": ngettext_lazy(
            "%(who)s sent %(count)s failed mail again.", "%(who)s sent %(count)s failed mails again.", "count"
        ),
        "send_to": gettext_lazy("%(who)s sent a mail about %(event)s to another address."),
        "send": ngettext_lazy(
            "%(who)s sent the message “%(subject)s” to %(count)s person registered for %(event)s.",
            "%(who)s sent the message “%(subject)s” to %(count)s people registered for %(event)s.",
            "count",
        ),
        "plan": gettext_lazy("%(who)s planned the message “%(subject)s” about %(event)s."),
        "hold": gettext_lazy(
            "The planned message “%(subject)s” did not leave, since %(event)s was cancelled or postponed."
        ),
        "take back": gettext_lazy("%(who)s took back the message “%(subject)s” about %(event)s."),
        "stop": ngettext_lazy(
            "%(who)s stopped %(count)s mail of the message “%(subject)s” about %(event)s.",
            "%(who)s stopped %(count)s mails of the message “%(subject)s” about %(event)s.",
            "count",
        ),
        "changed": ngettext_lazy(
            "%(who)s changed %(event)s and told %(count)s person.",
            "%(who)s changed %(event)s and told %(count)s people.",
            "count",
        ),
        "cancelled": ngettext_lazy(
            "%(who)s cancelled %(event)s and told %(count)s person.",
            "%(who)s cancelled %(event)s and told %(count)s people.",
            "count",
        ),
    },
    Action.EXPORTED: {
        "registrations": ngettext_lazy(
            "%(who)s exported %(count)s registration of %(event)s.",
            "%(who)s exported %(count)s registrations of %(event)s.",
            "count",
        ),
        "questions": ngettext_lazy(
            "%(who)s exported %(count)s question asked for %(event)s.",
            "%(who)s exported %(count)s questions asked for %(event)s.",
            "count",
        ),
        "sign-in sheet": ngettext_lazy(
            "%(who)s downloaded the sign-in sheet of %(event)s (%(count)s person).",
            "%(who)s downloaded the sign-in sheet of %(event)s (%(count)s people).",
            "count",
        ),
        "newsletter": ngettext_lazy(
            "%(who)s exported %(count)s address for the newsletter, from %(event)s.",
            "%(who)s exported %(count)s addresses for the newsletter, from %(event)s.",
            "count",
        ),
        "data of one person": gettext_lazy(
            "%(who)s downloaded the data of registration no. %(number)s for %(event)s."
        ),
    },
    Action.IMPORTED: {
        "": ngettext_lazy(
            "%(who)s registered %(count)s person from a list for %(event)s.",
            "%(who)s registered %(count)s people from a list for %(event)s.",
            "count",
        ),
        "presences": ngettext_lazy(
            "%(who)s imported the presence of %(count)s person at %(event)s.",
            "%(who)s imported the presence of %(count)s people at %(event)s.",
            "count",
        ),
    },
    Action.RESTORED: {"": gettext_lazy("%(who)s restored a backup of the site.")},
}


def act_of(entry: AuditEntry) -> str:
    """What tells the acts of one action apart."""
    detail = entry.detail
    if entry.action in {Action.DELETED, Action.RIGHTS_CHANGED}:
        return entry.about.partition(" ")[0]
    if name := detail.get("deed"):
        return "people.send_again" if name == "send_again" else str(name)
    return str(detail.get("act") or detail.get("kind") or detail.get("list") or "")


def describe(entries: Iterable[Any]) -> None:
    """Give each entry its `sentence`. One query for each kind of thing, however many entries there are."""
    entries = list(entries)
    things = _things(entries)
    for entry in entries:
        entry.sentence = _sentence(entry, things)


def _sentence(entry: Any, things: dict[str, Model]) -> str:
    values = _values(entry, things)
    words = SENTENCES.get(entry.action, {}).get(act_of(entry))
    if words is not None:
        try:
            return str(words % values)
        except KeyError:  # an entry of an older version, without its count
            pass
    act = entry.detail.get("act") or entry.get_action_display()
    about = f" ({entry.about})" if entry.about else ""
    count = f", {values['count']}" if "count" in values else ""
    return _("%(who)s: %(act)s") % {**values, "act": f"{act}{about}{count}"}


def _values(entry: Any, things: dict[str, Model]) -> dict[str, Any]:
    thing = things.get(entry.about)
    event = thing if isinstance(thing, Event) else getattr(thing, "event", None)
    event = event or things.get(f"registrations.event {_filtered_event(entry)}")
    actor = things.get(f"auth.user {entry.actor}")
    values = {
        "who": actor or capfirst(_("the site or its operator") if entry.actor is None else _("deleted account")),
        "account": _account(entry, thing),
        "event": _named(event) if isinstance(event, Event) else _no_event(entry),
        "number": entry.about.rpartition(" ")[2],
        "subject": getattr(thing, "subject", "…"),
    }
    count = next((entry.detail[name] for name in COUNTS if isinstance(entry.detail.get(name), int)), None)
    if count is None and entry.about:
        count = 1 if entry.action == Action.ON_BEHALF else None
    return values if count is None else {**values, "count": count}


def _account(entry: Any, thing: Model | None) -> str:
    if thing is not None:
        return str(thing)
    return _("deleted account") if entry.about else _("an unknown name")


def _no_event(entry: Any) -> str:
    return _("a deleted webinar") if entry.about else _("several webinars")


def _named(event: Event) -> str:
    title = _("“%(title)s”") % {"title": event.short_title}
    try:
        return f"{title}, {dates.event_dates(event)}"
    except ZoneInfoNotFoundError:
        return title


def _filtered_event(entry: Any) -> str:
    """The event by which the list was filtered that was exported."""
    filters = entry.detail.get("filters")
    return str(filters.get("event__id__exact", "")) if isinstance(filters, dict) else ""


def _things(entries: list[Any]) -> dict[str, Model]:
    """By what the entries call them: « registrations.event 12 »."""
    wanted = {f"auth.user {entry.actor}" for entry in entries} | {entry.about for entry in entries}
    wanted |= {f"registrations.event {_filtered_event(entry)}" for entry in entries}
    found: dict[str, Model] = {}
    for kind in KINDS:
        label = kind._meta.label_lower
        numbers = {number for name in wanted if (number := name.removeprefix(f"{label} ")) != name}
        rows: Any = kind._default_manager.filter(pk__in=[number for number in numbers if number.isdecimal()])
        related = [name for name in ("event",) if kind in {Registration, Broadcast}]
        for row in rows.select_related(*related) if related else rows:
            found[f"{label} {row.pk}"] = row
    return found
