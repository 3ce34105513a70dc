"""Collect static files only when they have changed or are damaged, since compressing them takes seconds at each start.

They are made beside the folder that is served, written to the disk, and put in its place at once. So a full disk or a
power cut leaves the former files, or none, which the next start notices.
"""

import hashlib
import json
import os
import shutil
import time
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands.collectstatic import Command
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

RECORD = ".made-from"
FORMER_KEPT_FOR = 30 * 24 * 3600  # seconds: pages that are open, and processes of the release before, name them


def collect() -> None:
    """Run collectstatic unless the result was made from the same files before and is whole.

    Raises CommandError with what to do when they cannot be written.
    """
    folder, fingerprint = Path(settings.STATIC_ROOT), _fingerprint()
    if _is_whole(folder, fingerprint):
        return
    draft, former = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    try:
        for left_over in (draft, former):
            shutil.rmtree(left_over, ignore_errors=True)
        _make(draft, fingerprint)
        _keep_former(folder, draft)
        os.sync()  # before the new folder counts: a power cut must leave no empty files under its name
        if folder.exists():
            folder.rename(former)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise CommandError(
            f"The static files could not be written to {folder}: {error.strerror}. "
            f"Free some space, or make the folder writable, and start again."
        ) from error
    shutil.rmtree(former, ignore_errors=True)


def _make(folder: Path, fingerprint: str) -> None:
    command = Command()
    command.storage = storages.create_storage(
        {**settings.STORAGES["staticfiles"], "OPTIONS": {"location": folder, "base_url": settings.STATIC_URL}}
    )
    call_command(command, verbosity=0, interactive=False)
    record = {"made_from": fingerprint, "files": _checksums(folder)}
    (folder / RECORD).write_text(json.dumps(record))


def _is_whole(folder: Path, fingerprint: str) -> bool:
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text())
        if record["made_from"] != fingerprint:
            return False
        return all(_checksum(folder / name) == checksum for name, checksum in record["files"].items())
    except (OSError, ValueError, TypeError, KeyError):  # no record, one of a former release, or a file that is missing
        return False


def _keep_former(folder: Path, draft: Path) -> None:
    """Add the files of earlier releases, which processes of the release before still serve during an upgrade."""
    oldest = time.time() - FORMER_KEPT_FOR
    for path in folder.rglob("*") if folder.exists() else ():
        kept = draft / path.relative_to(folder)
        if path.is_file() and path.stat().st_size and path.stat().st_mtime > oldest and not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.hardlink_to(path)


def _checksums(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): _checksum(path) for path in folder.rglob("*") if path.is_file()}


def _checksum(path: Path) -> int:
    return zlib.crc32(path.read_bytes())


def _fingerprint() -> str:
    """Hash of the contents of our files, and of the versions of the packages that add or process the others."""
    digest = hashlib.sha256(f"{version('django')} {version('whitenoise')} {version('brotli')}".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
