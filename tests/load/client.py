"""Many visitors in one process. It uses only sockets and the standard library, to take little CPU from the site.

It prints one JSON object (see `Report`) and is started by its path, not as a module. Each visitor is a thread. A
reader keeps its connection; each sign-up has a new connection, without cookies, from another address.
"""

import argparse
import contextlib
import json
import re
import resource
import socket
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

TIMEOUT = 60  # seconds for one answer
GZIP = 31  # value of zlib's wbits for the gzip format
HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|stamp)" value="([^"]+)"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
COOKIE = re.compile(rb"\r\nset-cookie: *([^;\r]+)", re.IGNORECASE)
PLACE = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)
TYPED = {
    "first_name": "Zoë",
    "last_name": "D’Arcy",
    "organisation": "Ville de Nulle-Part",
    "job_title": "Cheffe de projet",
    "territory": "",
}


@dataclass
class Report:
    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of this process
    times: list[float] = field(default_factory=list)  # ms: of each page, or of each sign-up from form to thanks
    posts: list[float] = field(default_factory=list)  # ms: of each POST alone
    posted_at: dict[str, float] = field(default_factory=dict)  # by address, before the POST that was answered
    errors: Counter[str] = field(default_factory=Counter)


class Browser:
    def __init__(self, port: int, origin: str) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port, self.origin = port, origin
        self.cookies: dict[bytes, bytes] = {}

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes, bytes]:
        """Send a request; returns status, header and body of the response as bytes."""
        cookies = b"; ".join(b"=".join(pair) for pair in self.cookies.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept-Encoding: gzip\r\n"
            f"X-Forwarded-For: {self.origin}\r\nX-Forwarded-Proto: http\r\n"
        ).encode()
        if cookies:
            head += b"Cookie: " + cookies + b"\r\n"
        if body:
            head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
        self.connection.sendall(head + b"\r\n" + body)
        return self._answer()

    def _answer(self) -> tuple[int, bytes, bytes]:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head, body = data[:end], data[end + 4 :]
        length = LENGTH.search(head)
        while length and len(body) < int(length[1]):
            body += self._more()
        self.cookies.update(cookie.split(b"=", 1) for cookie in COOKIE.findall(head))
        return int(head[9:12]), head, body

    def _more(self) -> bytes:
        if piece := self.connection.recv(65536):
            return piece
        raise ConnectionError("closed")

    def close(self) -> None:
        self.connection.close()


def text_of(head: bytes, body: bytes) -> str:
    is_compressed = b"content-encoding: gzip" in head.lower()
    return (zlib.decompress(body, GZIP) if is_compressed else body).decode()


class Crowd:
    def __init__(self, port: int, path: str, *, name: str, pause: float) -> None:
        self.port, self.path, self.name, self.pause = port, path, name, pause
        self.report = Report()
        self.number = 0
        self.lock = threading.Lock()
        self.ends_at = 0.0

    def run(self, come: Callable[[], None], clients: int, seconds: float) -> Report:
        threads = [threading.Thread(target=come) for _ in range(clients)]
        started_at = time.perf_counter()
        self.ends_at = started_at + seconds
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.report.seconds = time.perf_counter() - started_at
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.report.cpu_seconds = usage.ru_utime + usage.ru_stime
        return self.report

    def look(self) -> None:
        """Request the same page again and again."""
        with contextlib.closing(Browser(self.port, self._origin(self._next()))) as browser:
            while (began := time.perf_counter()) < self.ends_at:
                status, _head, _body = browser.ask("GET", self.path)
                self._note(began, status == 200, f"status {status}")

    def sign_up(self) -> None:
        """Sign up one person after the other."""
        while (began := time.perf_counter()) < self.ends_at:
            number = self._next()
            try:
                problem = self._one(f"{self.name}{number}@example.org", self._origin(number))
            except OSError as error:
                problem = type(error).__name__
            self._note(began, not problem, problem)
            time.sleep(self.pause)

    def _one(self, address: str, origin: str) -> str:
        """The error of a sign-up; empty when the thank-you page was shown."""
        with contextlib.closing(Browser(self.port, origin)) as browser:
            return self._fill_in(browser, address)

    def _fill_in(self, browser: Browser, address: str) -> str:
        status, head, body = browser.ask("GET", self.path)
        if status != 200:
            return f"form: status {status}"
        answers = {**TYPED, "email": address, **dict(HIDDEN.findall(text_of(head, body)))}
        posted_at, began = time.time(), time.perf_counter()
        status, head, body = browser.ask("POST", self.path, urlencode(answers).encode())
        self.report.posts.append(1000 * (time.perf_counter() - began))
        place = PLACE.search(head)
        if status != 303 or not place:
            return f"POST: status {status}"
        status, head, body = browser.ask("GET", place[1].decode())
        if status != 200 or address not in text_of(head, body):
            return f"thanks: status {status}"
        self.report.posted_at[address] = posted_at
        return ""

    def _next(self) -> int:
        with self.lock:
            self.number += 1
            return self.number

    def _origin(self, number: int) -> str:
        """Another IPv4 address for each visitor, so that rate limits count as in production."""
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def _note(self, began: float, is_good: bool, problem: str) -> None:
        if is_good:
            self.report.times.append(1000 * (time.perf_counter() - began))
        else:
            self.report.errors[problem] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=["look", "sign_up"])
    parser.add_argument("path")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--name", default="visitor", help="The beginning of each address that signs up.")
    parser.add_argument("--pause", type=float, default=0, help="Seconds between two sign-ups of one client.")
    options = parser.parse_args()
    crowd = Crowd(options.port, options.path, name=options.name, pause=options.pause)
    report = crowd.run(getattr(crowd, options.act), options.clients, options.seconds)
    json.dump(vars(report), sys.stdout)


if __name__ == "__main__":
    main()
