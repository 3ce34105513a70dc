"""Signal receivers that write logins, account changes, rights and deletions into the audit log."""

import time
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from registrations.models import Event, Registration
from registrations.security import audit
from registrations.security.second_factor import PASSWORD_AT

FLAGS = ["is_active", "is_staff", "is_superuser"]


@receiver(user_logged_in)
def note_login(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    request.session[PASSWORD_AT] = time.time()
    audit.record(audit.Action.LOGGED_IN, by=user)


@receiver(user_login_failed)
def note_failed_login(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record the account, never the typed text: it may be a password typed into the wrong field."""
    account = get_user_model().objects.filter(username=credentials.get("username")).first()
    audit.record(audit.Action.LOGIN_FAILED, about=account)


@receiver(user_logged_out)
def note_logout(sender: Any, user: Any, **kwargs: Any) -> None:
    if user is not None:
        audit.record(audit.Action.LOGGED_OUT, by=user)


@receiver(pre_save, sender=User)
def remember_flags(sender: Any, instance: User, **kwargs: Any) -> None:
    instance._flags_before = User.objects.filter(pk=instance.pk).values(*FLAGS).first()  # type: ignore[attr-defined]


@receiver(post_save, sender=User)
def note_account(sender: Any, instance: User, created: bool, **kwargs: Any) -> None:
    flags = {flag: getattr(instance, flag) for flag in FLAGS}
    if created:
        audit.record(audit.Action.ACCOUNT_ADDED, about=instance, **flags)
        return
    if instance._password is not None:  # type: ignore[attr-defined] # set by set_password, and not when a hash is upgraded
        audit.record(audit.Action.PASSWORD_CHANGED, about=instance)
    if flags != instance._flags_before:  # type: ignore[attr-defined]
        audit.record(audit.Action.RIGHTS_CHANGED, about=instance, **flags)


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
@receiver(m2m_changed, sender=Group.permissions.through)
def note_rights(sender: Any, instance: Model, action: str, pk_set: set[int] | None, **kwargs: Any) -> None:
    change = {"post_add": "added", "post_remove": "removed", "post_clear": "cleared"}.get(action)
    if change:
        audit.record(
            audit.Action.RIGHTS_CHANGED, about=instance, **{change: sorted(pk_set or [])}, of=sender._meta.model_name
        )


@receiver(post_delete, sender=User)
@receiver(post_delete, sender=Group)
@receiver(post_delete, sender=Event)
@receiver(post_delete, sender=Registration)
def note_deletion(sender: Any, instance: Model, **kwargs: Any) -> None:
    audit.record(audit.Action.DELETED, about=instance)
