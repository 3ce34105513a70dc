"""The promise of a sign-up: whoever is confirmed has had, or is owed, one mail with link, invitation and document.

Who waits for a seat has had, or is owed, the mail that says so. The last such mail of a registration decides: earlier
ones went to another address, or had links that are no longer valid.
"""

from collections.abc import Collection

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When
from django.utils.translation import gettext_lazy as _

from registrations.models import Delivery, Registration
from registrations.models.mail_kinds import KINDS
from registrations.models.site_language import in_site_language

Kind, Reason, State, Status = Delivery.Kind, Delivery.Reason, Delivery.State, Registration.Status
COMPLETE = [kind for kind, facts in KINDS.items() if facts.has_report]  # link and invitation too
FIRST_MAILS = {  # by the status of a registration: the kinds that keep the promise, and the one to send
    Status.CONFIRMED: (COMPLETE, Kind.CONFIRMATION),
    Status.WAITLISTED: ([Kind.WAITING_LIST], Kind.WAITING_LIST),
}
HAD_OR_OWED = [State.SENT, State.PENDING, State.SENDING, State.HELD, State.BROKEN]


def missing(registrations: QuerySet[Registration]) -> QuerySet[Registration]:
    """Those whose first mail was never written, was cancelled, or has failed."""
    last = Case(*(When(status=status, then=_last_state(kinds)) for status, (kinds, _kind) in FIRST_MAILS.items()))
    of_list = registrations.filter(status__in=FIRST_MAILS).alias(first_mail=last)
    return of_list.filter(Q(first_mail=None) | ~Q(first_mail__in=HAD_OR_OWED))


def _last_state(kinds: Collection[Delivery.Kind]) -> Subquery:
    mails = Delivery.objects.filter(registration=OuterRef("pk"), kind__in=kinds)
    return Subquery(mails.order_by("-pk").values("state")[:1])


def enqueue_missing(registrations: QuerySet[Registration]) -> int:
    """Enqueue the first mail of those who miss it, now that their event takes place; returns how many.

    The transaction must hold a lock on the event.
    """
    return sum(
        Delivery.objects.enqueue_all(missing(registrations).filter(status=status), kind, reason=Reason.REOPENED)
        for status, (_kinds, kind) in FIRST_MAILS.items()
    )


def note_as_owed(registration: Registration, reason: str) -> None:
    """Note that this person is to get the first mail once the event, postponed or cancelled, takes place."""
    _kinds, kind = FIRST_MAILS[Status(registration.status)]
    error = in_site_language(_("the event was cancelled or postponed"))
    Delivery.objects.enqueue(registration, kind, reason=reason, state=State.CANCELLED, error=error)


def was_had_before(delivery: Delivery) -> bool:
    """Whether the recipient knows the links that this mail brings. Previews show the mail to who does."""
    if delivery.pk is None or delivery.sample or delivery.registration is None:
        return True
    others = delivery.registration.deliveries.filter(kind__in=COMPLETE).exclude(pk=delivery.pk)
    return others.order_by("-pk").values_list("state", flat=True).first() == State.SENT
