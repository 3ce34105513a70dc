"""Facts about mail providers (anymail's ESPs). Imported by the settings, so it must import no model."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 30  # seconds for each step of the SMTP dialogue, or for a provider's answer
EVENT_VIEWS = {  # of the providers whose hard and soft bounces registrations.mailing.tracking can tell apart
    "amazon_ses": "anymail.webhooks.amazon_ses.AmazonSESTrackingWebhookView",
    "brevo": "registrations.views.mail_events.BrevoEvents",
    "mailjet": "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
}
SMTP_RELAYS = {"smtp-relay.brevo.com": "brevo", "in-v3.mailjet.com": "mailjet", "smtp.postmarkapp.com": "postmark"}
CAN_STOP_TRACKING = {"mailersend", "mailgun", "mailjet", "mandrill", "postmark", "sparkpost", "unisender_go"}
RELAYS_FOR_INVITATIONS = {  # EMAIL_URL, by the backends whose API guesses the type of an attachment from its name
    "anymail.backends.brevo.EmailBackend": "smtp+tls://user:password@smtp-relay.brevo.com:587",
    "anymail.backends.mailersend.EmailBackend": "smtp+tls://user:password@smtp.mailersend.net:587",
}


def speaks_api(url: str) -> bool:
    """Whether EMAIL_URL names a provider's HTTP API: `anymail://<esp>`."""
    return url.startswith("anymail://")


def behind(url: str) -> str:
    """The ESP that EMAIL_URL leads to, by its API or by its SMTP relay; empty when it is none that we know."""
    host = (urlsplit(url).hostname or "").lower()
    return host if speaks_api(url) else SMTP_RELAYS.get(host, "")


def anymail_settings(esp: str, variables: Mapping[str, str], *, secret: str) -> dict[str, Any]:
    """ANYMAIL, from the ESP's own variables (for example BREVO_API_KEY). Opens and clicks are not tracked."""
    if not esp:
        return {}
    prefix = f"{esp.upper()}_"
    untracked = {"track_opens": False, "track_clicks": False} if esp in CAN_STOP_TRACKING else {}
    return {
        **{name: value for name, value in variables.items() if name.startswith(prefix)},
        **({"WEBHOOK_SECRET": secret} if secret else {}),
        "REQUESTS_TIMEOUT": TIMEOUT,
        "SEND_DEFAULTS": untracked,
    }
