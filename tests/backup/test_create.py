"""The backup, by the command and by its parts, on the database under test."""

import gzip
import json
import signal
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from registrations.backup import archive, create, dumps
from registrations.runtime.site_lock import Refused
from tests.backups import back_up, files, people, refusal, rewritten, sign_up
from tests.site import RunningSite, wait_for


@pytest.fixture
def own_folders(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    return tmp_path / "backups"


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


def test_only_the_youngest_backups_are_kept(site: RunningSite, tmp_path: Path) -> None:
    made = [back_up(site, "--to", str(tmp_path / "safe"), "--keep", "2") for _ in range(3)]
    assert sorted((tmp_path / "safe").glob("webinar-*")) == made[1:]
    assert "--keep wants 1 or more." in refusal(site, "backup", "--keep", "0")


@pytest.mark.django_db
def test_a_disk_too_full_is_said_before_anything_is_written(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "database_bytes", lambda: 10**15)
    with pytest.raises(Refused, match=r"The disk is too full: 1907348632 MB may be needed in "):
        create.make(own_folders)
    assert [path.name for path in own_folders.iterdir()] == [".lock"]


@pytest.mark.django_db
def test_two_backups_into_one_folder_do_not_meet(own_folders: Path) -> None:
    own_folders.mkdir()
    with create._alone(own_folders), pytest.raises(Refused, match="Another backup is being made"):
        create.make(own_folders)


@pytest.mark.django_db
def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dumps, "dump", full)
    with pytest.raises(Refused, match="could not be written: No space left on device"):
        create.make(own_folders)
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
