"""The transport of the demo: each message becomes one .eml file in a folder."""

import email.policy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


class EmailBackend(BaseEmailBackend):
    def __init__(self, file_path: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(file_path)
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            self._write(message.message(policy=email.policy.SMTP).as_bytes())
        return len(email_messages)

    def _write(self, content: bytes) -> None:
        """Write a hidden file first and rename it when it is complete, so that nobody reads half a mail."""
        name = f"{timezone.now():%Y%m%dT%H%M%S-%f}-{os.getpid()}.eml"
        draft = self.folder / f".{name}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)
