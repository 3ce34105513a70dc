"""Colleagues: invited by mail, given a role, deactivated. An account is never deleted: the audit log names it."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.mailing import wakeups
from registrations.models import Delivery, Event, EventMember, Invitation
from registrations.security import audit, second_factor
from registrations.security.roles import ORGANISATION, PER_EVENT, READING

ROLES = [ORGANISATION, READING, PER_EVENT]


class AddressTaken(Exception):
    """There is an account with this address."""


@transaction.atomic
def invite(
    *, email: str, first_name: str, last_name: str, role: str, events: Collection[Event] = (), by: int
) -> Invitation:
    """Create the account, which nobody can use before its link was followed, and enqueue the mail.

    Raises AddressTaken.
    """
    if User.objects.filter(Q(username__iexact=email) | Q(email__iexact=email)).exists():
        raise AddressTaken
    account = User(username=email, email=email, first_name=first_name, last_name=last_name, is_staff=True)
    account.set_unusable_password()
    account.save()
    _give_role(account, role, events)
    invitation = Invitation.objects.create(user=account, invited_by=by)
    _enqueue(invitation)
    return invitation


def _enqueue(invitation: Invitation) -> None:
    invitation.delivery = Delivery.objects.create(kind=Delivery.Kind.INVITATION, recipient=invitation.user.email)
    invitation.save()
    wakeups.send_due_mail.enqueue()
    audit.record(audit.Action.INVITED, about=invitation.user)


@transaction.atomic
def send_again(invitation: Invitation, *, by: int) -> bool:
    """A new link, for another week; the former one opens nothing any more. False when it is not waited for."""
    invitation = _locked(invitation)
    if not invitation.is_pending:
        return False
    _drop_mail(invitation, _("a new invitation was sent"))
    invitation.sent_at, invitation.invited_by = timezone.now(), by
    _enqueue(invitation)
    return True


@transaction.atomic
def withdraw(invitation: Invitation) -> bool:
    """The link opens nothing any more, and the account is closed; False when it was used or withdrawn before."""
    invitation = _locked(invitation)
    if not invitation.is_pending:
        return False
    invitation.withdrawn_at = timezone.now()
    invitation.save()
    _drop_mail(invitation, _("the invitation was withdrawn"))
    set_active(invitation.user, is_active=False)
    return True


def _drop_mail(invitation: Invitation, reason: Any) -> None:
    Delivery.objects.filter(invitation=invitation).drop(reason)


@transaction.atomic
def change_role(account: User, *, role: str, events: Collection[Event] = ()) -> None:
    """The three roles exclude each other; other groups of the account stay."""
    _give_role(account, role, events)


def _give_role(account: User, role: str, events: Collection[Event]) -> None:
    others = account.groups.filter(name__in=ROLES).exclude(name=role)
    account.groups.remove(*others)
    account.groups.add(Group.objects.get(name=role))
    named = events if role == PER_EVENT else ()
    EventMember.objects.filter(user=account).exclude(event__in=named).delete()
    EventMember.objects.bulk_create([EventMember(user=account, event=event) for event in named], ignore_conflicts=True)


@transaction.atomic
def set_active(account: User, *, is_active: bool) -> None:
    """An account that is closed is logged out everywhere at its next page."""
    account.is_active = is_active
    account.save(update_fields=["is_active"])


@transaction.atomic
def reopen(account: User, *, by: int) -> None:
    """Open a closed account. Who never chose a password is invited once more."""
    set_active(account, is_active=True)
    invitation = Invitation.objects.select_for_update(of=("self",)).filter(user=account, accepted_at=None).first()
    if invitation and not account.has_usable_password():
        invitation.withdrawn_at, invitation.sent_at, invitation.invited_by = None, timezone.now(), by
        _enqueue(invitation)


def reset_second_factor(account: User) -> None:
    """For a lost phone. The audit log says who did it."""
    second_factor.reset(account)


def _locked(invitation: Invitation) -> Invitation:
    return Invitation.objects.select_for_update(of=("self",)).select_related("user").get(pk=invitation.pk)
