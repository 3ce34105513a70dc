"""A backup put back, by the command as an operator types it, on the database under test."""

import contextlib
import re
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from registrations.backup import restore
from registrations.mailing.claims import CLAIM
from registrations.runtime import site_lock
from registrations.runtime.site_lock import Refused
from tests.backups import back_up, people, refusal, shell, sign_up
from tests.site import TIMEOUT, RunningSite, wait_for

FOUND = (
    "from registrations.models import *;"
    "print(*sorted(Registration.objects.found_by('xample').values_list('email', flat=True)))"
)
INDEXED = """
from django.db import connection
cursor = connection.cursor()
cursor.execute(
    "SELECT extnamespace::regnamespace::text FROM pg_extension, pg_indexes"
    " WHERE extname = 'pg_trgm' AND schemaname = 'public' AND indexname = 'registration_search'"
)
print(cursor.fetchone()[0])
"""


def test_a_restored_site_works(site: RunningSite, empty_site: RunningSite) -> None:
    sign_up(site, "zoe@example.org")
    empty_site.run("restore", str(back_up(site)), "--mails", "send")
    empty_site.run("demo", "--setup-only")  # static files
    empty_site.start("up", "--port", str(empty_site.port))
    empty_site.wait_until_it_serves()
    empty_site.sign_up(email="neuf@example.org")
    assert empty_site.mail_to("zoe@example.org")
    assert empty_site.mail_to("neuf@example.org")
    assert back_up(empty_site).exists()  # of what was restored, too


def test_who_was_erased_since_does_not_come_back_and_the_former_database_is_kept(site: RunningSite) -> None:
    sign_up(site, "reste@example.org", "partie@example.org")
    backup = back_up(site)
    erase = "from registrations.domain import erasure; from registrations.models import *; "
    shell(site, erase + "erasure.erase(Registration.objects.get(email='partie@example.org'))")
    sign_up(site, "apres@example.org")
    told = site.run("restore", str(backup), "--replace")
    assert "Erased again: 1\n" in told
    assert people(site) == ["reste@example.org"]
    aside = told.partition("Kept aside: ")[2].partition(" (")[0]
    if aside.startswith("schema "):
        assert count_in_schema(site, aside.removeprefix("schema ")) == 2
    else:
        assert Path(aside).stat().st_size > 0
        former = RunningSite(site.data, f"sqlite:///{aside}")
        assert people(former) == ["reste@example.org", "apres@example.org"]


def test_people_are_found_after_a_restore(site: RunningSite, empty_site: RunningSite) -> None:
    sign_up(site, "zoe@example.org", "avant@example.org")
    backup = back_up(site)
    sign_up(site, "apres@example.org")
    site.run("restore", str(backup), "--replace")
    site.run("restore", str(back_up(site)), "--replace")  # with what the first one has set aside beside it
    empty_site.run("restore", str(backup))
    for restored in (site, empty_site):
        sign_up(restored, "ensuite@example.org")
        assert shell(restored, FOUND).split() == [
            "avant@example.org",
            "ensuite@example.org",
            "zoe@example.org",
        ]
        if connection.vendor == "postgresql":
            assert shell(restored, INDEXED).strip() == "public"


def count_in_schema(site: RunningSite, schema: str) -> int:
    with psycopg.connect(site.env["DATABASE_URL"], options=f"-c search_path={schema}") as aside:
        return len(aside.execute("SELECT id FROM registrations_registration").fetchall())


def test_the_journal_of_the_backup_counts_where_the_own_one_is_lost(
    site: RunningSite, empty_site: RunningSite
) -> None:
    sign_up(site, "reste@example.org", "partie@example.org")
    uid = shell(
        site, "from registrations.models import *; print(Registration.objects.get(email__startswith='partie').uid)"
    )
    (site.data / "erasures.log").write_text(f"2026-11-24T10:00:00Z {uid}")  # erased, but for the row
    assert "Erased again: 1\n" in empty_site.run("restore", str(back_up(site)))
    assert people(empty_site) == ["reste@example.org"]


def test_a_mail_that_left_after_the_backup_waits_for_the_organiser_and_a_later_one_does_not(site: RunningSite) -> None:
    later = "from registrations.models import *; Event.objects.update(open_after_session=True)"
    shell(site, later)
    sign_up(site, "zoe@example.org")
    backup = back_up(site)
    worker = site.start("worker")
    first = site.mail_to("zoe@example.org")
    worker.terminate()
    worker.wait(timeout=TIMEOUT)

    told = site.run("restore", str(backup), "--replace")
    assert "Mails held back: 1; the desk shows them, and lets them leave\n" in told
    sign_up(site, "autre@example.org")
    site.start("worker")
    site.mail_to("autre@example.org")
    assert [mail["To"] for mail in site.mails()] == ["zoe@example.org", "autre@example.org"]
    shell(site, "from registrations.models import *; Delivery.objects.release()")
    wait_for(lambda: len(site.mails()) == 3, "the mail that was let leave")
    assert site.mails()[-1]["Message-ID"] == first["Message-ID"]


