"""Why a mail was not sent, and what follows from it."""

import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

from anymail.exceptions import (
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.documents.pdf import RenderingFailed
from registrations.mailing.transports.smtp import CLOSING
from registrations.models import Delivery
from registrations.runtime.logs import without_codes

REASON_MAX = 500  # characters
ENHANCED_STATUS = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")
TOO_LARGE = 552  # RFC 1870, section 6.1
OF_OUR_ACCOUNT = {401, 402, 403, 404, 405, 407, 410}  # HTTP: key, payment, rights, address of the API
COME_BACK_LATER = {408, 425, 429}
LOST_BEHIND_A_GATEWAY = {502, 504}  # RFC 9110, section 15.6: what stood behind may have taken the mail
NOT_CONNECTED = {"ConnectTimeout", "ProxyError", "EndpointConnectionError", "ConnectTimeoutError"}
NOT_CONFIGURED = {"NoCredentialsError", "PartialCredentialsError", "NoRegionError"}
OUR_SENDER = re.compile(r"sender|'from'|not verified|paused|suspended", re.IGNORECASE)
LONGEST_RETRY_AFTER = timedelta(days=1)  # a provider may delay a mail, but not until it is given up


class Verdict(Enum):
    PERMANENT = auto()  # this recipient or this content: failed at once, and shown
    TRANSIENT = auto()  # try this mail again later
    TRANSPORT = auto()  # the server is away: keep everything, stop draining
    OURS = auto()  # configuration (sender, credentials, TLS): keep everything, retry without limit
    AMBIGUOUS = auto()  # cut after the mail was handed over: it may have left
    HELD_BACK = auto()  # by the organiser: keep this mail, go on with the others
    DEFECT = auto()  # of our program or data: keep this mail until something changes, go on with the others


@dataclass(frozen=True)
class Failure:
    verdict: Verdict
    reason: str
    retry_after: timedelta | None = None  # asked for by the provider
    is_of_mailbox: bool = False  # an address or a mailbox (RFC 3463, classes x.1 and x.2), not the server

    @property
    def stops_the_drain(self) -> bool:
        return self.verdict in {Verdict.TRANSPORT, Verdict.OURS, Verdict.AMBIGUOUS}

    @property
    def counts(self) -> bool:
        """Whether it counts towards the three days after which a mail is given up; our own errors do not."""
        return self.verdict not in {Verdict.OURS, Verdict.HELD_BACK}

    @property
    def obstacle(self) -> Delivery.Obstacle:
        match self.verdict:
            case Verdict.TRANSPORT | Verdict.OURS:
                return Delivery.Obstacle.SERVER
            case Verdict.HELD_BACK:
                return Delivery.Obstacle.EVENT
        return Delivery.Obstacle.RECIPIENT if self.is_of_mailbox else Delivery.Obstacle.MAIL


class NotAccepted(Exception):
    """The transport accepted anything but exactly one recipient; `statuses` and `response` are the provider's."""

    def __init__(self, reason: str, *, statuses: frozenset[str] = frozenset(), response: Any = None) -> None:
        super().__init__(reason)
        self.statuses = statuses
        self.response = response


class Unreadable(Exception):
    """The provider answered, but not with what its API promises: it may have taken the mail."""


class NotComposed(Exception):
    """The message could not be made of what is in the database; the cause is the error."""


class HeldBack(Exception):
    """This mail must not be sent yet."""


class NoLongerWanted(Exception):
    """This mail must not be sent any more; `state` is its final state."""

    def __init__(self, state: Delivery.State, reason: str) -> None:
        super().__init__(reason)
        self.state = state


def failure(error: Exception, *, connected: bool, handing_over: bool) -> Failure:
    """The class of an error raised while a mail was built or sent.

    `connected`: the transport had been opened. `handing_over`: the SMTP server had asked for the mail itself.
    """
    verdict = Verdict.AMBIGUOUS if handing_over and _is_silence(error) else _verdict(error, connected=connected)
    code = _enhanced_status(verdict, error)
    is_of_mailbox = code.partition(".")[0] in OF_A_MAILBOX
    words = without_codes(_in_words(verdict, error))  # a server may quote a link of the mail that it refuses
    return Failure(verdict, words[:REASON_MAX], _retry_after(error), is_of_mailbox)


def in_words(error: NotComposed) -> str:
    return failure(error, connected=False, handing_over=False).reason


def _is_silence(error: Exception) -> bool:
    """The connection ended, or nothing came: no reply of the server says what became of the mail."""
    return not isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) and isinstance(
        error, OSError
    )


def _verdict(error: Exception, *, connected: bool) -> Verdict:
    match error:
        case RenderingFailed() | DatabaseError() | InterfaceError():
            return Verdict.TRANSIENT
        case NotComposed(__cause__=OSError() | MemoryError()):  # this machine, not this mail
            return Verdict.TRANSIENT
        case HeldBack():
            return Verdict.HELD_BACK
        case AnymailError() | NotAccepted() | Unreadable():  # before OSError, which some of anymail's errors are too
            return _api_verdict(error)
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
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return Verdict.TRANSPORT
        case ssl.SSLError() | smtplib.SMTPException() if not connected:  # no TLS we trust, no way to log in
            return Verdict.OURS
        case OSError():  # no route, refused, timed out
            return Verdict.TRANSPORT
        case _:
            return Verdict.DEFECT


