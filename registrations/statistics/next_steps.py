"""What comes next for an event: one step, from one table, for the first page and for the event's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from registrations.models import Event

Status = Event.Status


@dataclass(frozen=True)
class Facts:
    """All that a step is chosen by."""

    event: Event
    seated: int = 0
    to_see: int = 0  # mails
    has_attendance: bool = False

    @property
    def is_draft(self) -> bool:
        return self.event.status == Status.DRAFT

    @property
    def is_published(self) -> bool:
        return self.event.status == Status.PUBLISHED

    @property
    def lacks_contact(self) -> bool:
        return self.is_draft and not (self.event.contact_name and self.event.contact_email)

    @property
    def is_today(self) -> bool:
        return self.is_published and (self.event.is_today or self.event.room_is_open) and not self.event.is_over

    @property
    def wants_report(self) -> bool:
        """Whether only the room's report can tell who came."""
        return self.is_published and self.event.is_over and self.seated > 0 and not self.has_attendance


class Step(NamedTuple):
    """`page` is the name of an admin page of an event; `permission` is needed to take the step."""

    key: str
    applies: Callable[[Facts], bool]
    title: Any
    words: Any
    button: Any
    page: str
    permission: str

    @property
    def is_publishing(self) -> bool:
        return self.key == "publish"


CHANGE, SEE = "registrations.change_event", "registrations.view_registration"
STEPS = [
    Step(
        "complete",
        lambda facts: facts.lacks_contact,
        _("Still a draft: something is missing"),
        _("The contact is missing: people who have a question must know whom to ask."),
        _("Complete the page"),
        "change",
        CHANGE,
    ),
    Step(
        "publish",
        lambda facts: facts.is_draft,
        _("Still a draft: nobody sees this page"),
        _("Publishing opens the page and the sign-up. No mail leaves then, and everything can still be changed."),
        _("Publish"),
        "home",
        CHANGE,
    ),
    Step(
        "room",
        lambda facts: facts.event.lacks_its_room,
        _("The room has no link"),
        _("The room opens soon, and nobody will be able to join."),
        _("Add the link to the room"),
        "change",
        CHANGE,
    ),
    Step(
        "mails",
        lambda facts: facts.to_see > 0,
        ngettext_lazy("%(number)s mail did not arrive", "%(number)s mails did not arrive", "number"),
        _("Some people do not have what was sent to them, and do not know it."),
        ngettext_lazy("See the mail", "See the %(number)s mails", "number"),
        "mails_to_see",
        "registrations.view_delivery",
    ),
    Step(
        "today",
        lambda facts: facts.is_today,
        _("It is today"),
        _("See who is there, and help those who have no link."),
        _("Follow the day"),
        "home",
        "registrations.view_event",
    ),
    Step(
        "attendance",
        lambda facts: facts.wants_report,
        _("Who came is not known yet"),
        _("The report of the room tells who came."),
        _("Import the attendance"),
        "presences",
        "registrations.change_registration",
    ),
    Step(
        "report",
        lambda facts: facts.is_published and facts.event.is_over,
        _("The report in figures is ready"),
        _("Sign-ups, attendance, organisations and territories, on one page and as a PDF."),
        _("Read the report in figures"),
        "figures",
        SEE,
    ),
    Step(
        "date",
        lambda facts: facts.event.status == Status.POSTPONED,
        _("Postponed, without a new date"),
        _("People wait for the new date: they are told as soon as you set it."),
        _("Set the new date"),
        "settings",
        CHANGE,
    ),
    Step(
        "write",
        lambda facts: facts.is_published and facts.seated > 0,
        _("Nothing has to be done"),
        _("Reminders leave by themselves. You may write to the people registered."),
        _("Write a message"),
        "write",
        "registrations.write_to_registrants",
    ),
    Step(
        "share",
        lambda facts: facts.is_published,
        _("Nobody has signed up yet"),
        _("Pass the address of the page on."),
        _("Copy the address"),
        "home",
        "registrations.view_event",
    ),
]


def next_step(facts: Facts) -> Step | None:
    """The first step of the table that applies; its words hold their numbers. A cancelled event has none."""
    step = next((step for step in STEPS if step.applies(facts)), None)
    if step and step.key == "mails":
        numbers = {"number": facts.to_see}
        return step._replace(title=step.title % numbers, button=step.button % numbers)
    return step
