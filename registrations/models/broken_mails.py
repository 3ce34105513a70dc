"""A mail that could not be composed is tried again once something that it is made of has been saved."""

from typing import Any

from django.db import models
from django.db.models.signals import post_save

from registrations.models.broadcast import Broadcast
from registrations.models.delivery import Delivery
from registrations.models.event import Event
from registrations.models.registration import Registration
from registrations.models.report_section import ReportSection

FOUND_BY = {  # the field of the mail, and the field of what was saved
    Event: ("event", "pk"),
    ReportSection: ("event", "event_id"),
    Broadcast: ("broadcast", "pk"),
    Registration: ("registration", "pk"),
}


def try_again(sender: type[models.Model], instance: models.Model, *, created: bool, **_signal: Any) -> None:
    if not created:
        of_mail, of_instance = FOUND_BY[sender]
        Delivery.objects.broken().filter(**{of_mail: getattr(instance, of_instance)}).try_again()


for model in FOUND_BY:
    post_save.connect(try_again, sender=model)