def test_a_restore_ends_sessions_and_stands_in_the_audit_log(site: RunningSite) -> None:
    shell(site, "from django.contrib.sessions.backends.db import SessionStore; SessionStore().create()")
    site.run("restore", str(back_up(site)), "--replace")
    code = "from django.contrib.sessions.models import Session; from registrations.models import *; "
    told = shell(site, code + "print(Session.objects.count(), AuditEntry.objects.latest('pk').action)")
    assert told.split() == ["0", "restored"]


def test_a_restore_refuses_while_the_site_runs_and_a_database_that_is_not_empty(site: RunningSite) -> None:
    backup = back_up(site)
    web = site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    site.status("/")
    assert "Processes of the site run on this machine: stop them first" in refusal(
        site, "restore", str(backup), "--replace"
    )
    web.terminate()
    web.wait(timeout=TIMEOUT)
    assert "The database is not empty: say --replace" in refusal(site, "restore", str(backup))
    assert "No such journal: /nowhere" in refusal(site, "restore", str(backup), "--replace", "--journals", "/nowhere")
    site.run("restore", str(backup), "--replace")


def test_a_database_in_use_from_elsewhere_is_left_alone(site: RunningSite) -> None:
    backup = back_up(site)
    if not site.env["DATABASE_URL"]:  # SQLite's file is of one machine, where the lock tells
        said = refusal(site, "restore", str(backup), "--replace", "--while-running")
        assert "SQLite's file cannot be replaced under those who use it" in said
        return
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    site.status("/")
    (site.data / "site.lock").unlink()  # as if the web server stood on another machine
    said = refusal(site, "restore", str(backup), "--replace")
    assert re.search(r"The database has other connections \(\d from 127\.0\.0\.1\): stop the site on every", said)
    site.run("restore", str(backup), "--replace", "--while-running")


def test_workers_that_go_on_during_a_restore_get_hold_of_no_mail_and_no_long_act_of_the_backup(
    site: RunningSite,
) -> None:
    if not site.env["DATABASE_URL"]:
        return  # SQLite's file is replaced while nobody uses it
    sign_up(site, "zoe@example.org", "partie@example.org")
    shell(site, ASK_FOR_A_LONG_ACT)
    backup = back_up(site)
    shell(site, LEFT_AND_ERASED)
    with claiming(site.env["DATABASE_URL"]) as claimed:
        told = site.run("restore", str(backup), "--replace", "--while-running")
    assert claimed == []
    assert "Erased again: 1\n" in told
    assert "Mails held back: 1;" in told
    assert shell(site, JOBS).split() == ["failed"]
    assert shell(site, LEASES).split() == ["'held'", "''"]


def test_what_people_decided_about_themselves_since_holds_while_workers_go_on_too(site: RunningSite) -> None:
    is_shared = bool(site.env["DATABASE_URL"])  # SQLite's file is replaced while nobody uses it
    sign_up(site, "withdrawn@example.org", "back@example.org", "erasing@example.org", "reader@example.org")
    shell(site, ONE_SEAT_LESS)
    sign_up(site, "waiting@example.org")
    shell(site, "from registrations.models import *; Delivery.objects.update(state='sent')")
    backup = back_up(site)
    shell(site, DECIDED_SINCE)
    elsewhere = move_returns(site.data / "erasures.log", site.data / "other-machine.log")
    nobody: contextlib.AbstractContextManager[list[str]] = contextlib.nullcontext([])
    with claiming(site.env["DATABASE_URL"]) if is_shared else nobody as claimed:
        options = ["--replace", "--journals", str(elsewhere), *(["--while-running"] if is_shared else [])]
        told = site.run("restore", str(backup), *options)
    assert claimed == []
    assert told.splitlines()[-8:-1] == [
        "Erased again: 1",
        "Left alone again: 0",
        "Withdrawn again: 1",
        "Consents taken back again: 1",
        "Wishes about mails kept again: 1",
        "Seats given to who waited: 1",
        "Mails held back: 1; the desk shows them, and lets them leave",
    ]
    assert shell(site, STANDING).splitlines() == [
        "withdrawn@example.org cancelled False",
        "back@example.org confirmed False",
        "reader@example.org confirmed False",
        "waiting@example.org confirmed False",
        "promoted waiting@example.org held",
    ]


