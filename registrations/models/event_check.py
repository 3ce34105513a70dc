"""What was looked at before an event is published: by whom, when, and whether the event has changed since."""

import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event
from registrations.models.event_page import EventPage

ROWS = ["report_sections", "own_questions", "mail_texts"]  # all others give the page another revision
NOT_COMPARED = {"id", "status", "sequence"}  # publishing changes nothing of what was seen


class EventCheck(models.Model):
    """The latest look at one part of an event."""

    class Part(models.TextChoices):
        PAGE = "page", _("The page was read")
        MAILS = "mails", _("The mails were read")

    event = models.ForeignKey(Event, models.CASCADE, related_name="checks")
    part = models.CharField(max_length=10, choices=Part)
    seen_at = models.DateTimeField(default=timezone.now)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=64)  # of the event when it was seen

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "part"], name="event_part_is_checked_once")]

    def __str__(self) -> str:
        return self.get_part_display()


def state_of(event: Event) -> str:
    """A digest of the columns of an event, and of the rows that its page and mails show."""
    columns = {
        field.attname: str(getattr(event, field.attname))
        for field in event._meta.concrete_fields
        if field.attname not in NOT_COMPARED
    }
    rows = [list(getattr(event, name).order_by("pk").values_list()) for name in ROWS]
    page = EventPage.objects.filter(event=event).values_list("revision", flat=True).first()
    return hashlib.sha256(repr([sorted(columns.items()), rows, page]).encode()).hexdigest()
