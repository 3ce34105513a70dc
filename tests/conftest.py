"""What tests share: nothing leaves the machine, and the mail folder is empty at the start of each test."""

import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from registrations import outbox, pdf, tasks
from tests.factories import answers, make_event
from tests.mailbox import read_folder


def pytest_configure(config: pytest.Config) -> None:
    try:
        pdf.require_libraries()
    except ImproperlyConfigured as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(autouse=True)
def _empty_outbox() -> Iterator[None]:
    tasks.stopping.clear()
    shutil.rmtree(settings.DATA_DIR / "outbox", ignore_errors=True)
    yield


@pytest.fixture
def outbox_folder() -> Path:
    return Path(settings.DATA_DIR) / "outbox"


class Journey:
    """Signs people up through the pages and reads their mail, as they would."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = client, folder

    def sign_up(self, event, language="", follow=True, **typed):  # type: ignore[no-untyped-def]
        path = f"{language}/evenements/{event.slug}/inscription/"
        stamp = self.client.get(path).context["form"].initial["stamp"]
        return self.client.post(path, {**answers(**typed), "stamp": stamp}, follow=follow)

    def mails(self) -> list[EmailMessage]:
        """Let the worker send what is due, then open the mailbox: oldest first."""
        outbox.drain()
        return read_folder(self.folder)


@pytest.fixture
def journey(client: Client, outbox_folder: Path, db: None) -> Journey:
    return Journey(client, outbox_folder)


@pytest.fixture
def event(db: None):  # type: ignore[no-untyped-def]
    return make_event()
