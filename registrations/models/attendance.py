"""Who attended, and how this is known."""

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models.registration import Registration


class Attendance(models.Model):
    """One record that a person attended. A registration has at most one per origin; one of any origin is enough."""

    class Origin(models.TextChoices):
        JOIN = "join", _("Opened the room with the personal link")
        IMPORT = "import", _("In the room’s own report")
        HAND = "hand", _("Noted by hand")

    registration = models.ForeignKey(
        Registration, models.CASCADE, related_name="attendances", verbose_name=_("registration")
    )
    origin = models.CharField(_("how we know"), max_length=10, choices=Origin)
    noted_at = models.DateTimeField(_("noted"), default=timezone.now)
    minutes = models.PositiveIntegerField(
        _("minutes in the room"), null=True, blank=True, help_text=_("As the room’s report says.")
    )

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        ordering = ["noted_at"]
        constraints = [
            models.UniqueConstraint(fields=["registration", "origin"], name="attendance_is_noted_once_per_origin"),
        ]

    def __str__(self) -> str:
        return self.get_origin_display()


def has_attended() -> Exists:
    """A condition on registrations. Not a join: such rows could not be locked, and counting them would take longer."""
    return Exists(Attendance.objects.filter(registration=OuterRef("pk")))
