"""Static files after a power cut, a full disk and an upgrade."""

import errno
import os
from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from registrations.management import static_files


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where the files are served from; collected once, from two files."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "a.css").write_text("a { color: red }")
    (tmp_path / "ours" / "b.js").write_text("'use strict'")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [tmp_path / "ours"], tmp_path / "static"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "registrations.web.static_storage.StaticStorage"},
    }
    static_files.collect()
    return tmp_path / "static"


def served(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_that_a_power_cut_left_empty_are_made_anew_at_the_next_start(folder: Path) -> None:
    whole = served(folder)
    for path in folder.rglob("*"):
        if path.name != static_files.RECORD:
            path.write_bytes(b"")
    static_files.collect()
    assert served(folder) == whole


@pytest.mark.parametrize("left", [None, b"'use strikt'"])
def test_one_file_that_is_missing_or_damaged_is_enough(folder: Path, left: bytes | None) -> None:
    whole = served(folder)
    (script,) = folder.glob("b.*.js")
    script.unlink()
    if left:
        script.write_bytes(left)
    static_files.collect()
    assert served(folder) == whole


def test_nothing_is_made_anew_while_all_is_well(folder: Path) -> None:
    before = folder.stat().st_ino
    static_files.collect()
    assert folder.stat().st_ino == before


def test_a_full_disk_leaves_the_former_files_and_says_what_to_do(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = served(folder)
    (tmp_path / "ours" / "a.css").write_text("a { color: blue }")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(static_files, "_make", full)
        with pytest.raises(CommandError, match=r"No space left on device\. Free some space"):
            static_files.collect()
    assert served(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours", "static"]
    static_files.collect()
    assert b"a { color: blue }" in served(folder).values()


def test_a_start_that_was_killed_half_way_stands_in_nobodys_way(folder: Path, tmp_path: Path) -> None:
    whole = served(folder)
    folder.rename(tmp_path / "static.old")
    (tmp_path / "static.new").mkdir()
    (tmp_path / "static.new" / "a.css").write_text("half")
    static_files.collect()
    assert served(folder) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours", "static"]


def test_pages_of_the_release_before_still_find_their_files(folder: Path, tmp_path: Path) -> None:
    (hashed,) = folder.glob("a.*.css")
    (tmp_path / "ours" / "a.css").write_text("a { color: blue }")
    static_files.collect()
    assert (folder / hashed.name).read_text() == "a { color: red }"
    assert len(list(folder.glob("a.*.css"))) == 2
