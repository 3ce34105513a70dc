"""A disk that can be full: a small file system of its own, which needs the right to mount.

Without it, files of the processes that use it cannot be written any more (`RLIMIT_FSIZE`, EFBIG instead of ENOSPC).
"""

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

BLOCK = b"x" * 4096


class SmallDisk:
    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        self.is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def end(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    @contextlib.contextmanager
    def full(self, pids: Callable[[], list[int]]) -> Iterator[None]:
        """`pids`: of the processes that use it."""
        self.fill(pids)
        try:
            yield
        finally:
            self.make_room(pids)

    def fill(self, pids: Callable[[], list[int]]) -> None:
        if not self.is_mounted:
            return _limit(pids(), 1)
        file = os.open(self.folder / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with contextlib.suppress(OSError):
            os.posix_fallocate(file, 0, _free(self.folder) - len(BLOCK))
        try:
            while os.write(file, BLOCK):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(file)

    def make_room(self, pids: Callable[[], list[int]]) -> None:
        if self.is_mounted:
            (self.folder / "filler").unlink()
        else:
            _limit(pids(), resource.RLIM_INFINITY)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    disk = SmallDisk(folder, megabytes)
    try:
        yield disk
    finally:
        disk.end()


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _limit(pids: list[int], size: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
