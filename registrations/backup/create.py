"""Make a backup: one file from which the site can be restored, written while it runs."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from registrations.backup import archive, dumps, encryption, last_backup
from registrations.backup.last_backup import LastBackup
from registrations.domain import erasure_journal
from registrations.models import Event, EventDocument
from registrations.runtime import site_lock
from registrations.runtime.site_lock import Refused
from registrations.runtime.version import version

NAME = "webinar-{moment:%Y%m%dT%H%M%S}.{thousandths:03}Z.tar.gz"
NAMES = ["webinar-*.tar.gz", f"webinar-*.tar.gz{encryption.ENDING}"]
DRAFTS = ".draft-*"


def default_folder() -> Path:
    return Path(settings.DATA_DIR) / "backups"


def make(folder: Path, *, keep: int | None = None) -> LastBackup:
    """Write a backup into the folder, and delete all but the `keep` newest.

    The database comes first, then the uploads: a file is written before the row that names it, and never deleted. The
    erasure journal comes last: lines newer than the database do no harm.
    """
    site_lock.require_owner()
    encryption.require_usable()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with site_lock.shared(), _alone(folder), _draft(folder) as draft:
        _require_space(folder)
        at = timezone.now()
        made = LastBackup(at, str(_finished(folder, draft, at)), 0)
        made = made._replace(size=Path(made.file).stat().st_size)
        last_backup.write(made)
        _prune(folder, keep)
    return made


def missing_uploads() -> list[str]:
    """Files that an event or a document names and that do not exist."""
    reports = Event.objects.exclude(report_file="").values_list("report_file", flat=True)
    names = [*reports, *EventDocument.objects.exclude(file="").values_list("file", flat=True)]
    return [name for name in names if not (Path(settings.MEDIA_ROOT) / name).is_file()]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("Another backup is being made into this folder.") from error
        yield


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder that only this account can read. First deletes what a killed backup has left."""
    for leftover in folder.glob(DRAFTS):
        shutil.rmtree(leftover)
    draft = Path(tempfile.mkdtemp(prefix=DRAFTS.rstrip("*"), dir=folder))
    try:
        yield draft
    except OSError as error:
        raise Refused(f"The backup could not be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _require_space(folder: Path) -> None:
    """Refuse when the disk cannot hold the copy of the database and the uncompressed backup."""
    uploads = sum(path.stat().st_size for path in _uploads())
    needed, free = 2 * dumps.database_bytes() + uploads, shutil.disk_usage(folder).free
    if free < needed:
        raise Refused(f"The disk is too full: {needed >> 20} MB may be needed in {folder}, {free >> 20} MB are free.")


def _finished(folder: Path, draft: Path, at: datetime) -> Path:
    """Write the backup, flush it to the disk, and only then give it its name."""
    database, whole = draft / archive.DATABASE, draft / "whole"
    dumps.dump(database)
    with os.fdopen(os.open(whole, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with encryption.encrypted(file) as stream, archive.Writer.to(stream) as writer:
            writer.add(archive.DATABASE, database)
            for path in _uploads():
                writer.add(f"{archive.MEDIA}/{path.relative_to(settings.MEDIA_ROOT).as_posix()}", path)
            if erasure_journal.path().exists():
                writer.add(archive.JOURNAL, erasure_journal.path())
            writer.finish(_facts(at))
        file.flush()
        os.fsync(file.fileno())
    moment = at.astimezone(UTC)
    name = NAME.format(moment=moment, thousandths=moment.microsecond // 1000)
    final = folder / (name + encryption.ENDING if settings.BACKUP_RECIPIENT else name)
    whole.replace(final)
    dumps.fsync(folder)
    return final


def _uploads() -> list[Path]:
    """All but the progress files of long jobs, which are temporary."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(path for path in root.rglob("*") if path.is_file() and root / "progress" not in path.parents)


def _facts(at: datetime) -> dict[str, Any]:
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    return {
        "version": version(),
        "database": connection.vendor,
        "at": at.isoformat(),
        "migrations": [f"{app}.{name}" for app, name in applied],
    }


def _prune(folder: Path, keep: int | None) -> None:
    """Delete the oldest backups, encrypted or not; names sort by time."""
    found = sorted((path for names in NAMES for path in folder.glob(names)), reverse=True)
    for old in found[keep:] if keep else []:
        old.unlink()
