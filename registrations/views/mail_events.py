"""Webhooks of mail providers for which anymail's view is not enough."""

import json
from typing import Any

from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.brevo import BrevoTrackingWebhookView


class BrevoEvents(BrevoTrackingWebhookView):  # type: ignore[misc] # anymail has no types
    def esp_to_anymail_event(self, esp_event: dict[str, Any]) -> AnymailTrackingEvent:
        """Ignore an invalid header of a mail sent by another program: after an error, Brevo would repeat the event."""
        custom = esp_event.get("X-Mailin-custom")
        try:
            json.loads(custom or "")
        except (TypeError, ValueError):
            custom = "{}"
        return super().esp_to_anymail_event({**esp_event, "X-Mailin-custom": custom})
