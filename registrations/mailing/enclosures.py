"""Documents of an event in a mail: attached as long as the whole mail stays small enough, else linked."""

import logging
from dataclasses import dataclass

from registrations.documents import study_report
from registrations.models import Delivery, EventDocument
from registrations.models.mail_kinds import Kind

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Enclosure:
    document: EventDocument
    url: str
    content: bytes | None = None  # of an attached PDF

    @property
    def name(self) -> str:
        return str(self.document.texts.name)

    @property
    def size(self) -> int:
        return self.document.size


def enclosures(delivery: Delivery, *, taken: int = 0) -> list[Enclosure]:
    """What the recipient may open now; all of it in a follow-up, which a dry run gets earlier.

    `taken`: bytes of the study report, which is attached already. Only an event that has documents costs a query.
    """
    registration = delivery.registration
    if registration is None or not delivery.facts.has_documents:
        return []
    found = []
    event = registration.event
    for document in event.all_documents if delivery.kind == Kind.FOLLOW_UP else event.documents_of_registrants:
        content = _content(document, taken) if _is_wanted(document, delivery) else None
        taken += len(content or b"")
        found.append(Enclosure(document, registration.document_url(document), content))
    return found


def _is_wanted(document: EventDocument, delivery: Delivery) -> bool:
    """What is for after the session comes with the follow-up; a scheduled mail brings nothing again."""
    return document.attached and (delivery.facts.schedule is None or document.is_for_afterwards)


def _content(document: EventDocument, taken: int) -> bytes | None:
    if not study_report.fits_in_mail(taken + document.size):
        return None
    try:
        with document.file.open("rb") as file:
            return bytes(file.read())
    except OSError as error:
        logger.warning("Document %s is linked, since its file cannot be read: %s", document.pk, error)
        return None
