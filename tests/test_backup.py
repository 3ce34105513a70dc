"""Backup and restore, by the commands as an operator types them, on the database under test."""

import contextlib
import gzip
import io
import json
import re
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from registrations import archive, backups, dumps, privacy, restores, running, status
from registrations.models import Delivery, Job, Registration
from registrations.models.delivery import CLAIM
from registrations.running import Refused
from tests.factories import answers, make_event, make_registration
from tests.site import ROOT, RunningSite, own_database, wait_for

READ = (
    "from registrations.models import *; print(*Registration.objects.order_by('pk').values_list('email', flat=True))"
)
SIGN_UP = """
from registrations import signup
from registrations.models import *
for typed in {typed}:
    signup.register(Event.objects.get(), language="fr", **typed)
"""
EXACT = "from tests.tallies import assert_exact; assert_exact()"
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
STATES = "from registrations.models import *; print(*Delivery.objects.order_by('pk').values_list('state', flat=True))"


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[RunningSite]:
    """A machine on which nothing was ever set up."""
    (tmp_path / "empty").mkdir()
    with own_database() as database_url, RunningSite(tmp_path / "empty", database_url) as site:
        yield site


def shell(site: RunningSite, code: str) -> str:
    return site.run("shell", "--verbosity", "0", "-c", code)


def sign_up(site: RunningSite, *emails: str) -> None:
    """As the form does, without a browser."""
    shell(site, SIGN_UP.format(typed=[answers(email=email) for email in emails]))


def people(site: RunningSite) -> list[str]:
    return shell(site, READ).split()


def back_up(site: RunningSite, *options: str) -> Path:
    return Path(site.run("backup", *options).partition(" (")[0])


def refusal(site: RunningSite, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *command], env=site.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    return done.stderr.strip().splitlines()[-1]


def files(backup: Path) -> dict[str, bytes]:
    with tarfile.open(backup) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def rewritten(backup: Path, **changed: bytes) -> Path:
    """A backup in which somebody has changed something."""
    other = backup.with_name("changed.tar.gz")
    with tarfile.open(other, "w:gz") as tar:
        for name, content in {**files(backup), **changed}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return other


def test_every_sign_up_that_was_confirmed_before_a_backup_under_load_is_in_it(
    site: RunningSite, empty_site: RunningSite
) -> None:
    upload = site.data / "media" / "reports" / "étude.pdf"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"%PDF-1.7\n%%EOF")
    site.env["RATE_LIMITS"] = "off"
    site.start("web", "--port", str(site.port))
    site.start("worker")
    site.wait_until_it_serves()
    confirmed: list[str] = []
    enough = threading.Event()

    def visit(number: int) -> None:
        count = 0
        while not enough.is_set():
            email = f"visitor-{number}-{count}@example.org"
            if "Votre inscription est enregistrée" in site.sign_up(email=email):
                confirmed.append(email)
            count += 1

    visitors = [threading.Thread(target=visit, args=[number]) for number in range(3)]
    for visitor in visitors:
        visitor.start()
    wait_for(lambda: len(confirmed) > 5, "the first sign-ups")
    before = set(confirmed)
    backup = back_up(site)
    wait_for(lambda: len(confirmed) > len(before), "sign-ups after the backup")
    enough.set()
    for visitor in visitors:
        visitor.join()

    assert backup.stat().st_mode & 0o777 == 0o600
    told = empty_site.run("restore", str(backup))
    assert "Restored: the site as it was at " in told
    assert "Kept aside" not in told
    restored = set(people(empty_site))
    assert before <= restored <= set(confirmed)
    assert (empty_site.data / "media" / "reports" / "étude.pdf").read_bytes() == b"%PDF-1.7\n%%EOF"
    assert json.loads((site.data / "last_backup.json").read_text())["file"] == str(backup)


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
    erase = "from registrations import privacy; from registrations.models import *; "
    shell(site, erase + "privacy.erase(Registration.objects.get(email='partie@example.org'))")
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


def test_the_tallies_are_exact_after_a_restore_and_go_on_counting(site: RunningSite, empty_site: RunningSite) -> None:
    sign_up(site, "zoe@example.org", "avant@example.org")
    backup = back_up(site)
    sign_up(site, "apres@example.org")
    site.run("restore", str(backup), "--replace")
    site.run("restore", str(back_up(site)), "--replace")  # with what the first one has set aside beside it
    empty_site.run("restore", str(backup))
    for restored in (site, empty_site):
        shell(restored, EXACT)
        sign_up(restored, "ensuite@example.org")
        shell(restored, EXACT)
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
    worker.wait(timeout=60)

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
    web.wait(timeout=60)
    assert "The database is not empty: say --replace" in refusal(site, "restore", str(backup))
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


