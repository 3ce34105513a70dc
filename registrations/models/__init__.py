"""The tables: fields, QuerySets, constraints, triggers.

May import: runtime.
"""

from registrations.models.anonymous_registration import AnonymousRegistration
from registrations.models.attendance import Attendance
from registrations.models.audit import AuditEntry
from registrations.models.broadcast import Broadcast
from registrations.models.clock_mark import ClockMark
from registrations.models.delivery import Delivery
from registrations.models.document import Document
from registrations.models.event import Event, EventState
from registrations.models.event_check import EventCheck
from registrations.models.event_question import EventQuestion
from registrations.models.job import Job
from registrations.models.purged_count import PurgedCount
from registrations.models.rate_limit import RateLimitHit
from registrations.models.registration import Registration
from registrations.models.report_section import ReportSection
from registrations.models.suppression import Suppression
from registrations.models.worker import WorkerPresence

__all__ = [
    "AnonymousRegistration",
    "Attendance",
    "AuditEntry",
    "Broadcast",
    "ClockMark",
    "Delivery",
    "Document",
    "Event",
    "EventCheck",
    "EventQuestion",
    "EventState",
    "Job",
    "PurgedCount",
    "RateLimitHit",
    "Registration",
    "ReportSection",
    "Suppression",
    "WorkerPresence",
]
