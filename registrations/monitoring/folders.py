"""Whether the files and folders that the site writes to can be used."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from registrations.runtime import database_file, full_disk

DISK_FREE_AT_LEAST = 0.05  # of the disk that holds DATA_DIR
TEMP_FREE_AT_LEAST = 50_000_000  # bytes: a large upload, and what it is read into


def problems() -> Iterator[str]:
    """Sentences about disks and folders. The database is in use when this is called."""
    data = Path(settings.DATA_DIR)
    disk = shutil.disk_usage(data)
    if disk.free < DISK_FREE_AT_LEAST * disk.total:
        yield "The disk is almost full."
    if not _can_be_written(data):
        yield "DATA_DIR cannot be written: look at its disk and at its permissions."
    if full_disk.is_noted():
        yield "The database had no room for a change within three minutes: look at the disk of its server."
    temp = Path(tempfile.gettempdir())
    if shutil.disk_usage(temp).free < TEMP_FREE_AT_LEAST or not _can_be_written(temp):
        yield f"The folder for temporary files ({temp}) is full or cannot be written: uploads will fail."


def database_problem() -> str:
    """What has happened to the SQLite file under the running site; empty for PostgreSQL."""
    return database_file.problem(Path(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else ""


def _can_be_written(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
            file.flush()
    except OSError:
        return False
    return True
