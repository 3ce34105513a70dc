"""A visitor of the site and their mailbox."""

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from django.test import Client

from registrations.mailing import outbox
from registrations.models import Event
from tests.factories import answers
from tests.mailbox import read_folder


def without_token(page: str) -> str:
    """The page without its CSRF token, which differs in each response."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def shown_stamp(client: Client, path: str) -> str:
    """The time stamp in the form at this path."""
    [stamp] = re.findall(r'name="stamp" value="([^"]+)"', client.get(path).content.decode())
    return str(stamp)


def without_line_breaks(page: str) -> str:
    """The page without the line breaks and indentation between its tags."""
    return re.sub(r"\s*\n\s*", "", page)


class Journey:
    """Signs people up with the form and reads their mail."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = client, folder

    def sign_up(self, event: Event, *, language: str = "", follow: bool = True, **typed: Any) -> Any:
        path = f"{language}/evenements/{event.slug}/inscription/"
        stamp = shown_stamp(self.client, path)
        return self.client.post(path, {**answers(**typed), "stamp": stamp}, follow=follow)

    def mails(self) -> list[EmailMessage]:
        """Send the mails that are due, then return all mails, the oldest first."""
        outbox.drain()
        return read_folder(self.folder)
