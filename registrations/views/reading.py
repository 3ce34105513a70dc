"""Show a mail in a page: its parts, and its HTML in a sandboxed frame."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage

from django.conf import settings
from django.http import Http404, HttpResponse

# Links of a mail open in a new window, outside the sandbox of the frame.
MAIL_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True)
class Received:
    message: EmailMessage

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def leaves(self) -> list[EmailMessage]:
        """The parts of the MIME tree that are not multipart, in order."""
        return [part for part in self.message.walk() if not part.is_multipart() and isinstance(part, EmailMessage)]

    @property
    def parts(self) -> list[tuple[str, str]]:
        """(file name, content type) of each leaf."""
        return [(leaf.get_filename() or "", leaf.get_content_type()) for leaf in self.leaves]

    @property
    def html_number(self) -> int:
        return [content_type for _name, content_type in self.parts].index("text/html")

    @property
    def attachments(self) -> list[tuple[int, str, int]]:
        """(number of the leaf, file name, size in bytes)."""
        return [
            (number, name, len(leaf.get_payload(decode=True) or b""))
            for number, leaf in enumerate(self.leaves)
            if (name := leaf.get_filename())
        ]


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def allow_frame(response: HttpResponse) -> HttpResponse:
    """Allow the page to show a part of a mail in a frame."""
    response._csp_config = {**settings.SECURE_CSP, "frame-src": ["'self'"]}  # type: ignore[attr-defined]
    return response


def part_response(mail: Received, number: int) -> HttpResponse:
    """One part of the message, with the type that a mail program would open it with."""
    if number >= len(mail.leaves):
        raise Http404
    leaf = mail.leaves[number]
    content = leaf.get_payload(decode=True)
    if leaf.get_content_type() == "text/html" and isinstance(content, bytes):
        content = content.replace(b"<head>", b'<head><base target="_blank">', 1)
    response = HttpResponse(content, content_type=f"{leaf.get_content_type()}; charset=utf-8")
    if leaf.get_content_type() == "application/pdf":
        response["Content-Disposition"] = f'inline; filename="{leaf.get_filename()}"'
        response["Content-Type"] = "application/pdf"
    elif filename := leaf.get_filename():
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Content-Security-Policy"] = MAIL_CSP
    return response
