"""Restore a backup, apply later decisions again, and hold back mails that may have been sent already."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from registrations.backup import archive, dumps, replay
from registrations.backup.replay import Replayed
from registrations.domain import erasure_journal
from registrations.models import Delivery, Event, Job, WorkerPresence
from registrations.models.site_language import in_site_language
from registrations.runtime import database_file, site_lock
from registrations.runtime.site_lock import Refused
from registrations.security import audit

STAGES = ".restore-*"


class Restored(NamedTuple):
    at: datetime  # of the backup
    aside: str  # where the former database is kept
    uploads: int
    replayed: Replayed
    held: int


def check(file: Path) -> dict[str, Any]:
    """The manifest of a backup. Raises Refused when it is not whole, or when this version cannot read it."""
    with _stage() as stage:
        return _readable(file, stage)


def restore(
    file: Path, *, replace: bool, hold_mails: bool, while_running: bool, journals: Sequence[Path] = ()
) -> Restored:
    """Put a backup in place of the database. When it is killed, it can be run again. All sessions end.

    `replace`: also when the database is not empty. `hold_mails`: mails that were due wait for the organiser, since
    they may have been sent after the backup was made. `journals`: erasure journals of other machines.
    """
    site_lock.require_owner()
    with site_lock.exclusive(while_running=while_running), _only_stage() as stage:
        manifest, began_at = _readable(file, stage), timezone.now()
        _require_quiet(while_running)
        _require_room(replace)
        uploads = _put_uploads(stage / archive.MEDIA)
        with _marked(file):
            aside = dumps.load(stage / archive.DATABASE, began_at)
            if connection.vendor == "sqlite":
                database_file.note(Path(connection.settings_dict["NAME"]))
        call_command("migrate", verbosity=0)
        at = datetime.fromisoformat(manifest["at"])
        replayed = _replay_journals([stage / archive.JOURNAL, *journals], hold_mails, at)
        held = _settle(hold_mails, began_at=began_at) + (replayed.promoted if hold_mails else 0)
        audit.record(audit.Action.RESTORED, of=manifest["at"], held=held, **replayed._asdict())
        site_lock.restore_marker().unlink()
    return Restored(at, aside, uploads, replayed, held)


@contextmanager
def _marked(file: Path) -> Iterator[None]:
    """Let no process start until the restore has ended. An unchanged database needs no marker: it is removed."""
    was_marked = site_lock.restore_marker().exists()
    site_lock.restore_marker().write_text(f"{file}\n")
    try:
        yield
    except (Refused, OSError):
        if not was_marked:
            site_lock.restore_marker().unlink()
        raise


@contextmanager
def _stage() -> Iterator[Path]:
    stage = Path(tempfile.mkdtemp(prefix=STAGES.rstrip("*"), dir=settings.DATA_DIR))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def _only_stage() -> Iterator[Path]:
    """First delete what a killed restore has left."""
    for leftover in Path(settings.DATA_DIR).glob(STAGES):
        shutil.rmtree(leftover)
    with _stage() as stage:
        yield stage


def _readable(file: Path, stage: Path) -> dict[str, Any]:
    manifest = archive.unpack(file, stage)
    if manifest["database"] != connection.vendor:
        raise Refused(
            f"This is a backup of {manifest['database']}, and the site uses {connection.vendor}: see DATABASE_URL."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(manifest["migrations"]) - known):
        raise Refused(
            f"This backup was made by version {manifest['version']}, newer than the one here ({', '.join(unknown)})."
        )
    return manifest


def _require_quiet(while_running: bool) -> None:
    if while_running and connection.vendor == "sqlite":
        raise Refused(
            "SQLite's file cannot be replaced under those who use it: stop the site, without --while-running."
        )
    if (others := dumps.others_connected()) and not while_running:
        raise Refused(
            f"The database has other connections ({', '.join(others)}): stop the site on every machine first "
            "(or say --while-running)."
        )


def _require_room(replace: bool) -> None:
    """Refuse to replace a database that holds events or accounts, unless told to."""
    if replace or Event._meta.db_table not in connection.introspection.table_names():
        return
    if Event.objects.exists() or get_user_model().objects.exists():
        raise Refused("The database is not empty: say --replace to put the backup in its place (it is kept aside).")


def _put_uploads(folder: Path) -> int:
    """Copy the uploads beside the existing ones: names are random, so none is overwritten by another file."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    for path in found:
        target = Path(settings.MEDIA_ROOT) / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.restoring")
        shutil.copyfile(path, draft)
        dumps.fsync(draft)
        draft.replace(target)
    return len(found)


def _replay_journals(others: Sequence[Path], hold_mails: bool, at: datetime) -> Replayed:
    """Add the other journals to the one here, then replay it."""
    for other in others:
        erasure_journal.add(other)
    state = Delivery.State.HELD if hold_mails else Delivery.State.PENDING
    return replay.replay([erasure_journal.path()], backup_at=at, mails=state)


@transaction.atomic
def _settle(hold_mails: bool, *, began_at: datetime) -> int:
    """End what ran at the time of the backup: sessions, wake-ups, workers, long jobs. Returns how many mails are held.

    What was asked for since the restore began goes on: workers and visitors may be there already. Imports of the
    backup are deleted, since starting one again would bring back people who were erased.
    """
    Session.objects.all().delete()
    DBTaskResult.objects.all().delete()
    WorkerPresence.objects.all().delete()
    of_backup = Job.objects.filter(created_at__lt=began_at)
    of_backup.filter(kind=Job.Kind.IMPORT).delete()
    of_backup.under_way().update(
        state=Job.State.FAILED,
        worker="",
        ended_at=timezone.now(),
        error=in_site_language(_("A backup was restored meanwhile: look at what was done, then start it again.")),
    )
    Delivery.objects.resume_after_restore()
    return Delivery.objects.filter(created_at__lt=began_at).hold() if hold_mails else 0
