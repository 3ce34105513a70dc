from registrations.admin import deliveries, events, registrations

__all__ = ["deliveries", "events", "registrations"]
