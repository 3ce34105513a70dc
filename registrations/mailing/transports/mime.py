"""How a message becomes bytes, quickly: what is the same in every mail is encoded once."""

import functools
import secrets
from email.header import Header
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy, Policy
from typing import Any, Self

PLACE_OF_REPORT = secrets.token_hex(32).encode()  # nothing that anybody typed can be equal to it
HEADERS_KEPT = 128  # those that stand in every mail, among others


class Headers(HeaderRegistry):
    """The library makes a new class and parses anew for every header of every mail; here what is equal is made once.

    A header never changes: the library itself folds the same one each time a message is asked for its bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._class = functools.lru_cache(maxsize=HEADERS_KEPT)(super().__getitem__)
        self._header = functools.lru_cache(maxsize=HEADERS_KEPT)(super().__call__)

    def __getitem__(self, name: str) -> Any:
        return self._class(name)

    def __call__(self, name: str, value: Any) -> Any:
        return self._header(name, value) if isinstance(value, str) else super().__call__(name, value)


class SevenBit(EmailPolicy):
    """7-bit clean, and folding once the headers that stand in every mail."""

    def fold_binary(self, name: str, value: str) -> bytes:
        return _folded(self, name, value)


@functools.lru_cache(maxsize=HEADERS_KEPT)
def _folded(policy: EmailPolicy, name: str, value: str) -> bytes:
    """A subject is encoded from its first word to its last (RFC 2047, section 2).

    The library leaves words of ASCII as they are, and then doubles the space of some dates: it stands before an
    encoded word, where readers show it, and once more in that word.
    """
    if name.lower() == "subject" and not value.isascii():
        encoded = Header(value, "utf-8", policy.max_line_length, name).encode(linesep=policy.linesep)
        return f"{name}: {encoded}{policy.linesep}".encode("ascii")
    return EmailPolicy.fold_binary(policy, name, value)


_headers = Headers()
SEVEN_BIT = {
    linesep: SevenBit(cte_type="7bit", linesep=linesep, header_factory=_headers) for linesep in ("\n", "\r\n")
}


class Encoded(EmailMessage):
    """A message in whose bytes the report stands as it was encoded once, for all mails that carry it."""

    report: bytes  # in base64, lines end with CRLF

    @classmethod
    def of(cls, message: EmailMessage, report: bytes) -> Self:
        encoded = cls(policy=message.policy)
        vars(encoded).update(vars(message), report=report)
        return encoded

    def as_bytes(self, unixfrom: bool = False, policy: "Policy[Any] | None" = None) -> bytes:
        report = self.report
        if (policy or self.policy).linesep != "\r\n":
            report = report.replace(b"\r\n", b"\n")
        return super().as_bytes(unixfrom, policy).replace(PLACE_OF_REPORT, report)


def place_of_report(filename: str) -> MIMEPart:
    """The attachment in whose place `Encoded` puts the report."""
    part = MIMEPart()
    part["Content-Type"] = "application/pdf"
    part["Content-Transfer-Encoding"] = "base64"
    part["Content-Disposition"] = f'attachment; filename="{filename}"'
    part.set_payload(PLACE_OF_REPORT.decode())
    return part
