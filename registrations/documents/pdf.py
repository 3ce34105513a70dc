"""HTML in, PDF out, in a child process (pdf_renderer.py): no other process ever loads WeasyPrint."""

import base64
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from registrations.runtime import pango, progress

RENDERER = Path(__file__).with_name("pdf_renderer.py")
TIMEOUT, LONG_TIMEOUT = 30, 120  # seconds; the long one where its steps are shown meanwhile
STEP, STEPS = re.compile(r"Step (\d) - "), 7
PATIENCE = 5  # seconds that a rendering waits for another one to end
LOOK_EVERY = 0.2  # seconds between two looks whether a rendering is to be ended
FONTS = [
    ("Bricolage Grotesque", "normal", 700, "bricolage-grotesque-700.woff2"),
    ("Source Serif 4", "normal", 400, "source-serif-4-400-normal.woff2"),
    ("Source Serif 4", "italic", 400, "source-serif-4-400-italic.woff2"),
    ("Source Serif 4", "normal", 700, "source-serif-4-700-normal.woff2"),
]
NAME_FONTS = [  # the signs of names that French texts do without
    (f"Source Serif 4 {signs}", "normal", 700, f"source-serif-4-{signs}-700-normal.woff2")
    for signs in ("latin-ext", "vietnamese", "greek", "cyrillic")
]

rendering = threading.Lock()


class RenderingFailed(Exception):
    """The document could not be made: too large, too slow, or not understood."""


class PangoMissing(RenderingFailed):
    """No document can be made until it is installed."""


def render(html: str, *, timeout: float | None = None, wanted: Callable[[], bool] = lambda: True) -> bytes:
    """PDF/UA-1 of a complete HTML document; raises RenderingFailed, with the reason in one line.

    One at a time in each process, since each takes a core and up to a gigabyte. It is given up once `wanted` says no.
    """
    if not pango.is_installed():
        raise PangoMissing(f"not on this machine: {', '.join(pango.missing_libraries())}")
    if not rendering.acquire(timeout=PATIENCE):
        raise RenderingFailed(f"another document was still being made after {PATIENCE} seconds")
    try:
        return _render(html, timeout or TIMEOUT, wanted)
    finally:
        rendering.release()


def _render(html: str, timeout: float, wanted: Callable[[], bool]) -> bytes:
    command = [sys.executable, "-I", "-W", "ignore", str(RENDERER)]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as made:
        source.write(html.encode())
        source.seek(0)
        with subprocess.Popen(command, stdin=source, stdout=made, stderr=subprocess.PIPE) as renderer:  # noqa: S603 - our own script, no shell
            ends_at = time.monotonic() + timeout
            with _ended_when(renderer, lambda: time.monotonic() >= ends_at or not wanted()):
                last_line = _follow(renderer)
        if renderer.returncode and not wanted():
            raise RenderingFailed("given up: no longer wanted")
        if renderer.returncode and time.monotonic() >= ends_at:
            raise RenderingFailed(f"not finished after {timeout} seconds")
        if renderer.returncode:
            raise RenderingFailed(last_line or f"ended with status {renderer.returncode}")
        made.seek(0)
        return made.read()


@contextmanager
def _ended_when(renderer: subprocess.Popen[bytes], is_to_end: Callable[[], bool]) -> Iterator[None]:
    """Kill it as soon as `is_to_end` says so."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_EVERY):
            if is_to_end():
                renderer.kill()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _follow(renderer: subprocess.Popen[bytes]) -> str:
    """Report its steps until it ends; returns the last line that is none."""
    last_line = ""
    for line in renderer.stderr or ():
        words = line.decode(errors="replace").strip()
        if step := STEP.match(words):
            progress.report(int(step[1]) - 1, STEPS, _("Steps of the typesetting"))
        else:
            last_line = words or last_line
    return last_line


def font_faces(fonts: Iterable[tuple[str, str, int, str]] = FONTS) -> str:
    """@font-face rules with the fonts inside: no font of the machine is needed, and no file is opened."""
    return "".join(
        f'@font-face{{font-family:"{family}";font-style:{style};font-weight:{weight};'
        f"src:url(data:font/woff2;base64,{_base64(settings.BASE_DIR / 'static' / 'fonts' / file)})}}"
        for family, style, weight, file in fonts
    )


def excuse() -> str:
    """What to tell an organiser whose document could not be made."""
    if not pango.is_installed():
        return _(
            "This document cannot be made: a library is missing on the server. The first page says what to install."
        )
    return _("This document cannot be made at the moment. Try again in a minute.")


@cache
def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
