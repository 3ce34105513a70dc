"""Uploads while the folder for temporary files is full: the site's own page answers."""

import errno
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import waitress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.wsgi import get_wsgi_application
from django.test import Client
from waitress.channel import HTTPChannel

from registrations.web.request_parser import RequestParser
from tests.network import free_port

LARGE = 2_000_000  # bytes: waitress puts over 512 kB into a file
pytestmark = pytest.mark.django_db


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The web server of the site, with a body parser as `manage.py web` has it."""
    monkeypatch.setattr(HTTPChannel, "parser_class", RequestParser)
    server = waitress.create_server(get_wsgi_application(), host="127.0.0.1", port=free_port())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    thread.join(timeout=10)


@pytest.fixture
def _full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No file can be made where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))


def upload(port: int, path: str, *, headers: str = f"Content-Length: {LARGE}", body: bytes = b"x" * LARGE) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n\r\n".encode()
        )
        connection.sendall(body)
        return connection.makefile("rb").read().decode()


@pytest.mark.usefixtures("_full")
def test_an_upload_without_room_is_answered_by_the_site(port: int) -> None:
    answer = upload(port, "/admin/")
    assert answer.startswith("HTTP/1.1 507")
    assert "Le disque de ce site est plein" in answer


@pytest.mark.usefixtures("_full")
def test_an_upload_in_chunks_without_room_is_answered_too(port: int) -> None:
    chunk = f"{LARGE:x}\r\n".encode() + b"x" * LARGE + b"\r\n0\r\n\r\n"
    assert upload(port, "/admin/", headers="Transfer-Encoding: chunked", body=chunk).startswith("HTTP/1.1 507")


def test_an_upload_with_room_reaches_the_site(port: int) -> None:
    assert " 507 " not in upload(port, "/admin/").partition("\r\n")[0]


def test_a_file_that_the_second_copy_has_no_room_for_is_answered_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(handler: Any, *args: Any) -> None:
        handler.file.close()  # Django leaves it to the collector, which would warn in another test
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", no_room)
    client.raise_request_exception = False
    page = client.post("/admin/login/", {"file": SimpleUploadedFile("slides.pdf", b"x" * 3_000_000)})
    assert page.status_code == 507
    assert "n’a pas été enregistré" in page.text
