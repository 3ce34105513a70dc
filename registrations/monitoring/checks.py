"""What the operator should know before the first mail leaves."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - the check's own word

SMTP_RELAYS = {
    "anymail.backends.brevo.EmailBackend": "smtp+tls://user:password@smtp-relay.brevo.com:587",
    "anymail.backends.mailersend.EmailBackend": "smtp+tls://user:password@smtp.mailersend.net:587",
}


@register
def invitations_keep_their_type(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """These APIs guess the type of an attachment from its name: the invitation arrives as any other file."""
    relay = SMTP_RELAYS.get(settings.MAILERS["default"]["BACKEND"])
    if relay is None:
        return []
    return [
        Warning(
            "Through this provider's API the calendar invitation loses its type: it is not shown as an invitation.",
            hint=f"Use its SMTP relay: EMAIL_URL={relay}",
            id="registrations.W001",
        )
    ]
