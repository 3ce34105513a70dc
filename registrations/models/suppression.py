"""The suppression list: mailboxes that asked not to receive any mail, stored as HMAC digests only."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models import hmac_digest


def mailbox_of(address: str) -> str:
    """Normalise an address to its mailbox: lower case, no +tag, and for Gmail no dots."""
    local_part, _at, domain = address.strip().lower().rpartition("@")
    local_part = local_part.partition("+")[0]
    if domain in {"gmail.com", "googlemail.com"}:
        local_part, domain = local_part.replace(".", ""), "gmail.com"
    return f"{local_part}@{domain}"


def _digests(address: str) -> list[str]:
    return hmac_digest.digests("registrations.suppression", mailbox_of(address))


def digest_of(address: str) -> str:
    return _digests(address)[0]


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of_address(self, address: str) -> Self:
        return self.filter(digest__in=_digests(address))

    def among(self, addresses: Iterable[str]) -> set[str]:
        """Those of the addresses that are on the list, in lower case."""
        suppressed = set(self.values_list("digest", flat=True))
        return {address.lower() for address in addresses if suppressed and suppressed & set(_digests(address))}

    def add_address(self, address: str) -> None:
        self.get_or_create(digest=digest_of(address))


class Suppression(models.Model):
    digest = models.CharField(_("digest of the mailbox"), max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox left alone")
        verbose_name_plural = _("mailboxes left alone")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.digest[:12]
