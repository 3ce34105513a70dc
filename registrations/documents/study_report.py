"""The study report of an event: the organiser's finished PDF, or a presentation typeset from the admin's sections."""

import base64
import fcntl
import functools
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import strip_tags

from registrations.documents import given_up, glyphs, pdf
from registrations.models import Event
from registrations.runtime import pango

logger = logging.getLogger(__name__)

FILENAMES = {False: "rapport-etude.pdf", True: "presentation-etude.pdf"}  # by whether it is a presentation
REPORT_LANGUAGE = "fr"  # the language the content is written in
BASE64_RATIO = 1.37  # size of a file in a mail compared with its own, line ends included
CACHE_SIZE = 2  # reports in memory, each up to the size of an attachment
POLL_EVERY = 0.1  # seconds between two checks whether another process has made the document


class Section(NamedTuple):
    heading: str
    body: str  # in Markdown


class Presentation(NamedTuple):
    """The content of a typeset report."""

    title: str
    subtitle: str
    organiser: str
    authors: tuple[str, ...]
    sections: tuple[Section, ...]


class GivenUp(pdf.RenderingFailed):
    """It could not be made several times: mails leave without it until it changes, or a worker has made it."""


@dataclass(frozen=True)
class Report:
    content: bytes
    is_presentation: bool  # typeset from sections, not an uploaded PDF

    @property
    def filename(self) -> str:
        return FILENAMES[self.is_presentation]

    @property
    def size(self) -> int:
        return len(self.content)

    @functools.cached_property
    def base64(self) -> bytes:
        """The content in base64 for a mail (RFC 2045, section 6.8), with CRLF at the end of lines."""
        return base64.encodebytes(self.content).replace(b"\n", b"\r\n")


def study_report(event: Event) -> Report | None:
    """The current report, or None when there is neither file nor section. For workers: it may take seconds.

    A presentation is typeset once per content, and stored under DATA_DIR. Raises pdf.RenderingFailed, also when a file
    cannot be read or written, and GivenUp after three failures, whichever mails have met them.
    """
    return _report(event, _typeset)


def made(event: Event) -> Report | None:
    """The current report if nothing has to be typeset. Raises pdf.RenderingFailed when its file cannot be read."""
    return _report(event, _typeset_before)


def _report(event: Event, file_of: Callable[[Presentation], Path | None]) -> Report | None:
    try:
        if event.report_file:
            return _uploaded(Path(event.report_file.path))
        presentation = presentation_of(event)
        file = file_of(presentation) if presentation.sections else None
        return _read(file, is_presentation=True) if file else None
    except OSError as error:
        raise pdf.RenderingFailed(str(error)) from error


def _uploaded(path: Path) -> Report:
    try:
        return _read(path, is_presentation=False)
    except OSError as error:
        key = _folder() / hashlib.sha256(str(path).encode()).hexdigest()
        given_up.note_failure(key)
        if given_up.is_given_up(key):
            raise GivenUp(str(error)) from error
        raise


def fits_in_mail(size: int) -> bool:
    """Whether a report of `size` bytes is attached to mails; a larger one is only linked."""
    return size * BASE64_RATIO < settings.MAIL_MAX_BYTES


def known_size(event: Event) -> int | None:
    """The report's size in bytes, or None when it would have to be typeset first."""
    try:
        if event.report_file:
            return int(event.report_file.size)
        presentation = presentation_of(event)
        return stored_file(presentation).stat().st_size if presentation.sections else None
    except OSError:
        return None


def prepare(done: set[Presentation], *, wanted: Callable[[], bool]) -> set[Presentation]:
    """Typeset the reports that mails of published events will need, except those in `done`. Returns the next `done`.

    One that has failed is tried again ten minutes later, so that a mended renderer is noticed.
    """
    if not pango.is_installed():
        return done
    events = (
        Event.objects.to_sign_up().filter(report_file="").order_by("starts_at").prefetch_related("report_sections")
    )
    needed = [presentation for event in events if (presentation := presentation_of(event)).sections]
    return {one for one in needed if one in done or _is_made_in_advance(one, wanted)}


