"""Static files, hashed and compressed once: compressing takes seconds, which a start should not."""

import hashlib
from importlib.metadata import version

from django.conf import settings
from django.core.management import call_command

MADE_FROM = ".made-from"


def collect() -> None:
    """Collect what the site serves, unless it was made from the same files before."""
    fingerprint = _fingerprint()
    mark = settings.STATIC_ROOT / MADE_FROM
    if mark.exists() and mark.read_text() == fingerprint:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    mark.write_text(fingerprint)


def _fingerprint() -> str:
    """Of our own files' contents, and of the versions that bring or make the others."""
    digest = hashlib.sha256(f"{version('django')} {version('whitenoise')} {version('brotli')}".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
