"""Upgrade test: processes of an older release go on, and restart, on a database migrated by this one.

    uv run python -m tests.load.upgrade COMMIT [--sign-ups 200] [--own-cluster]

Visitors sign up all the time: a third of them before the code in this folder migrates the database, the others during
and after it. Then the old processes are restarted, as after a rollback. No mail may be lost or sent twice, and
visitors may see no other error than the page that asks to try again: on PostgreSQL a migration and a sign-up can
deadlock, and one of the two is then rolled back. A migration that was rolled back is run again.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.load.chaos import journal
from tests.load.database import Cluster, database_at, own_database_on
from tests.load.fleet import Fleet, MailServer
from tests.load.visitors import HIDDEN, Visitors
from tests.site import ROOT, RunningSite, wait_for

PASSWORD = "a-long-enough-password"
ORGANISER = (
    f"from django.contrib.auth.models import User; User.objects.create_superuser('camille', password='{PASSWORD}')"
)
ADMIN_PAGES = ["", "registrations/event/", "registrations/registration/", "registrations/delivery/"]
TRIES = 3  # of the migration
HARMLESS = {"thanks", "503 before the POST", "503 after the POST"}
MIGRATIONS = "SELECT count(*) FROM django_migrations"
UNSENT = "SELECT count(*) FROM registrations_delivery WHERE state IN ('pending', 'sending') AND kind = 'confirmation'"


@contextlib.contextmanager
def release(commit: str) -> Iterator[Path]:
    """A folder with the code of that commit."""
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", name], input=archive, check=True)
        yield Path(name)


def admin_statuses(address: str) -> dict[str, int]:
    """Status of each admin page for an organiser who is logged in."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    login = f"{address}/admin/login/?next=/admin/"
    with browser.open(login) as page:
        hidden = dict(HIDDEN.findall(page.read().decode()))
    typed = urllib.parse.urlencode({"username": "camille", "password": PASSWORD, **hidden}).encode()
    browser.open(urllib.request.Request(login, typed, {"Referer": login})).close()
    answers = {}
    for path in ADMIN_PAGES:
        with browser.open(f"{address}/admin/{path}") as page:
            answers[path] = page.status if "/login/" not in page.url else 403
    return answers


def migrate(env: dict[str, str]) -> int:
    """Run `migrate` until it succeeds; returns the number of tries. Each migration is a transaction."""
    command: list[str | Path] = [sys.executable, ROOT / "manage.py", "migrate", "-v0"]
    for number in range(1, TRIES + 1):
        if subprocess.run(command, env=env, check=number == TRIES).returncode == 0:
            return number
    raise AssertionError


def start_visitors(visitors: Visitors) -> None:
    visitors.start()
    while visitors.are_there:
        time.sleep(0.2)


def restart(fleet: Fleet) -> None:
    for slot in fleet.slots:
        if slot.role != "smtp":
            slot.process.terminate()
            slot.process.wait()
            slot.restart()
    fleet.wait_until_it_serves()


def upgrade(old: RunningSite, *, sign_ups: int, url: str) -> bool:
    mail_server = MailServer(old.data)
    old.env["EMAIL_URL"] = f"smtp://127.0.0.1:{mail_server.port}"
    old.run("demo", "--setup-only")
    old.run("shell", "--no-imports", "-c", ORGANISER)
    database = database_at(url, old.data)
    [(slug,)] = database.rows("SELECT slug FROM registrations_event")
    [(before,)] = database.rows(MIGRATIONS)
    fleet = Fleet([old], mail_server, webs=2, workers=2)
    try:
        fleet.wait_until_it_serves()
        visitors = Visitors(str(slug), fleet.addresses, sign_ups=sign_ups, threads=4, pause=0.2, seed=1)
        visitors.start()
        wait_for(lambda: len(visitors.memory.promised) >= sign_ups / 3, "a third of the sign-ups")
        tries = migrate(old.env)
        migrated_at = len(visitors.memory.promised)
        while visitors.are_there:
            time.sleep(0.2)
        shown = admin_statuses(fleet.addresses[0])
        restart(fleet)
        again = Visitors(str(slug), fleet.addresses, sign_ups=20, threads=2, pause=0.2, seed=2)
        start_visitors(again)
        wait_for(lambda: database.rows(UNSENT) == [(0,)], "the last mail")
    finally:
        fleet.end()
    kept = [line["kept"] for line in journal(mail_server.journal) if "kept" in line]
    promised = visitors.memory.promised | again.memory.promised
    answers = visitors.memory.answers + again.memory.answers
    [(after,)] = database.rows(MIGRATIONS)
    sys.stdout.write(f"{'PostgreSQL' if url else 'SQLite'}, migrations {before}, then {after}, run {tries} time(s)\n")
    sys.stdout.write(f"sign-ups {len(promised)}, {migrated_at} before the migration was done; pages {dict(answers)}\n")
    sys.stdout.write(
        f"admin {shown}; mails {len(kept)}, twice {len(kept) - len(set(kept))}, lost {len(promised - set(kept))}\n"
    )
    return set(answers) <= HARMLESS and sorted(kept) == sorted(promised) and set(shown.values()) == {200}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("--sign-ups", type=int, default=200)
    parser.add_argument("--own-cluster", action="store_true", help="On PostgreSQL.")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="upgrade-")))
        cluster = stack.enter_context(Cluster()) if options.own_cluster else None
        url = stack.enter_context(own_database_on(cluster.url if cluster else ""))
        old = stack.enter_context(RunningSite(data, url, RATE_LIMITS="off", STAFF_OTP="off"))
        old.code = stack.enter_context(release(options.commit))
        holds = upgrade(old, sign_ups=options.sign_ups, url=url)
    sys.stdout.write(f"{'holds' if holds else 'BROKEN'}\n")
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
