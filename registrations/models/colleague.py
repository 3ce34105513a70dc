"""What the site knows of a member of the team besides the account: the invitation, and the events of the account."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models.delivery import Delivery
from registrations.models.event import Event

INVITATION_KEPT = timedelta(days=7)


class EventMember(models.Model):
    """An account that is named on an event: an account « per event » sees this event."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="members", verbose_name=_("event"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="named_on", verbose_name=_("account")
    )

    class Meta:
        verbose_name = _("member of the team of an event")
        verbose_name_plural = _("members of the team of an event")
        default_permissions = ()
        permissions = [("limited_to_named_events", _("Sees only the events on which it is named"))]
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="account_is_named_once_on_an_event")]

    def __str__(self) -> str:
        return f"{self.user} ({self.event})"


class Invitation(models.Model):
    """The last invitation of an account: its link is in the mail and nowhere else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitation", verbose_name=_("account")
    )
    # no constraint: mails are deleted in bulk, and must not look for this row
    delivery = models.OneToOneField(
        Delivery, models.DO_NOTHING, null=True, db_constraint=False, related_name="invitation", verbose_name=_("mail")
    )
    invited_by = models.BigIntegerField(_("account number"))
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("colleague")
        verbose_name_plural = _("colleagues")
        default_permissions = ()
        permissions = [("manage_colleagues", _("Can invite colleagues and change their roles"))]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def expires_at(self) -> datetime:
        return self.sent_at + INVITATION_KEPT

    @property
    def is_pending(self) -> bool:
        """Neither used nor withdrawn; its link may have expired."""
        return self.accepted_at is None and self.withdrawn_at is None

    @property
    def is_open(self) -> bool:
        """Its link can be used."""
        return self.is_pending and timezone.now() < self.expires_at

    def accept(self) -> None:
        """A password was chosen."""
        self.accepted_at = timezone.now()
        self.save(update_fields=["accepted_at"])
