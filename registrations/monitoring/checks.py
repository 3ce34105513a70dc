"""System checks: what a public site must set before it starts, and what the operator should know."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks  # noqa: A004 - Django's own word
from django.core.exceptions import ImproperlyConfigured

from registrations.mailing.providers import RELAYS_FOR_INVITATIONS
from registrations.runtime import pango

PUBLIC_SITE = "public_site"  # tag
NO_DOCUMENTS = "The PDF documents cannot be made: Pango is not on this machine."
KEY_LENGTH, KEY_CHARACTERS = 50, 5  # at least; as Django's security.W009


def require_safe_site() -> None:
    """Raise ImproperlyConfigured, with a sentence for each setting that is missing, on a public site.

    For everything that serves visitors or sends mails, also where Django runs no checks by itself (a WSGI server) or
    was told to skip them.
    """
    sentences = [error.msg for error in sorted(run_checks(tags=[PUBLIC_SITE]), key=lambda error: str(error.id))]
    if settings.PUBLIC and not pango.is_installed():
        sentences.append(f"{NO_DOCUMENTS} Install it: {_how_to_install()}")
    if sentences:
        raise ImproperlyConfigured("This site is public and not safe yet:\n- " + "\n- ".join(sentences))


def _how_to_install() -> str:
    return "; ".join(f"{system}: {command}" for system, command in pango.HOW_TO_INSTALL.items())


def _refuses(number: str, sentence: str) -> Callable[[Callable[[], bool]], Callable[[], bool]]:
    """Make a system check of a condition: on a public site where it holds, an error with this sentence."""

    def declare(holds: Callable[[], bool]) -> Callable[[], bool]:
        def check(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
            return [Error(sentence, id=f"registrations.{number}")] if settings.PUBLIC and holds() else []

        register(check, PUBLIC_SITE)
        return holds

    return declare


@_refuses("E002", "Set SECRET_KEY to at least 50 random characters of your own.")
def key_is_weak() -> bool:
    key = settings.SECRET_KEY
    return settings.SECRET_KEY_IS_GENERATED or len(key) < KEY_LENGTH or len(set(key)) < KEY_CHARACTERS


@_refuses("E003", "Set BASE_URL to an https:// address.")
def address_is_not_encrypted() -> bool:
    return not settings.HTTPS


@_refuses("E004", "Set EMAIL_URL: mails would only be written to a folder.")
def mails_are_not_sent() -> bool:
    return "eml_folder" in settings.MAILERS["default"]["BACKEND"]


@_refuses("E005", "Set DEFAULT_FROM_EMAIL to a mailbox that exists.")
def sender_does_not_exist() -> bool:
    return "@" not in settings.DEFAULT_FROM_EMAIL or settings.DEFAULT_FROM_EMAIL == settings.DEMO_FROM_EMAIL


@_refuses(
    "E006",
    "Set ANYMAIL_WEBHOOK_SECRET to user:password of your own, and give both to the mail provider in the address of its"
    " webhook.",
)
def bounces_are_not_received() -> bool:
    return bool(settings.MAIL_EVENTS_VIEW) and settings.MAIL_IS_SENT_BY_API and not settings.ANYMAIL_WEBHOOK_SECRET


@_refuses("E007", "Set LEGAL_CONTACT to the address that answers questions on data and accessibility.")
def contact_is_missing() -> bool:
    return not settings.LEGAL_CONTACT


@_refuses("E008", "Set DEBUG to off.")
def debug_pages_are_shown() -> bool:
    return settings.DEBUG


@_refuses("E009", "Set ALLOWED_HOSTS to the names of this site, without * and without a dot in front.")
def any_host_is_allowed() -> bool:
    return any(host == "*" or host.startswith(".") for host in settings.ALLOWED_HOSTS)


@_refuses("E010", "Set STAFF_OTP to required: a password alone does not guard people's data.")
def password_is_enough() -> bool:
    return settings.STAFF_OTP != "required"


@_refuses("E011", "Set RATE_LIMITS to on: without limits anyone can flood a mailbox from here.")
def rate_limits_are_off() -> bool:
    return not settings.RATE_LIMITS


@register
def invitations_keep_their_type(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """These APIs guess the type of an attachment from its name: the invitation arrives as an ordinary file."""
    relay = RELAYS_FOR_INVITATIONS.get(settings.MAILERS["default"]["BACKEND"])
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
    """A warning, so that backups and the like go on; `require_safe_site` keeps a public site from starting."""
    if pango.is_installed():
        return []
    words = (
        f"{NO_DOCUMENTS} Mails leave without the presentation that this site typesets, and there are no certificates"
        " or sheets."
    )
    return [Warning(words, hint=f"{_how_to_install()}; then start again", id="registrations.W002")]
