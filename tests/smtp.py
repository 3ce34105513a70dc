"""A local SMTP server that accepts, refuses or fails, as a test configures."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.mailbox import read
from tests.network import free_port
from tests.site import TIMEOUT

OK = "250 OK"
HANG_UP = "hang up"
HOLD = "hold"


class Handler:
    """Answers of the server. HANG_UP as `data` cuts the connection after the mail has been read."""

    def __init__(self) -> None:
        self.mail_from = self.rcpt_to = self.data = OK
        self.connections = 0
        self.received: list[bytes] = []

    @property
    def mails(self) -> list[EmailMessage]:
        return [read(content) for content in self.received]

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.mail_from == OK:
            envelope.mail_from = address
        return self.mail_from

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.rcpt_to == HANG_UP:
            return self.hang_up(server)
        if self.rcpt_to == OK:
            envelope.rcpt_tos.append(address)
        return self.rcpt_to

    def hang_up(self, server: SMTP) -> str:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.data == HANG_UP:
            return self.hang_up(server)
        if self.data == HOLD:
            await asyncio.sleep(3600)
        if self.data == OK:
            self.received.append(envelope.content)
        return self.data


class AnswersLate(Handler):
    """Accepts each mail and answers two seconds later."""

    asked = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.asked = True
        await asyncio.sleep(2)
        return await super().handle_DATA(server, session, envelope)


class HoldsFirst(Handler):
    """Never answers the first mail, and accepts the next ones."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if not self.held:
            self.held.append(envelope.content)
            await asyncio.sleep(3600)
        return await super().handle_DATA(server, session, envelope)


class ClosesAfterEachMail(Handler):
    """As servers do that take so many mails over one connection; `says_so`: 421 instead of the silent end."""

    def __init__(self, *, says_so: bool) -> None:
        super().__init__()
        self.says_so = says_so

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if getattr(session, "has_sent", False):
            return "421 4.7.0 too many messages in this session"
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        session.has_sent = True
        if not self.says_so:
            asyncio.get_running_loop().call_later(0.02, server.transport.close)
        return await super().handle_DATA(server, session, envelope)


@contextmanager
def smtp_server(handler: Handler | None = None, **server: Any) -> Iterator[tuple[Handler, dict[str, Any]]]:
    """Run the server; yields its handler and a MAILERS setting for it."""
    handler = handler or Handler()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=TIMEOUT, **server)
    controller.start()
    try:
        options = {"host": "127.0.0.1", "port": port, "timeout": TIMEOUT}
        yield (
            handler,
            {"default": {"BACKEND": "registrations.mailing.transports.smtp.EmailBackend", "OPTIONS": options}},
        )
    finally:
        controller.stop()
