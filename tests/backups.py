"""Make and restore backups with the commands, as an operator does."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.factories import answers
from tests.site import ROOT, RunningSite

READ = (
    "from registrations.models import *; print(*Registration.objects.order_by('pk').values_list('email', flat=True))"
)
SIGN_UP = """
from registrations.domain import signup
from registrations.models import *
for typed in {typed}:
    signup.register(Event.objects.get(), language="fr", **typed)
"""


def shell(site: RunningSite, code: str) -> str:
    return site.run("shell", "--verbosity", "0", "-c", code)


def sign_up(site: RunningSite, *emails: str) -> None:
    """Sign up as the form does, without a browser."""
    shell(site, SIGN_UP.format(typed=[answers(email=email) for email in emails]))


def people(site: RunningSite) -> list[str]:
    return shell(site, READ).split()


def back_up(site: RunningSite, *options: str) -> Path:
    return Path(site.run("backup", *options).partition(" (")[0])


def refusal(site: RunningSite, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *command], env=site.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    return done.stderr.strip().splitlines()[-1]


def files(backup: Path) -> dict[str, bytes]:
    with tarfile.open(backup) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def rewritten(backup: Path, **changed: bytes) -> Path:
    """A copy of the backup with changed members."""
    other = backup.with_name("changed.tar.gz")
    with tarfile.open(other, "w:gz") as tar:
        for name, content in {**files(backup), **changed}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return other
