from registrations.models.anonymous_registration import Trace
from registrations.models.attendance import Attendance
from registrations.models.audit import AuditEntry
from registrations.models.broadcast import Broadcast
from registrations.models.counter import MailTally, PeopleTally, SignUpTally
from registrations.models.delivery import Delivery
from registrations.models.event import Event, EventState, ReportSection
from registrations.models.event_question import EventQuestion
from registrations.models.job import Job
from registrations.models.purged_count import Tally
from registrations.models.rate_limit import Hit
from registrations.models.registration import Registration
from registrations.models.suppression import Suppression
from registrations.models.worker import WorkerPresence

__all__ = [
    "Attendance",
    "AuditEntry",
    "Broadcast",
    "Delivery",
    "Event",
    "EventQuestion",
    "EventState",
    "Hit",
    "Job",
    "MailTally",
    "PeopleTally",
    "Registration",
    "ReportSection",
    "SignUpTally",
    "Suppression",
    "Tally",
    "Trace",
    "WorkerPresence",
]
