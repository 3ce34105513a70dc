"""The SMTP transport hands a mail over whole, byte for byte, and copes with a server that hangs up or dawdles."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.mail import EmailMessage, mailers
from pytest_django import Settings

from registrations.mailing import claims, outbox
from registrations.models import Delivery
from tests import mailbox
from tests.mailing.queued_mails import enqueue
from tests.smtp import ClosesAfterEachMail, smtp_server


def test_lines_that_begin_with_a_period_arrive_as_they_were_written(settings: Settings) -> None:
    body = ".\n..two\n.\nmiddle . here\n.last\n"
    with smtp_server() as (server, options):
        settings.MAILERS = options
        message = EmailMessage("Points", body, "a@example.org", ["b@example.org"])
        assert mailers.default.send_messages([message]) == 1
    [mail] = server.mails
    assert mailbox.text(mail).replace("\r\n", "\n") == body


@pytest.mark.django_db
@pytest.mark.parametrize("says_so", [True, False])
def test_a_server_that_closes_the_connection_between_two_mails_costs_neither_a_failure_nor_a_wait(
    settings: Settings, says_so: bool
) -> None:
    with smtp_server(ClosesAfterEachMail(says_so=says_so)) as (server, options):
        settings.MAILERS = options
        for _ in range(3):
            enqueue()
        transport = outbox.Transport()
        for delivery in iter(claims.claim, None):
            assert outbox.deliver(delivery, transport)
            time.sleep(0.1)  # until the server has hung up
        transport.close()
    assert list(Delivery.objects.values_list("state", "attempts", "error")) == [("sent", 1, "")] * 3
    assert (len(server.mails), server.connections) == (3, 3)


@pytest.mark.django_db
def test_a_server_that_closes_each_new_connection_is_not_asked_without_end(settings: Settings) -> None:
    with smtp_server() as (server, options):
        settings.MAILERS = options
        server.mail_from = "421 4.3.2 closing"
        enqueue()
        outbox.drain()
    assert list(Delivery.objects.values_list("state", "attempts")) == [("pending", 1)]
    assert server.connections == 1


@contextmanager
def dawdler() -> Iterator[dict[str, Any]]:
    """A server that sends a greeting without end, a byte at a time, so that no single wait is long."""
    stopped = threading.Event()

    def greet(listening: socket.socket) -> None:
        while not stopped.is_set():
            try:
                visitor, _address = listening.accept()
            except TimeoutError:
                continue
            with visitor:
                try:
                    while not stopped.wait(0.05):
                        visitor.sendall(b"2")
                except OSError:
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=greet, args=[listening])
        thread.start()
        options = {"host": "127.0.0.1", "port": listening.getsockname()[1], "timeout": 20}
        try:
            yield {"default": {"BACKEND": "registrations.mailing.transports.smtp.EmailBackend", "OPTIONS": options}}
        finally:
            stopped.set()
            thread.join()


@pytest.mark.django_db
def test_a_server_that_dawdles_holds_a_mail_no_longer_than_its_lease(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SEND_AT_MOST", 0.5)
    enqueue()
    with dawdler() as settings.MAILERS:
        began_at = time.monotonic()
        outbox.drain()
        assert time.monotonic() - began_at < 5
    [delivery] = Delivery.objects.all()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert delivery.error.startswith("serveur d’envoi injoignable")
