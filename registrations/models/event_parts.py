"""What the page of an event shows besides the event's own row, read when it is asked for."""

from functools import cached_property
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import pgettext

from registrations.models.event_page import EventPage
from registrations.models.partner import Partner
from registrations.models.programme import ProgrammeItem
from registrations.models.speaker import Appearance, Speaker


class EventParts:
    """Without a row of EventPage there is no part either (`event_page.touch`): nothing is asked for then."""

    def __init__(self, event: Any) -> None:
        self.event = event
        self.has_any = bool(event.page_revision)

    @cached_property
    def page(self) -> EventPage:
        rows = EventPage.objects.select_related("picture")
        return (self.has_any and rows.filter(event=self.event).first()) or EventPage(event=self.event)

    @cached_property
    def speakers(self) -> list[Speaker]:
        rows = Appearance.objects.select_related("speaker__picture").filter(event=self.event)
        return [row.speaker for row in rows] if self.has_any else []

    @property
    def speaker_names(self) -> str:
        names = [speaker.name for speaker in self.speakers]
        return get_text_list(names, pgettext("between two names", "and"))

    @property
    def shows_portraits(self) -> bool:
        """Where nobody has a portrait, no discs with initials stand for them."""
        return any(speaker.picture for speaker in self.speakers)

    @cached_property
    def programme(self) -> list[ProgrammeItem]:
        """In the order of the session, which may go on after midnight."""
        rows = list(ProgrammeItem.objects.filter(event=self.event)) if self.has_any else []
        for row in rows:
            row.event = self.event
        return sorted(rows, key=lambda row: row.moment)

    @cached_property
    def partners(self) -> list[Partner]:
        return list(Partner.objects.select_related("logo").filter(event=self.event)) if self.has_any else []
