from registrations.models.delivery import Delivery
from registrations.models.event import Event, EventState, ReportSection
from registrations.models.registration import Registration

__all__ = ["Delivery", "Event", "EventState", "Registration", "ReportSection"]
