"""Folders that are full or cannot be written, and a database file that is not the one the site started with."""

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError
from pytest_django import Settings

from registrations.monitoring import folders, status
from registrations.runtime import database_file, full_disk


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return Path(settings.DATA_DIR)


def test_nothing_is_said_while_all_can_be_written(data: Path) -> None:
    assert list(folders.problems()) == []
    assert list(data.iterdir()) == []


def test_a_data_folder_that_cannot_be_written_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = tempfile.TemporaryFile

    def read_only(*, dir: Path) -> object:  # noqa: A002 - the name of the library
        if dir == data:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return really(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    assert list(folders.problems()) == ["DATA_DIR cannot be written: look at its disk and at its permissions."]


def test_a_full_temporary_folder_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really, temp = shutil.disk_usage, Path(tempfile.gettempdir())
    full = really(temp)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full if Path(path) == temp else really(path))
    (told,) = folders.problems()
    assert told.startswith("The folder for temporary files (")


@pytest.mark.django_db
def test_the_site_is_not_ready_then(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_can_be_written", lambda folder: folder != data)
    assert status.not_ready()[0].startswith("DATA_DIR cannot be written")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database in use since the site started."""
    path = tmp_path / "db.sqlite3"
    path.touch()
    path.with_name("db.sqlite3-wal").touch()
    database_file.note(path)
    return path


def test_the_file_that_the_site_started_with_is_no_problem(file: Path) -> None:
    assert database_file.problem(file) == ""
    assert not database_file.is_gone(file)


def test_a_deleted_database_is_told_and_is_not_begun_anew(file: Path) -> None:
    file.unlink()
    assert "has been deleted" in database_file.problem(file)
    assert database_file.is_gone(file)


def test_an_empty_file_that_a_running_process_made_in_its_place_does_not_count(file: Path) -> None:
    file.rename(file.with_name("aside"))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    assert database_file.is_gone(file)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE restored (id)")
    assert not database_file.is_gone(file)  # a backup that somebody put there


def test_a_replaced_database_is_told(file: Path) -> None:
    other = file.with_name("other")
    sqlite3.connect(other).close()
    other.touch()
    other.replace(file)
    assert "has been replaced" in database_file.problem(file)


def test_a_deleted_write_ahead_log_is_told(file: Path) -> None:
    file.with_name("db.sqlite3-wal").unlink()
    assert "write-ahead log" in database_file.problem(file)


def test_a_deleted_write_ahead_log_is_told_though_another_connection_makes_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE used (id)")
        database_file.note(file)
        assert database_file.problem(file) == ""
        (log := file.with_name("db.sqlite3-wal")).unlink()
        log.touch()
        assert "write-ahead log" in database_file.problem(file)


def test_a_site_that_was_not_started_by_up_is_not_watched(tmp_path: Path) -> None:
    assert database_file.problem(tmp_path / "db.sqlite3") == ""


def sqlite_error(code: int) -> OperationalError:
    error, cause = OperationalError(), sqlite3.OperationalError()
    cause.sqlite_errorcode = code
    error.__cause__ = cause
    return error


@pytest.mark.usefixtures("data")
def test_a_database_without_room_is_told_for_three_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk.note(sqlite_error(sqlite3.SQLITE_BUSY))
    assert list(folders.problems()) == []
    full_disk.note(sqlite_error(sqlite3.SQLITE_FULL))
    [told] = folders.problems()
    assert told.startswith("The database had no room for a change")
    monkeypatch.setattr(full_disk, "REMEMBERED_FOR", 0)
    assert list(folders.problems()) == []


@pytest.mark.usefixtures("data")
def test_a_postgresql_without_room_is_told_as_well() -> None:
    error = OperationalError()
    error.__cause__ = psycopg.errors.DiskFull()
    full_disk.note(error)
    assert len(list(folders.problems())) == 1
