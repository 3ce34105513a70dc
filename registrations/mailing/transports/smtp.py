"""Django's SMTP transport; it also records whether the server may have taken the mail when the connection broke."""

import smtplib
from collections.abc import Sequence
from typing import Any

from django.core.mail.backends import smtp

START_MAIL_INPUT = 354  # RFC 5321, section 4.3.2
CLOSING = 421  # RFC 5321, section 3.8


class Smtp(smtplib.SMTP):
    """`handing_over` is true from the reply 354 until the next reply: meanwhile the server may have taken the mail."""

    handing_over = False
    has_begun = False

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """`has_begun` is true once the server has taken the sender of a mail: until then it knows nothing of it."""
        self.has_begun = False
        code, text = super().mail(sender, options)
        self.has_begun = code < 400
        return code, text

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()
        self.handing_over = code == START_MAIL_INPUT
        return code, text

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Like smtplib's, but doubles leading dots (RFC 5321, section 4.5.2) without a regular expression.

        With smtplib's, the worker takes 1.5 times as much CPU for a mail of 1.8 MB.
        """
        self.putcmd("data")
        code, text = self.getreply()
        if code != START_MAIL_INPUT:
            raise smtplib.SMTPDataError(code, text)
        self.send((b"\n" + msg).replace(b"\n.", b"\n..")[1:] + b".\r\n")
        return self.getreply()


class SmtpOverTls(Smtp, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    @property
    def connection_class(self) -> Any:
        return SmtpOverTls if self.use_ssl else Smtp

    @property
    def handing_over(self) -> bool:
        """Whether the server may have taken the last mail although no reply says so."""
        connection: Any = self.connection
        return connection is not None and connection.handing_over

    def was_closed_before_mail(self, error: Exception) -> bool:
        """Whether the server had closed the connection when the next mail came: it has seen nothing of that mail."""
        connection: Any = self.connection
        is_closed = isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError)
        is_closing = isinstance(error, smtplib.SMTPResponseException) and error.smtp_code == CLOSING
        return (is_closed or is_closing) and connection is not None and not connection.has_begun
