"""What the invitation of a colleague says."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from registrations.models import Delivery, Event, Invitation, invitation_link


def words(delivery: Delivery) -> dict[str, Any]:
    invitation = Invitation.objects.select_related("user").get(delivery=delivery)
    inviter = get_user_model().objects.filter(pk=invitation.invited_by).first()
    return {
        "invited": invitation.user,
        "inviter": inviter.get_full_name() if inviter else "",
        "events": Event.objects.filter(members__user=invitation.user).order_by("starts_at"),
        "expires_at": invitation.expires_at,
        "url": settings.BASE_URL + invitation_link.link(invitation),
        "needs_phone": settings.STAFF_OTP == "required",
        "house": settings.LEGAL_NAME,
    }
