"""Backups encrypted for the operator's public key (BACKUP_RECIPIENT), by the program `age`.

The private key, which is needed to read them, is not on the server.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from django.conf import settings

from registrations.runtime.site_lock import Refused

ENDING = ".age"
FIRST_LINE = b"age-encryption.org/v1\n"  # of an encrypted file


def require_usable() -> None:
    """Refuse when backups are to be encrypted and could not be: before anything is written."""
    if not settings.BACKUP_RECIPIENT:
        return
    if not shutil.which("age"):
        raise Refused("BACKUP_RECIPIENT is set, and age is not on this machine: install it (apt-get install age).")
    tried = subprocess.run(_command(), input=b"", capture_output=True, check=False)  # noqa: S603
    if tried.returncode:
        raise Refused("BACKUP_RECIPIENT is not a public key: set it to the one that age-keygen shows (age1…).")


@contextmanager
def encrypted(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """What is written to the result reaches the file encrypted, and as it is when no public key is set."""
    if not settings.BACKUP_RECIPIENT:
        yield file
        return
    with subprocess.Popen(  # noqa: S603
        _command(), stdin=subprocess.PIPE, stdout=file, stderr=subprocess.PIPE
    ) as age:
        with suppress(BrokenPipeError):  # age has ended, and says why
            yield cast(IO[bytes], age.stdin)
        _output, told = age.communicate()
    if age.returncode:
        raise Refused(f"age could not encrypt the backup: {told.decode(errors='replace').strip()}")


def require_decrypted(file: Path) -> None:
    """Refuse an encrypted backup, and say how to decrypt it."""
    with file.open("rb") as opened:
        if opened.read(len(FIRST_LINE)) != FIRST_LINE:
            return
    clear = file.with_suffix("") if file.suffix == ENDING else file.with_suffix(".tar.gz")
    raise Refused(
        f"{file} is encrypted. Where the private key is: age --decrypt --identity key.txt --output {clear.name} "
        f"{file.name}; then restore {clear.name}."
    )


def _command() -> list[str]:
    return ["age", "--encrypt", "--recipient", settings.BACKUP_RECIPIENT]
