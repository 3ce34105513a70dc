"""How long the data of a registration is kept."""

from calendar import monthrange
from datetime import datetime
from zoneinfo import ZoneInfo

CANCELLED_KEPT_MONTHS = 1


class HasRetention:
    """Part of an event: until when the data of its registrations is kept, in whole months of its own zone."""

    ends_at: datetime
    retention_months: int

    @property
    def zone(self) -> ZoneInfo:
        raise NotImplementedError

    def kept_until(self, registered_at: datetime) -> datetime:
        """When the data of a registration made at that moment is erased, at the latest."""
        return months_after(max(self.ends_at, registered_at).astimezone(self.zone), self.retention_months)

    def cancelled_kept_until(self, cancelled_at: datetime) -> datetime:
        """The same for a registration that was cancelled."""
        return months_after(max(self.ends_at, cancelled_at).astimezone(self.zone), CANCELLED_KEPT_MONTHS)


def months_after(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    last_day = monthrange(moment.year + years, month + 1)[1]
    return moment.replace(year=moment.year + years, month=month + 1, day=min(moment.day, last_day))
