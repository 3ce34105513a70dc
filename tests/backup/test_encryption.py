"""Backups encrypted for the operator's public key, by the real program."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_django import Settings

from registrations.backup import create
from registrations.runtime.site_lock import Refused
from tests.backups import back_up, people, refusal, sign_up
from tests.site import RunningSite

pytestmark = pytest.mark.skipif(
    shutil.which("age") is None and not os.environ.get("CI"), reason="no age on this machine"
)
FAILS_UNDER_WAY = """#!/bin/sh
[ "$(head -c 1 | wc -c)" = 0 ] || { echo "age: error: no space left on device" >&2; exit 1; }
"""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The private key, which its owner keeps elsewhere; it begins with the public one, as a comment."""
    file = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
    return file


def public(key: Path) -> str:
    return key.read_text().partition("# public key: ")[2].partition("\n")[0]


@pytest.fixture
def own_folders(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    return tmp_path / "backups"


def test_who_steals_the_backups_of_a_server_reads_nothing_and_the_owner_of_the_key_restores_them(
    site: RunningSite, empty_site: RunningSite, key: Path, tmp_path: Path
) -> None:
    sign_up(site, "zoe@example.org")
    site.env["BACKUP_RECIPIENT"] = public(key)
    backup = back_up(site)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in backup.parent.iterdir()) == [".lock", backup.name]
    assert json.loads((site.data / "last_backup.json").read_text())["file"] == str(backup)
    told = refusal(site, "restore", str(backup), "--replace")

    command = re.findall(r"age --decrypt --identity key\.txt --output (\S+\.tar\.gz) (\S+\.tar\.gz\.age);", told)
    assert command == [(backup.stem, backup.name)]
    subprocess.run(["age", "--decrypt", "-i", key, "-o", tmp_path / backup.stem, backup], check=True)
    empty_site.run("restore", str(tmp_path / backup.stem))
    assert people(empty_site) == ["zoe@example.org"]


def test_encrypted_backups_and_those_from_before_are_kept_by_the_same_count(site: RunningSite, key: Path) -> None:
    made = [back_up(site), back_up(site)]
    site.env["BACKUP_RECIPIENT"] = public(key)
    made.append(back_up(site, "--keep", "2"))
    assert sorted(made[0].parent.glob("webinar-*")) == made[1:]


def test_a_private_key_as_recipient_stops_the_backup_and_is_not_repeated(site: RunningSite, key: Path) -> None:
    for wrong in (re.findall(r"AGE-SECRET\S+", key.read_text())[0], "operator@example.org"):
        site.env["BACKUP_RECIPIENT"] = wrong
        told = refusal(site, "backup")
        assert told.endswith("is not a public key: set it to the one that age-keygen shows (age1…).")
        assert wrong not in told
    assert not (site.data / "backups").exists()


def test_without_age_a_sentence_says_what_to_install_and_no_clear_backup_is_made(
    own_folders: Path, settings: Settings, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BACKUP_RECIPIENT = public(key)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match=r"age is not on this machine: install it \(apt-get install age\)"):
        create.make(own_folders)
    assert not own_folders.exists()


@pytest.mark.django_db
def test_an_encryption_that_fails_under_way_leaves_nothing_behind(
    own_folders: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "age"
    program.parent.mkdir()
    program.write_text(FAILS_UNDER_WAY)
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    settings.BACKUP_RECIPIENT = "age1"
    settings.MEDIA_ROOT.mkdir()
    (settings.MEDIA_ROOT / "large.pdf").write_bytes(os.urandom(1 << 20))  # more than a pipe holds
    with pytest.raises(Refused, match="age could not encrypt the backup: age: error: no space left on device"):
        create.make(own_folders)
    assert [path.name for path in own_folders.iterdir()] == [".lock"]
