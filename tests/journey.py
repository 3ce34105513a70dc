"""A person in front of the site, and the mailbox beside them."""

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
    """A page without what is made anew for each answer."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def shown_stamp(client: Client, path: str) -> str:
    """The time stamp in the form at this path, as a browser finds it."""
    [stamp] = re.findall(r'name="stamp" value="([^"]+)"', client.get(path).content.decode())
    return str(stamp)


class Journey:
    """Signs people up through the pages and reads their mail, as they would."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = client, folder

    def sign_up(self, event: Event, *, language: str = "", follow: bool = True, **typed: Any) -> Any:
        path = f"{language}/evenements/{event.slug}/inscription/"
        stamp = shown_stamp(self.client, path)
        return self.client.post(path, {**answers(**typed), "stamp": stamp}, follow=follow)

    def mails(self) -> list[EmailMessage]:
        """Let the worker send what is due, then open the mailbox: oldest first."""
        outbox.drain()
        return read_folder(self.folder)
