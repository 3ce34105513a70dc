"""The site as real processes with a separate database and data folder, and an HTTP client for it."""

import contextlib
import http.cookiejar
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from django.conf import settings

from tests.factories import answers
from tests.mailbox import read_folder
from tests.network import free_port

ROOT = Path(__file__).parent.parent
TIMEOUT = 240  # seconds; never reached when things work, however busy the machine is


def bare_environment() -> dict[str, str]:
    """Environment variables that a command or the coverage measurement needs, without settings of the site."""
    names = {"PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"}
    return {name: os.environ[name] for name in names if name in os.environ}


@contextlib.contextmanager
def own_database(template: str = "template0") -> Iterator[str]:
    """DATABASE_URL of a new database on the server under test; empty for SQLite, whose file is in the data folder."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        yield ""
        return
    name = f"site_{os.getpid()}_{time.monotonic_ns()}"
    server = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"], "dbname": "postgres"}
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def wait_for[T](look: Callable[[], T | bool | None], what: str) -> T:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if found := look():
            return found  # type: ignore[return-value]
        time.sleep(0.05)
    raise AssertionError(f"waited {TIMEOUT} s in vain: {what}")


class NoRedirectAfterPost(urllib.request.HTTPRedirectHandler):
    """Raises HTTPError for a redirect after a POST, and follows other redirects."""

    def redirect_request(self, req: urllib.request.Request, *args: Any) -> urllib.request.Request | None:
        return None if req.get_method() == "POST" else super().redirect_request(req, *args)


class RunningSite:
    code = ROOT  # folder of the manage.py that is run

    def __init__(self, data: Path, database_url: str, **variables: str) -> None:
        self.data, self.port = data, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.env = {
            **bare_environment(),
            "DATA_DIR": str(data),
            "DATABASE_URL": database_url,
            "FORM_MIN_SECONDS": "0",
            **variables,
        }
        self.processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.communicate(timeout=TIMEOUT)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, self.code / "manage.py", *command],
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What its database answers, sooner than a command of the site could."""
        if url := self.env["DATABASE_URL"]:
            with psycopg.connect(url) as connection:
                return connection.execute(sql.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(self.data / "db.sqlite3", timeout=TIMEOUT)) as file:
            return file.execute(sql).fetchall()

    def start(self, *command: str) -> subprocess.Popen[str]:
        log = (self.data / f"{command[0]}.log").open("a")
        process = subprocess.Popen(
            [sys.executable, self.code / "manage.py", *command], env=self.env, stdout=log, stderr=log, text=True
        )
        log.close()
        self.processes.append(process)
        return process

    def copy(self, data: Path, database_url: str) -> Self:
        """Another site, with a copy of the data of this one."""
        shutil.copytree(self.data, data, dirs_exist_ok=True)
        return type(self)(data, database_url)

    def neighbour(self, data: Path) -> Self:
        """Another machine of the same site: it has its own data folder, and shares the rest."""
        other = type(self)(data, "")
        other.env = {**self.env, "DATA_DIR": str(data)}
        return other

    def start_demo(self) -> subprocess.Popen[str]:
        process = self.start("demo", "--port", str(self.port))
        self.wait_until_it_serves()
        return process

    def wait_until_it_serves(self) -> None:
        wait_for(lambda: self.status("/accessibilite/") == 200, "the first page")

    def status(self, path: str) -> int | None:
        try:
            with urllib.request.urlopen(self.address + path, timeout=TIMEOUT) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return None

    def filled_form(
        self, *handlers: urllib.request.BaseHandler, **typed: str
    ) -> tuple[urllib.request.OpenerDirector, str, bytes]:
        """Open and fill in the form of the next event; returns the client, the form's URL, and the body to POST."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), *handlers)
        with browser.open(self.address + "/", timeout=TIMEOUT) as home:
            [event, *_] = re.findall(r'href="(/evenements/[^"/]+/)"', home.read().decode())
        form_url = f"{self.address}{event}inscription/"
        with browser.open(form_url, timeout=TIMEOUT) as response:
            page = response.read().decode()
        hidden = re.findall(r'name="(csrfmiddlewaretoken|stamp)" value="([^"]+)"', page)
        return browser, form_url, urllib.parse.urlencode({**answers(**typed), **dict(hidden)}).encode()

    def sign_up(self, **typed: str) -> str:
        """Send the form; returns the text of the next page."""
        browser, form_url, body = self.filled_form(**typed)
        with browser.open(form_url, body, timeout=TIMEOUT) as response:
            return str(response.read().decode())

    def mails(self) -> list[EmailMessage]:
        return read_folder(self.data / "outbox")

    def mail_to(self, address: str) -> EmailMessage:
        return wait_for(
            lambda: next((mail for mail in self.mails() if mail["To"] == address), None), f"a mail to {address}"
        )


@contextlib.contextmanager
def copied(site: RunningSite, data: Path) -> Iterator[RunningSite]:
    """Another site, set up as this one is; on which nothing may run."""
    template = site.env["DATABASE_URL"].rpartition("/")[2] or "template0"
    with own_database(template) as database_url, site.copy(data, database_url) as other:
        yield other
