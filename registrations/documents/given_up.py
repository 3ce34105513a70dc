"""Documents that could not be made are remembered, so that a broken renderer is paid for once, and not by each mail.

Beside the file of a document, `<name>.failed` has one byte for each try. All processes of the machine see it.
"""

import contextlib
import os
import time
from pathlib import Path

from django.conf import settings

TRIES = 3  # of all mails together
TRY_AGAIN_AFTER = 600  # seconds, for the worker that makes reports in advance
REMEMBERED_FOR = 3600  # seconds since the last try


def is_given_up(file: Path) -> bool:
    return _tries(file, within=REMEMBERED_FOR) >= TRIES


def is_any() -> bool:
    folder = Path(settings.DATA_DIR) / "reports"
    return any(is_given_up(marker) for marker in folder.glob("*.failed"))


def was_tried_lately(file: Path) -> bool:
    return _tries(file, within=TRY_AGAIN_AFTER) > 0


def note_failure(file: Path) -> None:
    """One more failed try. On a full disk it is not remembered."""
    tries = _tries(file, within=REMEMBERED_FOR) + 1
    with contextlib.suppress(OSError):
        _marker(file).write_bytes(b"x" * tries)
        os.utime(_marker(file), (time.time(), time.time()))


def forget(file: Path) -> None:
    """It could be made after all."""
    with contextlib.suppress(OSError):
        _marker(file).unlink(missing_ok=True)


def _tries(file: Path, *, within: float) -> int:
    try:
        stat = _marker(file).stat()
    except OSError:
        return 0
    return stat.st_size if time.time() - stat.st_mtime < within else 0


def _marker(file: Path) -> Path:
    return file.with_suffix(".failed")
