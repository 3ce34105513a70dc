"""Events of the mail provider: delivered, returned, reported. They may come twice, late or out of order."""

from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.conf import settings
from django.dispatch import receiver

from registrations.models import Delivery

Status = Delivery.ProviderStatus
STATUSES = {
    EventType.QUEUED: Status.QUEUED,
    EventType.SENT: Status.QUEUED,
    EventType.DEFERRED: Status.DEFERRED,
    EventType.DELIVERED: Status.DELIVERED,
    EventType.REJECTED: Status.REJECTED,
    EventType.FAILED: Status.REJECTED,
    EventType.COMPLAINED: Status.COMPLAINED,
}


@receiver(tracking)
def note_event(sender: Any, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """Record an event of a mail of ours. It is found by our own id: some providers replace the Message-ID."""
    delivery, status = _delivery(event.metadata), _status(event, esp_name)
    if delivery is not None and status is not None:
        Delivery.objects.filter(pk=delivery).note_event(status)


def _delivery(metadata: Any) -> int | None:
    """The id in the mail's metadata; None if another site that shares the provider's account sent the mail."""
    if not isinstance(metadata, dict) or metadata.get("site", settings.HOST[:80]) != settings.HOST[:80]:
        return None
    number = str(metadata.get("delivery", ""))
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else None


def _status(event: AnymailTrackingEvent, esp_name: str) -> Status | None:
    if event.event_type == EventType.BOUNCED:
        return Status.BOUNCED if _is_hard(event.esp_event, esp_name) else Status.DEFERRED
    if event.event_type == EventType.REJECTED and event.reject_reason == RejectReason.INVALID:
        return Status.BOUNCED
    return STATUSES.get(event.event_type)


def _is_hard(esp_event: dict[str, Any], esp_name: str) -> bool:
    """Whether the address does not work. Anymail calls temporary (soft) bounces `bounced` too.

    Compared with tuples: a value may be a list, which no set can look up.
    """
    match esp_name:
        case "Brevo":
            return esp_event.get("event") in ("hard_bounce", "invalid_email")
        case "Mailjet":
            return esp_event.get("hard_bounce") in (True, "1", "true")
        case "Postmark":
            return "HardBounce" in (esp_event.get("Type"), esp_event.get("SuppressionReason"))
        case "Amazon SES":
            return bool(esp_event.get("bounce", {}).get("bounceType") == "Permanent")
    return False
