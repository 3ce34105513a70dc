"""A registration, its mails and its presence, each in one word: quiet when it is as expected."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from registrations.admin.mails.deliveries import is_yet_to_come
from registrations.models import Attendance, Delivery, Event, Registration
from registrations.text.desk_words import Badge

State, Told = Delivery.State, Delivery.ProviderStatus
NOT_DELIVERED = Badge("error", pgettext_lazy("mail", "Not delivered"))
REPORTED = Badge("error", pgettext_lazy("mail", "Reported as unwanted"))
MAILBOX_FULL = Badge("notice", gettext_lazy("Mailbox full"))
TO_SEE = Badge("error", pgettext_lazy("mail", "To see"))
TRIED_AGAIN = Badge("notice", gettext_lazy("Being tried again"))
HELD_BACK = Badge("notice", pgettext_lazy("mail", "Held back"))
ON_ITS_WAY = Badge("quiet", pgettext_lazy("mail", "On its way"))
DELIVERED = Badge("quiet", pgettext_lazy("mail", "Delivered"))
SENT = Badge("quiet", pgettext_lazy("mail", "Sent"))
GIVEN_UP = Badge("", pgettext_lazy("mail", "Not delivered"))


def standing(registration: Any) -> str:
    """« Confirmée »; « En liste d’attente, n° 2 »: `place` where the page has read it for all its rows."""
    if registration.is_waiting:
        place = getattr(registration, "place", None) or registration.waiting_position
        return _("On the waiting list, place %(place)s") % {"place": place}
    return str(registration.get_status_display())


def standing_badge(registration: Registration) -> Badge:
    if registration.erase_by:
        return Badge("notice", _("Being erased"))
    looks = {Registration.Status.CONFIRMED: "quiet", Registration.Status.WAITLISTED: "notice"}
    return Badge(looks.get(Registration.Status(registration.status), ""), standing(registration))


def mail_badge(mails: Iterable[Delivery], *, needs_somebody: bool) -> Badge | None:
    """Of the mail that needs somebody, else of the last one that left or should have. None: there was none."""
    newest_first = sorted(mails, key=lambda mail: -mail.pk)
    if needs_somebody:
        bad = next((mail for mail in newest_first if mail.ended_badly), None)
        if bad is None:
            return TO_SEE  # held back since a restore, or it cannot be composed
        return REPORTED if bad.provider_status == Told.COMPLAINED else NOT_DELIVERED
    last = (mail for mail in newest_first if mail.state != State.CANCELLED and not is_yet_to_come(mail))
    return next(map(_badge, last), None)


def _badge(mail: Delivery) -> Badge:
    if mail.provider_status == Told.COMPLAINED:
        return Badge("", REPORTED.words)
    if mail.ended_badly or mail.provider_status == Told.REJECTED or mail.state == State.EXPIRED:
        return GIVEN_UP
    if mail.provider_status == Told.DEFERRED:
        return MAILBOX_FULL
    if mail.state == State.SENT:
        return DELIVERED if mail.provider_status == Told.DELIVERED else SENT
    if mail.attempts:
        return TRIED_AGAIN
    return HELD_BACK if mail.is_delayed else ON_ITS_WAY


def presence_badge(registration: Registration, *, is_noted: bool) -> Badge | None:
    """None until it is known: who was not noted is absent only once somebody of this event was (`is_noted`)."""
    if list(registration.attendances.all()):
        return Badge("quiet", pgettext("person", "Present"))
    if is_noted and registration.is_seated and registration.event.is_over:
        return Badge("quiet", pgettext("person", "Absent"))
    return None


def noted_events(people: Iterable[Registration]) -> set[int]:
    """Of the events of these people that are over, those where somebody was noted as present."""
    over = {one.event_id for one in people if one.event.is_over}
    signs = Attendance.objects.filter(registration__event=OuterRef("pk"), registration__is_dry_run=False)
    return set(Event.objects.filter(Exists(signs), pk__in=over).values_list("pk", flat=True)) if over else set()
