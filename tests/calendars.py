"""What the mailed calendar objects do to the calendar of each mailbox."""

import re
from email.message import EmailMessage
from pathlib import Path

from registrations.domain import corrections, signup
from registrations.mailing import outbox
from registrations.models import Event, Registration
from tests import mailbox
from tests.factories import answers, make_event

OLD, NEW = "ancienne@example.org", "nouvelle@example.org"


class Calendars:
    """What all mails so far have put into the calendar of each mailbox, by UID."""

    def __init__(self, folder: Path) -> None:
        self.entries: dict[str, dict[str, str]] = {}
        self.objects: list[dict[str, str]] = []
        outbox.drain()
        for mail in mailbox.read_folder(folder):
            if has_calendar(mail):
                self._take(mail["To"], lines_of(mail))

    def _take(self, to: str, lines: dict[str, str]) -> None:
        assert lines["ATTENDEE"].endswith(f":mailto:{to}")
        entries = self.entries.setdefault(to, {})
        self.objects.append(lines)
        if lines["METHOD"] == "REQUEST":
            entries[lines["UID"]] = lines["SEQUENCE"]
        elif lines["UID"] in entries:
            assert int(lines["SEQUENCE"]) > int(entries.pop(lines["UID"]))


def has_calendar(mail: EmailMessage) -> bool:
    return "text/calendar" in {part.get_content_type() for part in mail.walk()}


def lines_of(mail: EmailMessage) -> dict[str, str]:
    return by_name(mailbox.part(mail, "text/calendar"))


def by_name(content: bytes) -> dict[str, str]:
    return dict(re.split("[;:]", line, maxsplit=1) for line in mailbox.calendar_lines(content) if line)


def sign_up(event: Event | None = None, email: str = OLD, language: str = "fr") -> Registration:
    event = event or make_event(report=False)
    return signup.register(event, language=language, **answers(email=email)).registration


def change_address(registration: Registration, email: str) -> None:
    corrections.ask_for_address(registration, email=email)
    registration.refresh_from_db()
    corrections.confirm_address(registration)
    registration.refresh_from_db()


def last_mail(folder: Path, to: str = OLD) -> EmailMessage:
    outbox.drain()
    return [mail for mail in mailbox.read_folder(folder) if mail["To"] == to][-1]
