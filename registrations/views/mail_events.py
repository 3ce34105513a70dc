"""Webhooks of mail providers where anymail's own view needs help."""

import json
from typing import Any

from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.brevo import BrevoTrackingWebhookView


class BrevoEvents(BrevoTrackingWebhookView):  # type: ignore[misc] # anymail has no types
    def esp_to_anymail_event(self, esp_event: dict[str, Any]) -> AnymailTrackingEvent:
        """A mail of another program may carry anything in this header; an error would make Brevo repeat its event."""
        custom = esp_event.get("X-Mailin-custom")
        try:
            json.loads(custom or "")
        except (TypeError, ValueError):
            custom = "{}"
        return super().esp_to_anymail_event({**esp_event, "X-Mailin-custom": custom})
