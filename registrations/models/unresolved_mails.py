"""Mails that failed or came back, and that nobody has dealt with: what the first page asks the organiser to look at.

One is dealt with when a later mail to the same person has left, of the same kind or to another address, or when
somebody of the team said « vu ».
"""

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from registrations.models.delivery import REFUSALS, Delivery, DeliveryQuerySet

FAILED = Q(state=Delivery.State.FAILED)
REFUSED = Q(provider_status__in=REFUSALS)
BY_NAME = {"failed": FAILED, "refused": REFUSED}


def unresolved(mails: DeliveryQuerySet, *, what: Q = FAILED | REFUSED) -> DeliveryQuerySet:
    """Of these mails, those that ended badly and that nobody has dealt with."""
    return mails.filter(_unresolved(what))


def to_see(mails: DeliveryQuerySet) -> DeliveryQuerySet:
    """All that need somebody: those, and mails that are held back or cannot be composed."""
    stopped = Q(state__in=[Delivery.State.HELD, Delivery.State.BROKEN])
    return mails.without_dry_runs().filter(stopped | _unresolved(FAILED | REFUSED))


def _unresolved(what: Q) -> Q:
    later = Delivery.objects.filter(registration=OuterRef("registration"), pk__gt=OuterRef("pk"))
    left = later.filter(state=Delivery.State.SENT).exclude(provider_status__in=REFUSALS)
    elsewhere = ~Q(to=Lower(OuterRef("sent_to")))
    replaced = left.alias(to=Lower("sent_to")).filter(Q(kind=OuterRef("kind")) | elsewhere)
    return what & Q(seen_at=None) & ~Q(Exists(replaced))


def may_be_sent_again(mails: DeliveryQuerySet) -> DeliveryQuerySet:
    """Failed ones; and those that came back from another address than the person has now."""
    corrected = REFUSED & ~Q(to=Lower("registration__email")) & Q(registration__isnull=False, recipient="")
    return mails.alias(to=Lower("sent_to")).filter(FAILED | corrected)
