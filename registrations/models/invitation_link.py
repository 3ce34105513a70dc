"""The links of invitations: they open until a password is chosen, another one is sent, or a week has passed."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from registrations.models.colleague import Invitation


class InvitationTokens(PasswordResetTokenGenerator):
    key_salt = "registrations.models.invitation_link"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.invitation.sent_at.timestamp()}"

    def check_token(self, user: Any, token: str | None) -> bool:
        invitation = Invitation.objects.filter(user=user).first() if user else None
        if invitation is None or not (invitation.is_open and user.is_active):
            return False
        return super().check_token(user, token)


tokens = InvitationTokens()


def link(invitation: Invitation) -> str:
    """The path of the page on which the colleague chooses a password. It is made when the mail is composed."""
    account = get_user_model().objects.get(pk=invitation.user_id)
    number = urlsafe_base64_encode(force_bytes(account.pk))
    return reverse("admin:invitation", args=[number, tokens.make_token(account)])
