"""The demo's mailbox: the .eml files of the outbox folder, readable in the browser. Mounted in the demo only."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from registrations.views.reading import Received, allow_frame, part_response, read
from registrations.web.responses import private_page

MESSAGES_SHOWN = 100


@dataclass(frozen=True)
class Stored(Received):
    name: str = ""

    @property
    def date(self) -> datetime:
        return parsedate_to_datetime(str(self.message["Date"]))


def _stored(path: Path) -> Stored:
    return Stored(read(path.read_bytes()), name=path.stem)


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
    return allow_frame(render(request, "demo/message.html", {"mail": _open(name)}))


@require_safe
@private_page
@xframe_options_sameorigin
def part(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One MIME part of the message."""
    return part_response(_open(name), number)
