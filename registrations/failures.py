"""Why a mail did not leave, and what follows from it."""

import re
import smtplib
import ssl
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.utils.translation import gettext_lazy as _

from registrations.models import Delivery
from registrations.pdf import RenderingFailed

REASON_MAX = 500  # characters
ENHANCED_STATUS = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")
CLOSING = 421  # RFC 5321, section 3.8
TOO_LARGE = 552  # RFC 1870, section 6.1


class Verdict(Enum):
    PERMANENT = auto()  # this recipient or this content: failed at once, and shown
    TRANSIENT = auto()  # try this mail again later
    TRANSPORT = auto()  # the server is away: keep everything, stop draining
    OURS = auto()  # sender, credentials, TLS: keep everything, try for ever
    AMBIGUOUS = auto()  # cut after the mail was handed over: it may have left
    HELD_BACK = auto()  # by the organiser: keep this mail, go on with the others


@dataclass(frozen=True)
class Failure:
    verdict: Verdict
    reason: str

    @property
    def stops_the_drain(self) -> bool:
        return self.verdict in {Verdict.TRANSPORT, Verdict.OURS, Verdict.AMBIGUOUS}

    @property
    def counts(self) -> bool:
        """Against the three days after which a mail is given up: what is our own to mend does not."""
        return self.verdict not in {Verdict.OURS, Verdict.HELD_BACK}


class NotAccepted(Exception):
    """The transport accepted anything but exactly one recipient."""


class HeldBack(Exception):
    """This mail must not leave yet."""


class NoLongerWanted(Exception):
    """This mail must not leave any more; `state` is where it ends."""

    def __init__(self, state: Delivery.State, reason: str) -> None:
        super().__init__(reason)
        self.state = state


def failure(error: Exception, *, connected: bool, handing_over: bool) -> Failure:
    """The class of an error raised while a mail was built or sent.

    `connected`: the transport had been opened. `handing_over`: the SMTP server had asked for the mail itself.
    """
    verdict = Verdict.AMBIGUOUS if handing_over and _is_silence(error) else _verdict(error, connected=connected)
    return Failure(verdict, _in_words(verdict, error)[:REASON_MAX])


def _is_silence(error: Exception) -> bool:
    """The connection ended, or nothing came: no reply of the server says what became of the mail."""
    return not isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) and isinstance(
        error, OSError
    )


def _verdict(error: Exception, *, connected: bool) -> Verdict:
    match error:
        case RenderingFailed():
            return Verdict.TRANSIENT
        case HeldBack():
            return Verdict.HELD_BACK
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, text = next(iter(refused.values()))
            return Verdict.OURS if b"relay" in text.lower() else _smtp_verdict(code)
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
            return Verdict.TRANSPORT
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPNotSupportedError():
            return Verdict.OURS
        case smtplib.SMTPSenderRefused(smtp_code=code) if code >= 500 and code != TOO_LARGE:
            return Verdict.OURS
        case smtplib.SMTPResponseException(smtp_code=code):
            return _smtp_verdict(code)
        case requests.Timeout():
            return Verdict.AMBIGUOUS if connected else Verdict.TRANSPORT
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return Verdict.TRANSPORT
        case ssl.SSLError() | smtplib.SMTPException() if not connected:  # no TLS we trust, no way to log in
            return Verdict.OURS
        case AnymailRecipientsRefused():
            return Verdict.PERMANENT
        case AnymailError(status_code=int(code)):
            return _http_verdict(code)
        case OSError():  # no route, refused, timed out; also requests' own errors
            return Verdict.TRANSPORT
        case _:
            return Verdict.TRANSIENT


def _smtp_verdict(code: int) -> Verdict:
    """Of a reply code (RFC 5321, section 4.2.1)."""
    if code == CLOSING:
        return Verdict.TRANSPORT
    return Verdict.PERMANENT if code >= 500 else Verdict.TRANSIENT


def _http_verdict(code: int) -> Verdict:
    if code in {401, 403}:
        return Verdict.OURS
    if code == 429 or code >= 500:
        return Verdict.TRANSPORT
    return Verdict.PERMANENT


OF_THE_RECIPIENT = {Verdict.PERMANENT, Verdict.TRANSIENT}
WORDS = {
    "1.1": _("unknown address"),
    "1.2": _("this domain receives no mail"),
    "1.10": _("this domain receives no mail"),
    "2.1": _("this mailbox is closed"),
    "2.2": _("mailbox full"),
    "3.4": _("message too large"),
    "4.1": _("the recipient’s server does not answer"),
    "7": _("refused by the recipient’s server"),  # policy and security, whatever the detail
}
WORDS_OF_VERDICTS = {
    Verdict.PERMANENT: _("refused"),
    Verdict.TRANSIENT: _("put off"),
    Verdict.TRANSPORT: _("the mail server cannot be reached"),
    Verdict.OURS: _("our own settings are refused: sender, credentials or encryption"),
    Verdict.AMBIGUOUS: _("cut while it was handed over: it may have left"),
    Verdict.HELD_BACK: _("held back"),
}


def _in_words(verdict: Verdict, error: Exception) -> str:
    """What an organiser understands: from the enhanced status code (RFC 3463) when the server gave one."""
    if isinstance(error, NotAccepted | HeldBack):
        return str(error)
    if isinstance(error, RenderingFailed):
        words: Any = _("the report could not be made")
    else:
        told = ENHANCED_STATUS.search(_as_told(error)) if verdict in OF_THE_RECIPIENT else None
        code = told[1] if told else ""
        words = WORDS.get(code) or WORDS.get(code.partition(".")[0]) or WORDS_OF_VERDICTS[verdict]
    return f"{words} ({_as_told(error)})"


def _as_told(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, text = next(iter(refused.values()))
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            pass
        case _:
            return f"{type(error).__name__}: {error}"
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
