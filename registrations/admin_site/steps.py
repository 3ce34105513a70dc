"""Where the next step of an event is taken, for an account that may take it."""

from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from registrations.admin_site.pages import list_path
from registrations.models import Delivery, Event
from registrations.statistics.next_steps import Step

TO_SEE = {"look": "all"}  # the filter of the list of mails


class ShownStep(NamedTuple):
    step: Step
    address: str  # empty: this account may not take it


def shown(step: Step | None, event: Event, user: "User | AnonymousUser | Any") -> ShownStep | None:
    if step is None:
        return None
    return ShownStep(step, address(step, event) if user.has_perm(step.permission) else "")


def address(step: Step, event: Event) -> str:
    if step.page == "mails_to_see":
        return list_path(Delivery, event__id__exact=event.pk, **TO_SEE)
    return event_path(event, step.page)


def event_path(event: Event, page: str = "home") -> str:
    return reverse(f"admin:registrations_event_{page}", args=[event.pk])