def move_returns(journal: Path, other: Path) -> Path:
    """As if people had come back by the web server of another machine."""
    lines = journal.read_text().splitlines(keepends=True)
    other.write_text("".join(line for line in lines if " returned " in line))
    journal.write_text("".join(line for line in lines if " returned " not in line))
    assert other.stat().st_size > 0
    return other


ONE_SEAT_LESS = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import *
to_come = timezone.now() + timedelta(days=7)
Event.objects.update(capacity=4, waiting_list=True, starts_at=to_come, ends_at=to_come + timedelta(hours=1))
reader = Registration.objects.get(email="reader@example.org")
reader.newsletter = True
reader.save()
"""
DECIDED_SINCE = """
from registrations.domain import corrections, erasure, mail_wishes, signup
from registrations.models import *
Event.objects.update(capacity=None)  # nobody who comes back loses the seat
withdrawn, back, erasing, reader = [
    Registration.objects.get(email=f"{name}@example.org") for name in ("withdrawn", "back", "erasing", "reader")
]
signup.withdraw(back)
signup.come_back(back)
signup.withdraw(withdrawn)
erasure.ask_for_erasure(erasing)
corrections.correct_answers(reader, newsletter=False)
mail_wishes.wish(reader, messages=False)
Delivery.objects.update(state="sent")
"""
STANDING = """
from registrations.models import *
for one in Registration.objects.order_by("pk"):
    print(one.email, one.status, one.newsletter)
for mail in Delivery.objects.filter(state="held"):
    print(mail.kind, mail.address, mail.state)
"""
ASK_FOR_A_LONG_ACT = """
from registrations.models import *
Job.objects.create(kind="message", title="x", event=Event.objects.get(), mark="x", asked_by=1)
"""
LEFT_AND_ERASED = """
from registrations.domain import erasure
from registrations.models import *
Delivery.objects.update(state="sent")
Job.objects.update(state="done")
erasure.erase(Registration.objects.get(email__startswith="partie"))
"""
JOBS = "from registrations.models import *; print(*Job.objects.values_list('state', flat=True))"
LEASES = """
from registrations.models import *
[row] = Delivery.objects.filter(kind="confirmation").values_list("state", "lease")
print(*map(repr, row))
"""


@contextlib.contextmanager
def claiming(database_url: str) -> Iterator[list[str]]:
    """As workers on other machines do, again and again; what they got hold of."""
    claimed: list[str] = []
    enough = threading.Event()

    def claim() -> None:
        with psycopg.connect(database_url, autocommit=True) as worker:
            while not enough.is_set():
                now = datetime.now(UTC)
                values = {"now": now, "until": now + timedelta(minutes=6), "lease": "another machine's.1"}
                claimed.extend(
                    f"mail {pk}" for (pk,) in worker.execute(CLAIM.format(lock="FOR UPDATE SKIP LOCKED"), values)
                )
                claimed.extend(f"act {pk}" for (pk,) in worker.execute(CLAIM_ACT))

    workers = [threading.Thread(target=claim) for _ in range(2)]
    for worker in workers:
        worker.start()
    yield claimed
    enough.set()
    for worker in workers:
        worker.join()


CLAIM_ACT = "UPDATE registrations_job SET state = 'running' WHERE state = 'waiting' RETURNING id"


def test_a_restore_that_is_killed_keeps_the_site_from_starting_and_can_be_run_again(site: RunningSite) -> None:
    sign_up(site, "zoe@example.org")
    backup = back_up(site)
    process = site.start("restore", str(backup), "--replace")
    wait_for(lambda: (site.data / "restore_under_way").exists(), "the restore under way")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert "A restore was begun and has not ended" in refusal(site, "worker")

    assert "Mails held back: 1" in site.run("restore", str(backup), "--replace")
    assert people(site) == ["zoe@example.org"]
    assert list(site.data.glob(".restore-*")) == []
    assert not (site.data / "restore_under_way").exists()
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()


@pytest.mark.parametrize("was_cut_short", [False, True])
def test_a_restore_that_changed_nothing_leaves_no_mark_unless_an_earlier_one_was_cut_short(
    settings: Settings, tmp_path: Path, was_cut_short: bool
) -> None:
    settings.DATA_DIR = tmp_path
    if was_cut_short:
        site_lock.restore_marker().touch()
    with pytest.raises(Refused, match="psql is not there"), restore._marked(tmp_path):
        raise Refused("psql is not there")
    assert site_lock.restore_marker().exists() == was_cut_short


def test_a_restore_under_way_keeps_the_site_from_starting(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with (
        site_lock.exclusive(while_running=False),
        pytest.raises(Refused, match="A backup is being restored"),
        site_lock.shared(),
    ):
        pass
    with site_lock.shared(), site_lock.shared():
        pass
