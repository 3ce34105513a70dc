"""Why a mail did not leave, and what follows from it."""

import smtplib
import ssl
from dataclasses import dataclass
from enum import Enum, auto

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused

from registrations.pdf import RenderingFailed


class Verdict(Enum):
    PERMANENT = auto()  # this recipient or this content: failed at once, and shown
    TRANSIENT = auto()  # try this mail again later
    TRANSPORT = auto()  # the server is away: keep everything, stop draining
    OURS = auto()  # sender, credentials, TLS: keep everything, try for ever, alarm
    AMBIGUOUS = auto()  # cut after the mail was handed over: it may have left


@dataclass(frozen=True)
class Failure:
    verdict: Verdict
    reason: str

    @property
    def stops_the_drain(self) -> bool:
        return self.verdict in {Verdict.TRANSPORT, Verdict.OURS, Verdict.AMBIGUOUS}


class NotAccepted(Exception):
    """The transport accepted anything but exactly one recipient."""


def failure(error: Exception, *, connected: bool) -> Failure:
    """The class of an error raised while a mail was built or sent; `connected`: the transport had been opened."""
    return Failure(_verdict(error, connected=connected), _reason(error))


def _verdict(error: Exception, *, connected: bool) -> Verdict:
    match error:
        case RenderingFailed():
            return Verdict.TRANSIENT
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code = next(iter(refused.values()))[0]
            return Verdict.PERMANENT if code >= 500 else Verdict.TRANSIENT
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPSenderRefused() | smtplib.SMTPNotSupportedError():
            return Verdict.OURS
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError() | smtplib.SMTPResponseException(smtp_code=421):
            return Verdict.TRANSPORT
        case smtplib.SMTPResponseException(smtp_code=code):
            return Verdict.PERMANENT if code >= 500 else Verdict.TRANSIENT
        case ssl.SSLError() if not connected:
            return Verdict.OURS
        case smtplib.SMTPServerDisconnected() | requests.Timeout():
            return Verdict.AMBIGUOUS if connected else Verdict.TRANSPORT
        case AnymailRecipientsRefused():
            return Verdict.PERMANENT
        case AnymailError(status_code=int(code)):
            return _http_verdict(code)
        case OSError():  # no route, refused, timed out; also requests' own errors
            return Verdict.AMBIGUOUS if connected and isinstance(error, TimeoutError) else Verdict.TRANSPORT
        case ValueError():  # an address or a header that cannot be written
            return Verdict.PERMANENT
        case _:
            return Verdict.TRANSIENT


def _http_verdict(code: int) -> Verdict:
    if code in {401, 403}:
        return Verdict.OURS
    if code == 429 or code >= 500:
        return Verdict.TRANSPORT
    return Verdict.PERMANENT


def _reason(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, text = next(iter(refused.values()))
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            pass
        case _:
            return f"{type(error).__name__}: {error}"[:500]
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"[:500]
