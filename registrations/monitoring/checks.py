"""What the operator should know before the first mail leaves."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - the check's own word

from registrations.runtime import pango

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


@register
def documents_can_be_typeset(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A public site does not start without them; elsewhere the mails leave without the document."""
    if pango.is_installed():
        return []
    how = "; ".join(f"{system}: {command}" for system, command in pango.HOW_TO_INSTALL.items())
    if settings.PUBLIC:
        return [
            Error("The PDF documents cannot be made: Pango is not on this machine.", hint=how, id="registrations.E001")
        ]
    words = (
        "The PDF documents cannot be made: Pango is not on this machine. Mails leave without the report that this site"
        " typesets, and there are no certificates or sheets."
    )
    return [Warning(words, hint=f"{how}; then start again", id="registrations.W002")]
