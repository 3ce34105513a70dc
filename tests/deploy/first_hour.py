"""The first hour of a new user on three machines: with all libraries, without harfbuzz-subset, without Pango.

    sudo uv run python -m tests.deploy.first_hour [--all-tests]

Each machine is this one with files hidden in a mount namespace of its own, which needs root; Pango must be installed.
On each, in a fresh clone: the README's command starts the demo, a sign-up gets its mail, a public site starts or
refuses to, and the tests of documents pass. `--all-tests` runs every test on the machine without Pango.
"""

import argparse
import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests import mailbox
from tests.deploy.guide import ROOT
from tests.deploy.visit import HIDDEN, Site, a_sign_up_is_thanked
from tests.network import free_port

TIMEOUT = 180  # seconds, for a start on a busy machine
OUR_SETTINGS = {  # what a new user's shell has none of
    *("DATABASE_URL", "BASE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "DATA_DIR", "SECRET_KEY", "DEBUG", "STAFF_OTP"),
    *("RATE_LIMITS", "CI", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE", "PYTHONPATH"),
}
PUBLIC = {
    "BASE_URL": "https://webinaires.example.org",
    "SECRET_KEY": "".join(map(chr, range(48, 110))),
    "EMAIL_URL": "smtp://127.0.0.1:25",
    "DEFAULT_FROM_EMAIL": "webinaires@example.org",
    "LEGAL_CONTACT": "donnees@example.org",
}
HIDE = 'for file in $HIDDEN; do mount --bind /dev/null "$file"; done; exec "$@"'
MISSING = "Pango is not on this machine"
INSTALL = "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0"
DOCUMENTS = ["tests/documents", "tests/mailing/test_composer.py"]
PYTEST = ["uv", "run", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]


@dataclass
class Machine:
    name: str
    hidden: str  # how the names of the libraries begin that it lacks; empty where it lacks none
    has_pango: bool
    code: Path
    is_good: bool = True

    def tell(self, holds: bool, sentence: str, seen: object = "") -> None:
        self.is_good = self.is_good and holds
        sys.stdout.write(f"{'ok' if holds else 'FAILED':<7}{self.name}: {sentence}{f' ({seen})' if seen else ''}\n")
        sys.stdout.flush()

    def command(self, arguments: list[str]) -> list[str]:
        return ["unshare", "--mount", "--propagation", "private", "bash", "-euc", HIDE, "bash", *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OUR_SETTINGS}
        return {**inherited, "HIDDEN": " ".join(files_of(self.hidden)), **variables}

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        done = subprocess.run(
            self.command(list(arguments)),
            cwd=self.code,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    @contextlib.contextmanager
    def started(self, *arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
        """A command and what it writes to the terminal; at the end Ctrl-C is pressed."""
        terminal = self.code.with_name(f"{self.code.name}.log")
        with terminal.open("w") as log:
            process = subprocess.Popen(
                self.command(list(arguments)),
                cwd=self.code,
                env=self.environment(**variables),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            yield process, terminal
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=TIMEOUT)


def files_of(beginning: str) -> list[str]:
    """Where the libraries of this machine lie whose names begin so."""
    known = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return re.findall(rf"^\s{beginning}\S* .*=> (\S+)$", known, re.MULTILINE) if beginning else []


def command_of_the_readme() -> list[str]:
    [command] = re.findall(
        r"^pip install uv && (uv run manage.py demo)\b", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    return shlex.split(command)


def wait_for[T](look: Callable[[], T | None], process: subprocess.Popen[str]) -> T | None:
    """None when the process has ended or the time is over."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if found := look():
            return found
        time.sleep(0.1)
    return None


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def demo(machine: Machine) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with machine.started(*command_of_the_readme(), "--port", str(port)) as (process, terminal):
        is_there = wait_for(lambda: answers(f"{address}/accessibilite/"), process)
        machine.tell(bool(is_there), "the README’s command starts the demo")
        if is_there:
            told = terminal.read_text()
            if machine.has_pango:
                machine.tell(MISSING not in told, "the terminal asks for nothing")
            else:
                machine.tell(told.count(MISSING) == 1 and INSTALL in told, "the terminal says once what to install")
            password = re.search(r"organisateur / (\S+)", told)
            first_page(machine, address, password[1] if password else "")
            sign_up(machine, address, process)
        else:
            sys.stdout.write(terminal.read_text())
    machine.tell(process.returncode == 0, "Ctrl-C ends it", f"status {process.returncode}")


def first_page(machine: Machine, address: str, password: str) -> None:
    """What the organiser sees first after logging in."""
    site, login = Site(address, ""), f"{address}/admin/login/?next=/admin/"
    browser = site.browser()
    _status, _headers, page = site.ask(browser, login)
    typed = {**dict(HIDDEN.findall(page)), "username": "organisateur", "password": password}
    site.ask(browser, login, urllib.parse.urlencode(typed).encode(), Referer=login)
    status, _headers, page = site.ask(browser, f"{address}/admin/")
    if machine.has_pango:
        machine.tell(status == 200 and "Pango" not in page, "the admin’s first page asks for nothing")
    else:
        machine.tell(status == 200 and INSTALL in page, "the admin’s first page says what to install")


def sign_up(machine: Machine, address: str, process: subprocess.Popen[str]) -> None:
    _status, headers, _page = Site(address, "").answer(f"{address}/")
    slug = headers["Location"].strip("/").rpartition("/")[2]
    thanked, seen = a_sign_up_is_thanked(Site(address, slug))
    machine.tell(thanked, "a sign-up is thanked", "" if thanked else seen)
    begun = time.monotonic()
    outbox = machine.code / "var" / "outbox"
    mail = wait_for(lambda: next(iter(mailbox.read_folder(outbox)), None), process)
    machine.tell(mail is not None, "its mail arrives", f"after {time.monotonic() - begun:.1f} s")
    if mail:
        read(machine, mail)


def read(machine: Machine, mail: EmailMessage) -> None:
    names, text = mailbox.attachment_names(mail), mailbox.text(mail)
    if machine.has_pango:
        content = mailbox.part(mail, "application/pdf") if "presentation-etude.pdf" in names else b""
        is_good = content.startswith(b"%PDF-") and "jointe à ce message" in text
        machine.tell(is_good, "the mail holds the report and says so", f"{len(content)} bytes")
    else:
        is_good = names == [] and "rapport.pdf" not in text and "pas encore disponible" in text
        machine.tell(is_good, "the mail holds no report, and says that it is not there yet")


def public_site(machine: Machine) -> None:
    port = free_port()
    variables = {**PUBLIC, "DATA_DIR": str(machine.code.with_name(f"{machine.code.name}-public"))}
    with machine.started("uv", "run", "manage.py", "up", "--port", str(port), **variables) as (process, terminal):
        is_there = bool(wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), process))
    told = terminal.read_text()
    if machine.has_pango:
        machine.tell(is_there and MISSING not in told, "a public site starts")
        return
    refused = not is_there and process.returncode == 1 and "Traceback" not in told
    machine.tell(refused, "a public site refuses to start", f"status {process.returncode}")
    machine.tell(MISSING in told and INSTALL in told, "and says what to install")


def run_tests(machine: Machine, *, all_of_them: bool) -> None:
    if machine.has_pango:
        status, told = machine.run(*PYTEST, "-m", "typesetting", *DOCUMENTS)
        machine.tell(status == 0 and "skipped" not in told, "the tests of documents pass", last_line(told))
        if status:
            sys.stdout.write(told)
        return
    status, told = machine.run(*PYTEST, *([] if all_of_them else [*DOCUMENTS, "tests/test_without_pango.py"]))
    machine.tell(status == 0, f"{'all tests' if all_of_them else 'the tests of documents'} pass", last_line(told))
    if status:
        sys.stdout.write(told)
    skipped = re.findall(r"^SKIPPED \[(\d+)\] .*: typesetting needs libpango-1.0.so.0", told, re.MULTILINE)
    machine.tell(bool(skipped), "those that typeset are skipped by name", sum(map(int, skipped)))
    status, told = machine.run(*PYTEST, "-x", "-m", "typesetting", "tests/documents/test_study_report.py", CI="true")
    machine.tell(status == 1 and "1 failed" in told, "in the gate they fail instead", last_line(told))


def last_line(told: str) -> str:
    return (told.strip().splitlines() or [""])[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all-tests", action="store_true", help="Every test on the machine without Pango.")
    options = parser.parse_args()
    if not files_of("libpango"):
        sys.exit(f"Pango is needed here, to be hidden from one machine only: {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="first-hour-") as folder:
        machines = [
            Machine("all libraries", "", True, Path(folder) / "all"),
            Machine("without harfbuzz-subset", "libharfbuzz-subset", True, Path(folder) / "no-harfbuzz-subset"),
            Machine("without Pango", "libpango", False, Path(folder) / "no-pango"),
        ]
        for machine in machines:
            subprocess.run(["git", "clone", "--quiet", ROOT, machine.code], check=True)
            demo(machine)
            public_site(machine)
            run_tests(machine, all_of_them=options.all_tests)
        return 0 if all(machine.is_good for machine in machines) else 1


if __name__ == "__main__":
    raise SystemExit(main())