def _is_made_in_advance(presentation: Presentation, wanted: Callable[[], bool]) -> bool:
    try:
        if not wanted() or given_up.was_tried_lately(stored_file(presentation)):
            return False
        _typeset(presentation, wanted=wanted, anew=True)
    except (pdf.RenderingFailed, OSError) as error:
        logger.warning("A report could not be made in advance: %s", error)
        return False
    return True


def _typeset(presentation: Presentation, *, wanted: Callable[[], bool] = lambda: True, anew: bool = False) -> Path:
    """`anew`: also one that was given up."""
    file = stored_file(presentation)
    if not file.exists():
        _require_not_given_up(file, anew)
        with _one_at_a_time(file.parent, wanted):
            if not file.exists():
                _require_not_given_up(file, anew)  # others may have tried while this process waited
                _make(file, presentation, wanted)
    return file


def _require_not_given_up(file: Path, anew: bool) -> None:
    if not anew and given_up.is_given_up(file):
        raise GivenUp("it could not be made several times")


def _make(file: Path, presentation: Presentation, wanted: Callable[[], bool]) -> None:
    try:
        [content] = pdf.render_all([typeset_html(presentation)], wait_max=pdf.WAIT_MAX, wanted=wanted)
        _write_atomically(file, content)
    except (pdf.NotNow, pdf.PangoMissing):
        raise
    except (pdf.RenderingFailed, OSError):
        given_up.note_failure(file)
        raise
    given_up.forget(file)


def _typeset_before(presentation: Presentation) -> Path | None:
    file = stored_file(presentation)
    return file if file.exists() else None


@contextmanager
def _one_at_a_time(folder: Path, wanted: Callable[[], bool]) -> Iterator[None]:
    """Make one report at a time on this machine. A process that waited for the same report finds it made."""
    deadline = time.monotonic() + pdf.WAIT_MAX
    with (folder / "lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline or not wanted():
                    raise pdf.NotNow("another report was still being made") from error
                time.sleep(POLL_EVERY)
            else:
                break
        yield


def _read(path: Path, *, is_presentation: bool) -> Report:
    """Cached, so that it is read and encoded once for many mails. A replaced file has another inode or time."""
    stat = path.stat()
    return _read_once(path, is_presentation, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(maxsize=CACHE_SIZE)
def _read_once(path: Path, is_presentation: bool, _version: tuple[int, ...]) -> Report:
    return Report(path.read_bytes(), is_presentation=is_presentation)


def presentation_of(event: Event) -> Presentation:
    return Presentation(
        event.report_title or event.title,
        event.report_subtitle,
        event.organiser_name,
        tuple(event.report_author_names),
        tuple(Section(section.heading, section.body) for section in event.report_sections.all()),
    )


@functools.lru_cache(maxsize=CACHE_SIZE)
def typeset_html(presentation: Presentation) -> str:
    with translation.override(REPORT_LANGUAGE):
        return render_to_string(
            "registrations/documents/study_report.html", {"report": presentation, "font_faces": pdf.font_faces()}
        )


def glyph_warning(event: Event) -> str:
    """What the organiser is told of a presentation. Empty when a font has each character, or nothing is typeset."""
    presentation = presentation_of(event)
    if event.report_file or not presentation.sections:
        return ""
    written = unescape(strip_tags(typeset_html(presentation)))
    return glyphs.warning(written, pdf.FONTS)


def stored_file(presentation: Presentation) -> Path:
    """The file of this content: its name is a hash of the HTML, which contains text, style sheet and fonts."""
    digest = hashlib.sha256(typeset_html(presentation).encode()).hexdigest()
    return _folder() / f"{digest}.pdf"


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "reports"
    folder.mkdir(mode=0o750, exist_ok=True)
    return folder


def _write_atomically(path: Path, content: bytes) -> None:
    """Readers see the complete file or none, also when several processes write it at the same time."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        temporary.write(content)
        temporary.flush()
        os.fsync(temporary.fileno())
    Path(temporary.name).replace(path)
