"""The demo's mailbox: the .eml files of the outbox folder, readable in the browser. Mounted in the demo only."""

import email
import email.policy
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from registrations.views.responses import private_page

# Links of a mail open in a window of their own, outside the frame and its sandbox.
MAIL_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
MESSAGES_SHOWN = 100


@dataclass(frozen=True)
class Stored:
    name: str
    message: EmailMessage

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def leaves(self) -> list[EmailMessage]:
        """The parts of the MIME tree that hold something, in order."""
        return [part for part in self.message.walk() if not part.is_multipart() and isinstance(part, EmailMessage)]

    @property
    def parts(self) -> list[tuple[str, str]]:
        """(file name, content type) of each leaf."""
        return [(leaf.get_filename() or "", leaf.get_content_type()) for leaf in self.leaves]

    @property
    def html_number(self) -> int:
        return [content_type for _name, content_type in self.parts].index("text/html")

    @property
    def date(self) -> datetime:
        return parsedate_to_datetime(str(self.message["Date"]))


def _stored(path: Path) -> Stored:
    return Stored(path.stem, email.message_from_bytes(path.read_bytes(), policy=email.policy.default))


def _folder() -> Path:
    return Path(settings.MAILERS["default"]["OPTIONS"]["file_path"])


def _open(name: str) -> Stored:
    path = _folder() / f"{name}.eml"
    if not path.is_file():
        raise Http404
    return _stored(path)


@require_safe
@private_page
def index(request: HttpRequest) -> HttpResponse:
    newest = sorted(_folder().glob("[!.]*.eml"), reverse=True)[:MESSAGES_SHOWN]
    return render(request, "demo/outbox.html", {"mails": [_stored(path) for path in newest]})


@require_safe
@private_page
def message(request: HttpRequest, name: str) -> HttpResponse:
    response = render(request, "demo/message.html", {"mail": _open(name)})
    response._csp_config = {**settings.SECURE_CSP, "frame-src": ["'self'"]}  # type: ignore[attr-defined]
    return response


@require_safe
@private_page
@xframe_options_sameorigin
def part(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One leaf of the message, as its reader would open it."""
    leaves = _open(name).leaves
    if number >= len(leaves):
        raise Http404
    leaf = leaves[number]
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
