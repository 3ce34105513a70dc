"""The frame of the organiser's desk: the head of an event and its tabs, on every page that has an event."""

from typing import Any, NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils.translation import gettext_lazy, pgettext_lazy

from registrations.models import Delivery, Event, unresolved_mails
from registrations.text import dates, desk_words

register = template.Library()


class Tab(NamedTuple):
    """`route`: the name of its page. `pages`: the other pages of an event that belong to it."""

    words: Any
    route: str
    permission: str
    pages: frozenset[str] = frozenset()

    def address(self, event: Event) -> str:
        if self.route.endswith("changelist"):
            return f"{reverse(f'admin:{self.route}')}?event__id__exact={event.pk}"
        return reverse(f"admin:{self.route}", args=[event.pk])


class ShownTab(NamedTuple):
    words: Any
    address: str
    is_current: bool
    number: int = 0
    alarm: int = 0


def _pages(*names: str) -> frozenset[str]:
    return frozenset(f"registrations_event_{name}" for name in names)


PEOPLE, MAILS = "registrations_registration_changelist", "registrations_event_timeline"
ADD = "registrations_registration_add"
MESSAGES = ["write", "broadcast", "correct_broadcast", "delete_broadcast", "letter"]
TABS = [
    Tab(pgettext_lazy("tab", "Overview"), "registrations_event_home", "view_event", _pages("trial", "publish")),
    Tab(pgettext_lazy("tab", "Page"), "registrations_event_change", "view_event", _pages("parts")),
    Tab(pgettext_lazy("tab", "Registered"), PEOPLE, "view_registration", _pages("registrants", "lists") | {ADD}),
    Tab(
        pgettext_lazy("tab", "Mails"),
        MAILS,
        "view_delivery",
        _pages("mails", "mail_words", "mail_words_of", *MESSAGES) | {"registrations_delivery_changelist"},
    ),
    Tab(gettext_lazy("Attendance"), "registrations_event_presences", "change_registration"),
    Tab(gettext_lazy("Report in figures"), "registrations_event_figures", "view_registration", _pages("answers")),
    Tab(
        gettext_lazy("Settings"),
        "registrations_event_settings",
        "change_event",
        _pages("duplicate", "delete", "history", "reschedule", "postpone", "cancel"),
    ),
]


@register.simple_tag(takes_context=True)
def desk_event(context: RequestContext) -> Event | None:
    """The event that the page is about: `event` of its context, or the row of Django's own page."""
    for name in ("event", "original", "object"):
        if isinstance(found := context.get(name), Event):
            return found if found.pk else None
    return None


register.filter("named_with_date", desk_words.named_with_date)
register.filter("public_address", desk_words.public_address)
register.filter("short_moment", dates.short_moment)


@register.inclusion_tag("admin/event_head.html", takes_context=True)
def event_head(context: RequestContext) -> dict[str, Any]:
    event, request = desk_event(context), context["request"]
    assert event
    return {
        "event": event,
        **_standing(event),
        "tabs": list(tabs(event, request.user, request.resolver_match.url_name, _to_see(context, event))),
    }


def _standing(event: Event) -> dict[str, Any]:
    """State and date; neither where this machine does not know the time zone, so that the form can be opened."""
    try:
        return {"badge": desk_words.badge(event), "distance": desk_words.distance(event)}
    except ZoneInfoNotFoundError:
        return {}


def _to_see(context: RequestContext, event: Event) -> int | None:
    """How many mails need somebody, where the page has counted them."""
    known: int | None = context.get("to_see", getattr(event, "mails_to_see", None))
    return known


def tabs(event: Event, user: Any, page: str, to_see: int | None = None) -> list[ShownTab]:
    """Those that this account may open, with the number of seats taken and of mails that need somebody."""
    numbers = {PEOPLE: "number", MAILS: "alarm"}
    allowed = [tab for tab in TABS if user.has_perm(f"registrations.{tab.permission}")]
    return [
        ShownTab(
            tab.words,
            tab.address(event),
            is_current=page == tab.route or page in tab.pages,
            **({numbers[tab.route]: _number(event, tab.route, to_see)} if tab.route in numbers else {}),
        )
        for tab in allowed
    ]


def _number(event: Event, route: str, to_see: int | None) -> int:
    if route == PEOPLE:
        return event.seats_taken
    return unresolved_mails.to_see(Delivery.objects.filter(event=event)).count() if to_see is None else to_see