ASK_FOR_A_LONG_ACT = """
from registrations.models import *
Job.objects.create(kind="message", title="x", event=Event.objects.get(), mark="x", asked_by=1)
"""
LEFT_AND_ERASED = """
from registrations import privacy
from registrations.models import *
Delivery.objects.update(state="sent")
Job.objects.update(state="done")
privacy.erase(Registration.objects.get(email__startswith="partie"))
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


@pytest.mark.django_db
def test_what_is_owed_and_asked_for_once_the_backup_is_in_place_is_not_held_back() -> None:
    began_at = timezone.now()
    Delivery.objects.owe(make_registration(), Delivery.Kind.CONFIRMATION)
    Job.objects.create(kind=Job.Kind.IMPORT, mark="x", asked_by=1)
    assert restores._settle(True, began_at=began_at) == 0
    assert Delivery.objects.get().state == Delivery.State.PENDING
    assert Job.objects.get().state == Job.State.WAITING


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hold_mails", "states"),
    [(True, ["held", "held", "pending", "held"]), (False, ["pending", "sending", "pending", "held"])],
)
def test_what_was_asleep_is_as_it_was_but_for_what_is_held(hold_mails: bool, states: list[str]) -> None:
    later = timezone.now() + timedelta(hours=1)
    for asleep in (
        {"lease": "pending"},
        {"lease": "sending", "due": later},
        {"lease": "pending", "due": later},
        {"lease": ""},  # since an earlier restore
    ):
        delivery = Delivery.objects.owe(make_registration(), Delivery.Kind.CONFIRMATION)
        Delivery.objects.filter(pk=delivery.pk).update(state="held", **asleep)
    restores._settle(hold_mails, began_at=timezone.now())
    rows = Delivery.objects.order_by("pk").values_list("state", "lease")
    assert list(rows) == [(state, "") for state in states]


@pytest.mark.django_db
def test_a_mail_that_left_before_the_restore_says_nothing_of_the_one_that_has_its_number_now() -> None:
    delivery = Delivery.objects.owe(make_registration(), Delivery.Kind.CONFIRMATION)
    in_hand = Delivery.objects.get(pk=delivery.pk)
    Delivery.objects.filter(pk=delivery.pk).update(message_id="<of-another-mail@example.org>")
    in_hand.record_sent()
    assert Delivery.objects.get().state == Delivery.State.PENDING


def test_a_backup_that_is_damaged_or_cut_short_or_no_backup_is_refused_and_nothing_changes(site: RunningSite) -> None:
    sign_up(site, "zoe@example.org")
    backup = back_up(site)
    cut = backup.with_name("cut.tar.gz")
    cut.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    text = backup.with_name("text")
    text.write_text("bonjour")
    unfinished = backup.with_name("unfinished.tar.gz")
    with tarfile.open(unfinished, "w:gz") as tar:
        tar.add(text, "database")
    for file, words in [
        (cut, "is no backup, or a part of one."),
        (text, "is no backup, or a part of one."),
        (unfinished, "is no backup, or a part of one."),
        (Path("/nowhere"), "cannot be read: No such file or directory."),
        (rewritten(backup, database=b"else"), "is damaged: database."),
    ]:
        assert refusal(site, "restore", str(file), "--replace").endswith(words)
    assert people(site) == ["zoe@example.org"]
    assert "Whole: " in site.run("restore", "--check", str(backup))


def test_a_backup_of_another_kind_of_database_or_of_a_newer_version_is_refused(site: RunningSite) -> None:
    backup = back_up(site)
    manifest = json.loads(files(backup)["manifest.json"])

    def changed(**facts: Any) -> str:
        content = json.dumps({**manifest, **facts}).encode()
        return refusal(site, "restore", str(rewritten(backup, **{"manifest.json": content})), "--replace")

    assert "This is a backup of oracle, and the site uses" in changed(database="oracle")
    newer = changed(version="9.0", migrations=[*manifest["migrations"], "registrations.9999_later"])
    assert "made by version 9.0, newer than the one here (registrations.9999_later)" in newer
    assert "was made by a newer version of the product" in changed(format=2)


def test_a_backup_that_is_killed_leaves_no_file_with_its_name_and_the_next_one_clears_up(site: RunningSite) -> None:
    media = site.data / "media"
    media.mkdir()
    (media / "large.pdf").write_bytes(bytes(400_000_000))
    folder = site.data / "backups"
    process = site.start("backup")
    wait_for(lambda: list(folder.glob(".draft-*/whole")), "the backup under way")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert list(folder.glob("webinar-*")) == []
    (media / "large.pdf").unlink()

    backup = back_up(site)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", backup.name]
    assert "Whole: " in site.run("restore", "--check", str(backup))


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


def test_only_the_youngest_backups_are_kept(site: RunningSite, tmp_path: Path) -> None:
    made = [back_up(site, "--to", str(tmp_path / "safe"), "--keep", "2") for _ in range(3)]
    assert sorted((tmp_path / "safe").glob("webinar-*")) == made[1:]
    assert "--keep wants 1 or more." in refusal(site, "backup", "--keep", "0")


@pytest.mark.parametrize("was_cut_short", [False, True])
def test_a_restore_that_changed_nothing_leaves_no_mark_unless_an_earlier_one_was_cut_short(
    own_folders: Path, was_cut_short: bool
) -> None:
    if was_cut_short:
        running.mark().touch()
    with pytest.raises(Refused, match="psql is not there"), restores._marked(own_folders):
        raise Refused("psql is not there")
    assert running.mark().exists() == was_cut_short


@pytest.mark.django_db
def test_after_a_restore_no_long_act_goes_on_and_no_import_brings_anybody_back() -> None:
    event = make_event()
    for kind in (Job.Kind.MESSAGE, Job.Kind.IMPORT):
        Job.objects.create(kind=kind, title=kind, event=event, state=Job.State.WAITING, mark=kind, asked_by=1)
    restores._settle(True, began_at=timezone.now())
    [job] = Job.objects.all()
    assert (job.kind, job.state, job.ended_at is None) == (Job.Kind.MESSAGE, Job.State.FAILED, False)
    assert job.error.startswith("Une sauvegarde a été restaurée entre-temps")


@pytest.mark.django_db
def test_after_a_restore_mails_on_trial_are_given_up_and_the_others_wait_for_the_organiser() -> None:
    trial = Registration.everyone.create(event=make_event(), is_trial=True, **answers())
    for registration in (trial, make_registration()):
        Delivery.objects.owe(registration, Delivery.Kind.CONFIRMATION)
    assert restores._settle(True, began_at=timezone.now()) == 1
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "held"]


@pytest.mark.django_db
def test_a_held_mail_that_the_provider_has_delivered_does_not_leave_again() -> None:
    delivery = Delivery.objects.owe(make_registration(), Delivery.Kind.CONFIRMATION)
    Delivery.objects.hold()
    Delivery.objects.filter(pk=delivery.pk).note_event(Delivery.ProviderStatus.DELIVERED)
    assert Delivery.objects.release() == 0
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.SENT


@pytest.mark.django_db
def test_whoever_is_being_erased_stays_until_the_held_mail_that_says_so_is_decided() -> None:
    registration = make_registration()
    privacy.ask_for_erasure(registration)
    Delivery.objects.hold()
    privacy.erase_due()
    assert Registration.objects.filter(pk=registration.pk).exists()


def test_a_restore_under_way_keeps_the_site_from_starting(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with (
        running.restore(while_running=False),
        pytest.raises(Refused, match="A backup is being restored"),
        running.site(),
    ):
        pass
    with running.site(), running.site():
        pass


@pytest.fixture
def own_folders(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    return tmp_path / "backups"


@pytest.mark.django_db
def test_a_disk_too_full_is_said_before_anything_is_written(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "database_bytes", lambda: 10**15)
    with pytest.raises(Refused, match=r"The disk is too full: 1907348632 MB may be needed in "):
        backups.make(own_folders)
    assert [path.name for path in own_folders.iterdir()] == [".lock"]


@pytest.mark.django_db
def test_two_backups_into_one_folder_do_not_meet(own_folders: Path) -> None:
    own_folders.mkdir()
    with backups._alone(own_folders), pytest.raises(Refused, match="Another backup is being made"):
        backups.make(own_folders)


@pytest.mark.django_db
def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dumps, "dump", full)
    with pytest.raises(Refused, match="could not be written: No space left on device"):
        backups.make(own_folders)
    assert [path.name for path in own_folders.iterdir()] == [".lock"]


def test_a_password_is_never_on_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "très-secret")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"sslmode": "require"})
    assert "très-secret" not in " ".join(dumps._address())
    environment = dumps._environment()
    assert (environment["PGPASSWORD"], environment["PGSSLMODE"]) == ("très-secret", "require")


def test_without_pg_dump_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "_installed", lambda name: ["/bin/true"])
    with pytest.raises(Refused, match=r"pg_dump of PostgreSQL 17 or newer is not on this machine: install it"):
        dumps._program_for(17, "pg_dump")


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_a_member_that_would_land_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "hostile.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(Refused, match="is no backup"):
        archive.unpack(file, tmp_path / "stage")
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.tar.gz"]


def test_a_file_that_is_only_compressed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.tar.gz"
    file.write_bytes(gzip.compress(b"bonjour"))
    with pytest.raises(Refused, match="is no backup"):
        archive.unpack(file, tmp_path / "stage")
