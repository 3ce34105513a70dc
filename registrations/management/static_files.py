"""Collect static files only when they have changed, since compressing them takes seconds at each start."""

import hashlib
from importlib.metadata import version

from django.conf import settings
from django.core.management import call_command

FINGERPRINT_FILE = ".made-from"


def collect() -> None:
    """Run collectstatic unless the result was made from the same files before."""
    fingerprint = _fingerprint()
    stored = settings.STATIC_ROOT / FINGERPRINT_FILE
    if stored.exists() and stored.read_text() == fingerprint:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stored.write_text(fingerprint)


def _fingerprint() -> str:
    """Hash of the contents of our files, and of the versions of the packages that add or process the others."""
    digest = hashlib.sha256(f"{version('django')} {version('whitenoise')} {version('brotli')}".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
