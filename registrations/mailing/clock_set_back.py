"""What a clock that ran ahead has put off until then, put right once the clock is."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from registrations.models import Delivery, RateLimitHit, WorkerPresence
from registrations.models.mail_kinds import KINDS

MACHINES_DIFFER_BY = timedelta(minutes=2)
LONGEST_WAIT = timedelta(days=2)  # more than any retry or lease
LONGEST_DELAY = timedelta(days=30)  # more than a rate limit of mails adds up to
AT_ONCE = [kind for kind in KINDS if KINDS[kind].schedule is None]


def put_right() -> None:
    """Mails that were signed up for, or tried, under the clock that was ahead are due as they were before, or now.

    Without it a confirmation of 2038 would wait until 2038. A mail that was planned anew since has no error.
    """
    now = timezone.now()
    ahead, far_ahead = now + MACHINES_DIFFER_BY, now + LONGEST_WAIT
    hits_ahead = RateLimitHit.objects.filter(at__gt=(now + LONGEST_DELAY).timestamp())
    hits_ahead.delete()  # they would delay the next mails until then
    WorkerPresence.objects.filter(seen_at__gt=ahead).delete()
    waiting = Delivery.objects.filter(
        Q(state=Delivery.State.PENDING, send_at__gt=ahead) | Q(state=Delivery.State.SENDING, send_at__gt=far_ahead)
    )
    waiting.filter(created_at__gt=ahead, kind__in=AT_ONCE).update(send_at=now, owed_since=None, trying_since=None)
    tried_ahead = Q(trying_since__gt=ahead) | Q(send_at__gt=far_ahead)
    waiting.filter(tried_ahead, attempts__gt=0).exclude(state=Delivery.State.PENDING, error="").update(
        send_at=Greatest(Coalesce("owed_since", now), now), trying_since=None
    )
