"""What becomes of a mail: its state in the outbox, and what the mail provider says of it later."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    PENDING = "pending", _("To be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Handed over to the mail server")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")
    HELD = "held", _("Held back since a restore")
    BROKEN = "broken", _("Cannot be composed")


class Obstacle(models.TextChoices):
    """What the last try met, while the mail waits for another one."""

    SERVER = "server", _("the mail server or our settings: no mail leaves")
    MAIL = "mail", _("this mail alone")
    RECIPIENT = "recipient", _("the recipient’s mailbox")
    EVENT = "event", _("the event is a draft")


class ProviderStatus(models.TextChoices):
    """What the provider's events say. A mail only moves down this list, never back."""

    QUEUED = "queued", _("accepted by the provider")
    DEFERRED = "deferred", _("returned for now (mailbox full or away)")
    DELIVERED = "delivered", _("delivered")
    REJECTED = "rejected", _("refused by the provider")
    BOUNCED = "bounced", _("returned: this address does not work")
    COMPLAINED = "complained", _("reported as unwanted by the recipient")

    def earlier(self) -> "list[ProviderStatus]":
        order = list(ProviderStatus)
        return order[: order.index(self)]


def returns_are_told() -> bool:
    """Whether a provider tells this site what becomes of a mail after it was handed over.

    Without its events, a mail that comes back arrives in the mailbox of DEFAULT_FROM_EMAIL, and nobody tells the site.
    """
    return bool(settings.MAIL_EVENTS_VIEW and settings.ANYMAIL_WEBHOOK_SECRET)
