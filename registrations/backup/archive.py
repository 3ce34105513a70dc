"""The file of a backup: a compressed tar of the database, the uploads and the erasure journal.

Its last member is the manifest, with a checksum of each other member. A file without a manifest was never finished.
"""

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from registrations.backup.encryption import require_decrypted
from registrations.runtime.site_lock import Refused

DATABASE, JOURNAL, MANIFEST, MEDIA = "database", "erasures.log", "manifest.json", "media"
FORMAT = 1
FASTEST = 1  # level of gzip: large members are compressed already, except SQLite's file
CHUNK = 1 << 20  # bytes


class Hashed(io.RawIOBase):
    """A file that counts bytes and computes the checksum while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.count = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size)
        self.digest.update(piece)
        self.count += len(piece)
        return piece

    @property
    def facts(self) -> dict[str, Any]:
        return {"bytes": self.count, "sha256": self.digest.hexdigest()}


class Writer:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.members: dict[str, dict[str, Any]] = {}

    @classmethod
    @contextmanager
    def to(cls, file: IO[bytes]) -> Iterator[Self]:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=FASTEST) as tar:
            yield cls(tar)

    def add(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            hashed = Hashed(file)
            info = self.tar.gettarinfo(arcname=name, fileobj=file)
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            self.tar.addfile(info, hashed)
        self.members[name] = hashed.facts

    def finish(self, facts: dict[str, Any]) -> None:
        manifest = {"format": FORMAT, **facts, "members": self.members}
        content = json.dumps(manifest, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(content)
        self.tar.addfile(info, io.BytesIO(content))


def unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Write the members below `folder` and return the manifest. Raises Refused when a checksum is wrong."""
    try:
        require_decrypted(file)
        with tarfile.open(file, "r:gz") as tar:
            found = {member.name: _extract(tar, member, folder) for member in tar}
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Refused(f"{file} is no backup, or a part of one.") from error
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror or error}.") from error
    return _checked(file, folder, found)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> dict[str, Any]:
    name = PurePosixPath(member.name)
    source = tar.extractfile(member) if member.isreg() else None
    if source is None or name.is_absolute() or ".." in name.parts:
        raise tarfile.TarError(member.name)
    hashed, target = Hashed(source), folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as copy:
        while piece := hashed.read(CHUNK):
            copy.write(piece)
    return hashed.facts


def _checked(file: Path, folder: Path, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if found.pop(MANIFEST, None) is None:
        raise Refused(f"{file} is no backup, or a part of one.")
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    if manifest["format"] != FORMAT:
        raise Refused(f"{file} was made by a newer version of the product.")
    if damaged := sorted(
        name for name in {*found, *manifest["members"]} if found.get(name) != manifest["members"].get(name)
    ):
        raise Refused(f"{file} is damaged: {', '.join(damaged)}.")
    return manifest
