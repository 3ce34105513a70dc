"""Turn a message into bytes. What is the same in every mail is encoded once."""

import functools
import secrets
from email.header import Header
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy, Policy
from typing import Any, Self

PLACE_OF_REPORT = secrets.token_hex(32).encode()  # random, so that no text can contain it
HEADERS_KEPT = 128  # enough for the headers that every mail has


class Headers(HeaderRegistry):
    """Cache header classes and parsed headers, which the library creates again for every header of every mail.

    Sharing a header object is safe, because the library never changes one.
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
    """A 7-bit clean policy that caches folded headers."""

    def fold_binary(self, name: str, value: str) -> bytes:
        return _folded(self, name, value)


@functools.lru_cache(maxsize=HEADERS_KEPT)
def _folded(policy: EmailPolicy, name: str, value: str) -> bytes:
    """Fold a header; a subject that is not ASCII is encoded as a whole (RFC 2047, section 2).

    The library encodes only the words that need it. It then repeats the space before some of them inside the encoded
    word, so that mail programs show two spaces.
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
    """A message whose report is inserted already encoded: it is encoded once for all mails that attach it."""

    report: bytes  # base64, with CRLF line ends

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
    """A placeholder attachment, which `Encoded` replaces with the report."""
    part = MIMEPart()
    part["Content-Type"] = "application/pdf"
    part["Content-Transfer-Encoding"] = "base64"
    part["Content-Disposition"] = f'attachment; filename="{filename}"'
    part.set_payload(PLACE_OF_REPORT.decode())
    return part
