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
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from registrations.documents import pdf
from registrations.models import Event
from registrations.runtime import pango

logger = logging.getLogger(__name__)

FILENAME = "rapport-etude.pdf"
REPORT_LANGUAGE = "fr"  # the language the content is written in
BASE64_RATIO = 1.37  # a file's share of a mail, line ends included
KEPT_IN_MEMORY = 2  # reports, each up to the size that mails can carry
LOOK_EVERY = 0.1  # seconds between two looks whether another process has made the document


class Section(NamedTuple):
    heading: str
    body: str  # in Markdown


class Presentation(NamedTuple):
    """All that it says."""

    title: str
    subtitle: str
    organiser: str
    authors: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Report:
    content: bytes
    is_presentation: bool  # typeset by us, not the organiser's finished report

    @property
    def size(self) -> int:
        return len(self.content)

    @functools.cached_property
    def base64(self) -> bytes:
        """As a mail carries it (RFC 2045, section 6.8); lines end with CRLF."""
        return base64.encodebytes(self.content).replace(b"\n", b"\r\n")


def study_report(event: Event, *, patience: float | None = None) -> Report | None:
    """The report as it is now, or None when there is neither file nor section.

    Typeset once per content: the next call reads the file kept under DATA_DIR. Waits `patience` seconds for a document
    that is being made. Raises pdf.RenderingFailed, also when a file cannot be read or written.
    """
    try:
        if event.report_file:
            return _read(Path(event.report_file.path), is_presentation=False)
        presentation = presentation_of(event)
        if not presentation.sections:
            return None
        return _read(_typeset(presentation, patience=patience or pdf.PATIENCE), is_presentation=True)
    except OSError as error:
        raise pdf.RenderingFailed(str(error)) from error


def fits_into_a_mail(size: int) -> bool:
    """Attached up to this size in bytes; beyond it only linked."""
    return size * BASE64_RATIO < settings.MAIL_MAX_BYTES


def known_size(event: Event) -> int | None:
    """The report's size in bytes when nothing has to be typeset to know it."""
    try:
        if event.report_file:
            return int(event.report_file.size)
        presentation = presentation_of(event)
        return kept_file(presentation).stat().st_size if presentation.sections else None
    except OSError:
        return None


def prepare(done: set[Presentation], *, wanted: Callable[[], bool]) -> set[Presentation]:
    """Typeset what the mails of published events will need and what is not in `done`; returns the next `done`.

    A document that fails is in it too: the mail that needs it tries again.
    """
    if not pango.is_installed():
        return done
    events = (
        Event.objects.to_sign_up().filter(report_file="").order_by("starts_at").prefetch_related("report_sections")
    )
    needed = [presentation for event in events if (presentation := presentation_of(event)).sections]
    for presentation in needed:
        if presentation in done or not wanted():
            continue
        try:
            _typeset(presentation, patience=pdf.TIMEOUT, wanted=wanted)
        except (pdf.RenderingFailed, OSError) as error:
            logger.warning("A report could not be made in advance: %s", error)
    return set(needed)


def _typeset(presentation: Presentation, *, patience: float, wanted: Callable[[], bool] = lambda: True) -> Path:
    kept = kept_file(presentation)
    if not kept.exists():
        with _alone(kept.parent, patience, wanted):
            if not kept.exists():
                _keep(kept, pdf.render(typeset_html(presentation), wanted=wanted))
    return kept


@contextmanager
def _alone(folder: Path, patience: float, wanted: Callable[[], bool]) -> Iterator[None]:
    """One report is made at a time on this machine: who has waited for the same one finds it made."""
    deadline = time.monotonic() + patience
    with (folder / "lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline or not wanted():
                    raise pdf.RenderingFailed("another report was still being made") from error
                time.sleep(LOOK_EVERY)
            else:
                break
        yield


def _read(path: Path, *, is_presentation: bool) -> Report:
    """Read and encoded once for many mails; a file that was replaced has another inode or another time."""
    facts = path.stat()
    return _read_once(path, is_presentation, (facts.st_ino, facts.st_mtime_ns, facts.st_size))


@functools.lru_cache(maxsize=KEPT_IN_MEMORY)
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


@functools.lru_cache(maxsize=KEPT_IN_MEMORY)
def typeset_html(presentation: Presentation) -> str:
    with translation.override(REPORT_LANGUAGE):
        return render_to_string(
            "registrations/documents/study_report.html", {"report": presentation, "font_faces": pdf.font_faces()}
        )


def kept_file(presentation: Presentation) -> Path:
    """Named after all that decides how the document looks: its text, its style sheet and its fonts are in the HTML."""
    digest = hashlib.sha256(typeset_html(presentation).encode()).hexdigest()
    folder = Path(settings.DATA_DIR) / "reports"
    folder.mkdir(mode=0o750, exist_ok=True)
    return folder / f"{digest}.pdf"


def _keep(path: Path, content: bytes) -> None:
    """Written whole or not at all, whoever else writes it at the same time."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(path)
