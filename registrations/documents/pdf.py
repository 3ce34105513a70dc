"""Convert HTML to PDF in a child process (pdf_renderer.py), so that no other process loads WeasyPrint."""

import base64
import ctypes
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from registrations.runtime import progress

RENDERER = Path(__file__).with_name("pdf_renderer.py")
TIMEOUT, LONG_TIMEOUT = 30, 120  # seconds; the long one for jobs, whose progress is shown
STEP, STEPS = re.compile(r"Step (\d) - "), 7
WAIT_MAX = 5  # seconds that a rendering waits for another one to end
FONTS = [
    ("Bricolage Grotesque", "normal", 700, "bricolage-grotesque-700.woff2"),
    ("Source Serif 4", "normal", 400, "source-serif-4-400-normal.woff2"),
    ("Source Serif 4", "italic", 400, "source-serif-4-400-italic.woff2"),
    ("Source Serif 4", "normal", 700, "source-serif-4-700-normal.woff2"),
]
NAME_FONTS = [  # for characters in names that French texts do not use
    (f"Source Serif 4 {subset}", "normal", 700, f"source-serif-4-{subset}-700-normal.woff2")
    for subset in ("latin-ext", "vietnamese", "greek", "cyrillic")
]
DEBIAN_PACKAGES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}

rendering_lock = threading.Lock()


class RenderingFailed(Exception):
    """The document could not be rendered: too large, too slow, or invalid."""


def render(html: str, *, timeout: float | None = None) -> bytes:
    """Render a complete HTML document as PDF/UA-1. Raises RenderingFailed with the reason in one line.

    A process renders one document at a time, since each rendering uses a core and up to a gigabyte. `timeout` is in
    seconds.
    """
    if not rendering_lock.acquire(timeout=WAIT_MAX):
        raise RenderingFailed(f"another document was still being made after {WAIT_MAX} seconds")
    try:
        return _render(html, timeout or TIMEOUT)
    finally:
        rendering_lock.release()


def _render(html: str, timeout: float) -> bytes:
    command = [sys.executable, "-I", "-W", "ignore", str(RENDERER)]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(html.encode())
        source.seek(0)
        with subprocess.Popen(command, stdin=source, stdout=target, stderr=subprocess.PIPE) as renderer:  # noqa: S603 - our own script, no shell
            watchdog = threading.Timer(timeout, renderer.kill)
            watchdog.start()
            last_line = _follow(renderer)
        is_late = watchdog.finished.is_set()
        watchdog.cancel()
        if renderer.returncode and is_late:
            raise RenderingFailed(f"not finished after {timeout} seconds")
        if renderer.returncode:
            raise RenderingFailed(last_line or f"ended with status {renderer.returncode}")
        target.seek(0)
        return target.read()


def _follow(renderer: subprocess.Popen[bytes]) -> str:
    """Report the renderer's steps as progress until it ends. Returns the last other line of its standard error."""
    last_line = ""
    for line in renderer.stderr or ():
        words = line.decode(errors="replace").strip()
        if step := STEP.match(words):
            progress.report(int(step[1]) - 1, STEPS, _("Steps of the typesetting"))
        else:
            last_line = words or last_line
    return last_line


def font_faces(fonts: Iterable[tuple[str, str, int, str]] = FONTS) -> str:
    """@font-face rules that embed the fonts as data: URIs, so that the renderer needs no fonts of the machine."""
    return "".join(
        f'@font-face{{font-family:"{family}";font-style:{style};font-weight:{weight};'
        f"src:url(data:font/woff2;base64,{_base64(settings.BASE_DIR / 'static' / 'fonts' / file)})}}"
        for family, style, weight, file in fonts
    )


def require_libraries() -> None:
    """Stop with the names of the Debian packages whose libraries WeasyPrint would miss."""
    if not sys.platform.startswith("linux"):
        return
    if missing := [package for library, package in DEBIAN_PACKAGES.items() if not _loads(library)]:
        raise ImproperlyConfigured(
            "The PDF documents need libraries that are not on this machine. "
            f"On Debian or Ubuntu: sudo apt-get install -y {' '.join(missing)}"
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@cache
def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
