"""Log of staff actions, kept for a year. It stores ids and no names, so it may stay after a person is erased."""

from datetime import timedelta
from typing import Any, NoReturn, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

RETENTION = timedelta(days=366)


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def old(self) -> Self:
        return self.filter(at__lt=timezone.now() - RETENTION)

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("What has happened is not changed.")


class AuditEntry(models.Model):
    """Rows are only inserted, and deleted after a year. A database trigger refuses every other change."""

    class Action(models.TextChoices):
        LOGGED_IN = "logged_in", _("logged in")
        LOGIN_FAILED = "login_failed", _("login refused")
        CODE_FAILED = "code_failed", _("code refused")
        LOGGED_OUT = "logged_out", _("logged out")
        ENROLLED = "enrolled", _("second factor set up")
        RECOVERED = "recovered", _("recovery code used")
        OTP_RESET = "otp_reset", _("second factor taken away")
        PASSWORD_CHANGED = "password_changed", _("password changed")
        ACCOUNT_ADDED = "account_added", _("account added")
        INVITED = "invited", _("colleague invited")
        RIGHTS_CHANGED = "rights_changed", _("rights changed")
        DELETED = "deleted", _("deleted")
        ON_BEHALF = "on_behalf", _("done for a person")
        BULK_MAIL = "bulk_mail", _("mails sent to several")
        EXPORTED = "exported", _("list taken out")
        IMPORTED = "imported", _("list brought in")
        RESTORED = "restored", _("backup restored")

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    actor = models.BigIntegerField(_("account number"), null=True, blank=True, help_text=_("Empty: the operator."))
    action = models.CharField(_("action"), max_length=20, choices=Action)
    about = models.CharField(_("about"), max_length=100, blank=True, help_text=_("Kind and number of the thing."))
    detail = models.JSONField(_("details"), default=dict, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} ({self.about})" if self.about else self.get_action_display()
