"""Documents that visitors ask for: certificates, and study reports that are not on this machine.

No page waits while one is made. It asks for it, a worker makes it, and it is kept until what it says changes.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from registrations.documents import certificate, pdf, study_report
from registrations.models import Document, Event, Registration

logger = logging.getLogger(__name__)

type Owner = Registration | Event  # of whose certificate, or of which study report


def find(owner: Owner) -> Document | None:
    """The document of the current content, made or being made. None when it has to be asked for."""
    document = Document.objects.filter(**_of(owner)).first()
    if document is None or document.is_waited_for:  # a worker makes it of the content that it then finds
        return document
    is_to_be_asked_for = document.may_be_asked_for_again or document.digest != digest(owner)
    return None if is_to_be_asked_for else document


def ask(owner: Owner) -> Document:
    """Leave the document to a worker, in place of one with an earlier content."""
    fresh = {
        "content": b"",
        "asked_at": timezone.now(),
        "claimed_at": None,
        "worker": "",
        "attempts": 0,
        "made_at": None,
        "without_font": "",
    }
    document, _is_new = Document.objects.update_or_create(**_of(owner), defaults={**fresh, "digest": digest(owner)})
    return document


def make(documents: list[Document], *, wanted: Callable[[], bool] = lambda: True) -> None:
    """Typeset claimed documents together; when that fails, each alone, so that one keeps no other from being made.

    One that would print boxes is not made.
    """
    documents = [document for document in documents if not _is_refused(document)]
    if not documents:
        return
    htmls = [_html(_owner(document), issued_at=document.asked_at) for document in documents]
    digests = [digest(_owner(document)) for document in documents]
    try:
        contents = pdf.render_all(htmls, wait_max=pdf.WAIT_MAX, wanted=wanted)
    except pdf.RenderingFailed as error:
        if len(documents) > 1 and wanted():
            for document in documents:
                make([document], wanted=wanted)
            return
        for document in documents:
            logger.warning("Document %s could not be made: %s", document.pk, error)
            document.release(counts=wanted())
    else:
        for document, content, made_of in zip(documents, contents, digests, strict=True):
            document.finish(content, digest=made_of)


def _is_refused(document: Document) -> bool:
    owner = _owner(document)
    missing = certificate.missing_glyphs(owner) if isinstance(owner, Registration) else ""
    if missing:
        document.refuse(missing, digest=digest(owner))
    return bool(missing)


def digest(owner: Owner) -> str:
    """A hash of the HTML: text, style sheet and fonts. The day of issue is no change: it counts as the event's end."""
    ended_at = owner.event.ends_at if isinstance(owner, Registration) else owner.ends_at
    return hashlib.sha256(_html(owner, issued_at=ended_at).encode()).hexdigest()


def _html(owner: Owner, *, issued_at: datetime) -> str:
    if isinstance(owner, Registration):
        return certificate.typeset_html(owner, issued_at=issued_at)
    return study_report.typeset_html(study_report.presentation_of(owner))


def _owner(document: Document) -> Owner:
    owner = document.registration or document.event
    assert owner is not None
    return owner


def _of(owner: Owner) -> dict[str, Any]:
    return {"registration": owner} if isinstance(owner, Registration) else {"event": owner}
