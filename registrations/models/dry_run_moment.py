"""The moment at which an organiser looks at the pages of a dry run, whatever the time is."""

from django.db import models
from django.utils.translation import gettext_lazy as _

MOMENT = "moment"  # query parameter of these pages


class Moment(models.TextChoices):
    BEFORE = "avant", _("before the session")
    OPEN = "ouvert", _("the room is open")
    AFTER = "apres", _("after the session")
