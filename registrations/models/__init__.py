"""The tables: fields, QuerySets, constraints, triggers.

May import: runtime.
"""

from registrations.models.anonymous_registration import AnonymousRegistration
from registrations.models.attendance import Attendance
from registrations.models.audit import AuditEntry
from registrations.models.broadcast import Broadcast
from registrations.models.clock_mark import ClockMark
from registrations.models.colleague import EventMember, Invitation
from registrations.models.delivery import Delivery
from registrations.models.document import Document
from registrations.models.event import Event
from registrations.models.event_check import EventCheck
from registrations.models.event_document import EventDocument
from registrations.models.event_page import EventPage
from registrations.models.event_question import EventQuestion
from registrations.models.event_state import EventState
from registrations.models.job import Job
from registrations.models.mail_text import MailText
from registrations.models.partner import Partner
from registrations.models.picture import Picture, PictureFile
from registrations.models.programme import ProgrammeItem
from registrations.models.purged_count import PurgedCount
from registrations.models.rate_limit import RateLimitHit
from registrations.models.registration import Registration
from registrations.models.report_section import ReportSection
from registrations.models.share_image import ShareImage
from registrations.models.site_identity import SiteIdentity
from registrations.models.speaker import Appearance, Speaker
from registrations.models.suppression import Suppression
from registrations.models.worker import WorkerPresence

__all__ = [
    "AnonymousRegistration",
    "Appearance",
    "Attendance",
    "AuditEntry",
    "Broadcast",
    "ClockMark",
    "Delivery",
    "Document",
    "Event",
    "EventCheck",
    "EventDocument",
    "EventMember",
    "EventPage",
    "EventQuestion",
    "EventState",
    "Invitation",
    "Job",
    "MailText",
    "Partner",
    "Picture",
    "PictureFile",
    "ProgrammeItem",
    "PurgedCount",
    "RateLimitHit",
    "Registration",
    "ReportSection",
    "ShareImage",
    "SiteIdentity",
    "Speaker",
    "Suppression",
    "WorkerPresence",
]
