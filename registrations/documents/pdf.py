"""Convert HTML to PDF in a child process (pdf_renderer.py), so that no other process loads WeasyPrint."""

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
TIMEOUT, LONG_TIMEOUT = 30, 120  # seconds; the long one for jobs, whose progress is shown
STEP, STEPS = re.compile(r"Step (\d) - "), 7
WAIT_MAX = 30  # seconds that a worker waits for another rendering to end; a page is refused at once
LENGTH = 8  # bytes, before each document that is sent to the renderer or comes from it
POLL_EVERY = 0.2  # seconds between two checks whether a rendering must be stopped
type Font = tuple[str, str, int, str]  # family, style, weight, file
FONTS: list[Font] = [
    ("Bricolage Grotesque", "normal", 700, "bricolage-grotesque-700.woff2"),
    ("Source Serif 4", "normal", 400, "source-serif-4-400-normal.woff2"),
    ("Source Serif 4", "italic", 400, "source-serif-4-400-italic.woff2"),
    ("Source Serif 4", "normal", 700, "source-serif-4-700-normal.woff2"),
]
NAME_FONTS: list[Font] = [  # for characters in names that French texts do not use
    (f"Source Serif 4 {subset}", "normal", 700, f"source-serif-4-{subset}-700-normal.woff2")
    for subset in ("latin-ext", "vietnamese", "greek", "cyrillic")
]
rendering_lock = threading.Lock()


class RenderingFailed(Exception):
    """The document could not be rendered: too large, too slow, or invalid."""


class PangoMissing(RenderingFailed):
    """No document can be rendered until Pango is installed."""


class NotNow(RenderingFailed):
    """Another document is being made, or this one is no longer wanted: nothing is known about it."""


def render(html: str, *, timeout: float | None = None) -> bytes:
    """Render a complete HTML document as PDF/UA-1. Raises RenderingFailed with the reason in one line."""
    [content] = render_all([html], timeout=timeout)
    return content


def render_all(
    htmls: list[str],
    *,
    timeout: float | None = None,
    wait_max: float = 0,
    wanted: Callable[[], bool] = lambda: True,
) -> list[bytes]:
    """Render several documents in one child process, which loads WeasyPrint once. All of them fail, or none.

    A process renders in one child at a time, since each uses a core and up to a gigabyte. While another rendering is
    under way, this one waits for `wait_max` seconds: none by default, so that few threads of the web can be held.
    `timeout` is in seconds for each document. The rendering is stopped as soon as `wanted()` is false.
    """
    if not pango.is_installed():
        raise PangoMissing(f"not on this machine: {', '.join(pango.missing_libraries())}")
    if not rendering_lock.acquire(timeout=wait_max):
        raise NotNow("another document is being made")
    try:
        return _render(htmls, (timeout or TIMEOUT) * len(htmls), wanted)
    finally:
        rendering_lock.release()


def _render(htmls: list[str], timeout: float, wanted: Callable[[], bool]) -> list[bytes]:
    command = [sys.executable, "-I", "-W", "ignore", str(RENDERER)]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        for html in htmls:
            encoded = html.encode()
            source.write(len(encoded).to_bytes(LENGTH) + encoded)
        source.seek(0)
        with subprocess.Popen(command, stdin=source, stdout=target, stderr=subprocess.PIPE) as renderer:  # noqa: S603 - our own script, no shell
            ends_at = time.monotonic() + timeout
            with _ended_when(renderer, lambda: time.monotonic() >= ends_at or not wanted()):
                last_line = _follow(renderer)
        if renderer.returncode and not wanted():
            raise NotNow("given up: no longer wanted")
        if renderer.returncode and time.monotonic() >= ends_at:
            raise RenderingFailed(f"not finished after {timeout} seconds")
        if renderer.returncode:
            raise RenderingFailed(last_line or f"ended with status {renderer.returncode}")
        target.seek(0)
        return [target.read(int.from_bytes(target.read(LENGTH))) for _html in htmls]


@contextmanager
def _ended_when(renderer: subprocess.Popen[bytes], is_to_end: Callable[[], bool]) -> Iterator[None]:
    """Kill the renderer as soon as `is_to_end()` is true."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_EVERY):
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
    """Report the renderer's steps as progress until it ends. Returns the last other line of its standard error."""
    last_line = ""
    for line in renderer.stderr or ():
        words = line.decode(errors="replace").strip()
        if step := STEP.match(words):
            progress.report(int(step[1]) - 1, STEPS, _("Steps of the typesetting"))
        else:
            last_line = words or last_line
    return last_line


def font_faces(fonts: Iterable[Font] = FONTS) -> str:
    """@font-face rules that embed the fonts as data: URIs, so that the renderer needs no fonts of the machine."""
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
