"""The SMTP transport hands a mail over whole, byte for byte."""

from django.core.mail import EmailMessage, mailers
from pytest_django import Settings

from tests import mailbox
from tests.smtp import smtp_server


def test_lines_that_begin_with_a_period_arrive_as_they_were_written(settings: Settings) -> None:
    body = ".\n..two\n.\nmiddle . here\n.last\n"
    with smtp_server() as (server, options):
        settings.MAILERS = options
        message = EmailMessage("Points", body, "a@example.org", ["b@example.org"])
        assert mailers.default.send_messages([message]) == 1
    [mail] = server.mails
    assert mailbox.text(mail).replace("\r\n", "\n") == body
