"""Read mails with the standard library."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def read_folder(folder: Path) -> list[EmailMessage]:
    return [read(path.read_bytes()) for path in sorted(folder.glob("[!.]*.eml"))]


def tree(part: EmailMessage) -> object:
    """Content types of the parts, nested like the parts."""
    if part.is_multipart():
        return [
            part.get_content_type(),
            *(tree(child) for child in part.iter_parts() if isinstance(child, EmailMessage)),
        ]
    return part.get_content_type()


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def part(message: EmailMessage, content_type: str) -> bytes:
    [found] = [leaf for leaf in message.walk() if leaf.get_content_type() == content_type]
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def attachment_names(message: EmailMessage) -> list[str | None]:
    return [leaf.get_filename() for leaf in message.iter_attachments()]


def links(words: str) -> list[str]:
    return re.findall(r"https?://[^\s\"<>]+", words)


def calendar_lines(calendar: bytes) -> list[str]:
    """Unfolded content lines (RFC 5545, section 3.1)."""
    return calendar.decode().replace("\r\n ", "").split("\r\n")
