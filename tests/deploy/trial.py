"""Checks of a site that was set up by the guide, on a server or in containers."""

import abc
import contextlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.guide import ROOT

MAIL_SERVER = ROOT / "tests" / "load" / "mail_server.py"
MAIL_PORT = 2525
TIMEOUT = 60  # seconds, for a mail

FIRST_EVENT = "registrations/fixtures/first_event.toml"
SLUG = "from registrations.models import Event; print(Event.objects.get().slug)"
PEOPLE = "from registrations.models import Registration; print(*Registration.objects.values_list('email', flat=True))"
ERASE = """
try:
    from registrations.domain import erasure
except ImportError:  # release 1.3 and before: the trial can upgrade from it
    from registrations import privacy as erasure
from registrations.models import Registration
erasure.erase(Registration.objects.get(email="oubli@example.org"))
"""
DUPLICATE_KEY = (  # an error whose detail, with the address, PostgreSQL would log
    "CREATE TEMP TABLE t (e text PRIMARY KEY); INSERT INTO t VALUES ('zoe@example.org'), ('zoe@example.org')"
)
PERSONAL_DATA = r"203\.0\.113|@example\.org"  # networks and addresses, which no log may contain


def say(sentence: str) -> None:
    sys.stdout.write(f"ok     {sentence}\n")


class MailServer:
    """Accepts every mail and records its recipient."""

    def __init__(self, journal: Path, host: str = "127.0.0.1") -> None:
        self.journal, self.host = journal, host

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        where = ["--host", self.host, "--port", str(MAIL_PORT), "--journal", str(self.journal), "--rate", "0"]
        process = subprocess.Popen([sys.executable, MAIL_SERVER, *where])
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def recipients(self) -> list[str]:
        return [json.loads(line)["kept"] for line in self.journal.read_text().splitlines() if line]

    def wait_for(self, recipient: str) -> None:
        end = time.monotonic() + TIMEOUT
        while recipient not in self.recipients():
            if time.monotonic() > end:
                raise SystemExit(f"FAILED no mail to {recipient}")
            time.sleep(0.5)
        say(f"a mail to {recipient} has arrived")


class Trial(abc.ABC):
    def __init__(self, mails: MailServer) -> None:
        self.mails = mails

    @abc.abstractmethod
    def run(self, text: str) -> str:
        """Run shell commands on the machine of the site; returns their output."""

    @abc.abstractmethod
    def manage(self, arguments: str) -> str:
        """Run a manage.py command; returns its output."""

    @abc.abstractmethod
    def visit(self, arguments: str = "") -> None:
        """Run tests.deploy.visit against the site."""

    @abc.abstractmethod
    def back_up(self) -> None:
        """Make a backup with the commands of the guide."""

    @abc.abstractmethod
    def restore(self) -> None:
        """Restore the latest backup with the commands of the guide."""

    def asked(self, code: str) -> list[str]:
        return self.manage(f"shell --no-imports -v0 -c {shlex.quote(code)}").split()

    def load_event(self) -> None:
        self.manage(f"load_event {FIRST_EVENT}")
        [self.slug] = self.asked(SLUG)

    def sign_up(self, email: str) -> None:
        self.visit(f"--sign-up {email}")
        self.mails.wait_for(email)

    def check_site(self) -> None:
        self.visit()
        self.mails.wait_for("zoe@example.org")

    def check_restore(self) -> None:
        """After the restore, sign-ups after the backup are missing, and people erased since then stay erased."""
        self.sign_up("avant@example.org")
        self.sign_up("oubli@example.org")
        self.back_up()
        self.sign_up("apres@example.org")
        self.asked(ERASE)
        self.restore()
        if (people := self.asked(PEOPLE)) != ["avant@example.org"]:
            raise SystemExit(f"FAILED the backup brought back {people}")
        say("a backup has been brought back")