def _smtp_verdict(code: int) -> Verdict:
    """Of a reply code (RFC 5321, section 4.2.1)."""
    if code == CLOSING:
        return Verdict.TRANSPORT
    return Verdict.PERMANENT if code >= 500 else Verdict.TRANSIENT


def _api_verdict(error: Exception) -> Verdict:
    """Of a provider's HTTP API: what it said of the recipient, else its answer, else how far the request came."""
    match error:
        case Unreadable():
            return Verdict.AMBIGUOUS
        case AnymailRecipientsRefused(email_message=message) if message and not message.anymail_status.recipients:
            return Verdict.AMBIGUOUS  # an answer without a recipient
        case AnymailRecipientsRefused():
            return Verdict.PERMANENT
        case NotAccepted(statuses=statuses) if statuses & {"invalid", "rejected"}:
            return Verdict.PERMANENT
        case AnymailInvalidAddress():
            return Verdict.PERMANENT
        case AnymailUnsupportedFeature() | AnymailSerializationError():  # EAI: accents in this one address
            return Verdict.PERMANENT if "EAI" in str(error) else Verdict.OURS
    if (code := _status_code(error)) is None:
        return _unanswered_verdict(error)
    if isinstance(error, NotAccepted) and code < 300:
        return Verdict.AMBIGUOUS if "unknown" in error.statuses else Verdict.TRANSIENT
    return _http_verdict(code, _answer(error))


def _http_verdict(code: int, answer: str) -> Verdict:
    if 200 <= code < 300 or code in LOST_BEHIND_A_GATEWAY:
        return Verdict.AMBIGUOUS
    if code in COME_BACK_LATER or code >= 500:
        return Verdict.TRANSPORT
    if code in OF_OUR_ACCOUNT or code < 400 or OUR_SENDER.search(answer):
        return Verdict.OURS
    return Verdict.PERMANENT


def _unanswered_verdict(error: Exception) -> Verdict:
    """Of a request without an answer: whether it can have reached the provider.

    Anymail's error is of the class that `requests` raised, too, and has Amazon's as its cause. Both libraries belong
    to anymail and need not be installed: their classes are recognised by name.
    """
    if isinstance(error, NotAccepted):
        return Verdict.TRANSIENT
    cause = error.__cause__
    names = _class_names(error) | {type(cause).__name__}
    if "SSLError" in names and "EOF" not in str(cause):
        return Verdict.OURS
    if names & NOT_CONNECTED or _never_connected(cause):
        return Verdict.TRANSPORT
    if names & NOT_CONFIGURED or ("RequestException" in names and isinstance(error, ValueError)):
        return Verdict.OURS  # the last: an address or a header that we set
    return Verdict.AMBIGUOUS


def _never_connected(cause: BaseException | None) -> bool:
    """Whether `requests` gave up because urllib3 could open no connection."""
    inner = cause.args[0] if cause and cause.args else None
    return "NewConnectionError" in _class_names(getattr(inner, "reason", None))


def _class_names(error: object) -> set[str]:
    return {each.__name__ for each in type(error).__mro__}


def _status_code(error: Exception) -> int | None:
    """Of the provider's answer: a response of requests, or Amazon's dictionary."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        response = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return response if isinstance(response, int) else None
    return getattr(response, "status_code", None)


def _answer(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response) if isinstance(response, dict) else str(getattr(response, "text", ""))


def _retry_after(error: Exception) -> timedelta | None:
    """Retry-After (RFC 9110, section 10.2.3): seconds or a date; None when absent or unreadable."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = str(headers.get("Retry-After", "")).strip()
    if value.isascii() and value.isdecimal():
        return min(timedelta(seconds=int(value[:9])), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if timezone.is_naive(moment):
        return None
    return min(max(moment - timezone.now(), timedelta()), LONGEST_RETRY_AFTER)


OF_A_MAILBOX = {"1", "2"}
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
    Verdict.DEFECT: _("a fault of this site: the message cannot be composed"),
}


def _in_words(verdict: Verdict, error: Exception) -> str:
    """What an organiser understands: from the enhanced status code (RFC 3463) when the server gave one."""
    if isinstance(error, NotAccepted | HeldBack | Unreadable):
        return f"{error} {_answer(error)}".strip()
    if isinstance(error, RenderingFailed):
        words: Any = _("the document of the study could not be made")
    else:
        code = _enhanced_status(verdict, error)
        words = WORDS.get(code) or WORDS.get(code.partition(".")[0]) or WORDS_OF_VERDICTS[verdict]
    return f"{words} ({_as_told(error)})"


def _enhanced_status(verdict: Verdict, error: Exception) -> str:
    """Subject and detail of the enhanced status code (RFC 3463), as in "2.2"; empty when none was given."""
    told = ENHANCED_STATUS.search(_as_told(error)) if verdict in OF_THE_RECIPIENT else None
    return told[1] if told else ""


def _as_told(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, text = next(iter(refused.values()))
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            pass
        case AnymailError():
            return f"{' '.join(str(error).split())} {'' if error.status_code else _answer(error)}".strip()
        case NotComposed(__cause__=cause) if cause:
            return f"{type(cause).__name__}: {cause}"
        case _:
            return f"{type(error).__name__}: {error}"
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
