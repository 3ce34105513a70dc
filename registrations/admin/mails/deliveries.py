"""The outbox, read only: mails sent, mails waiting, and mails that failed with the reason."""

from datetime import datetime
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from registrations.admin.mails.held_mails import PERMISSION, give_up, release
from registrations.admin.shared.long_lists import LongListAdmin
from registrations.models import Delivery
from registrations.models.delivery import DeliveryQuerySet


def mail_state(delivery: Delivery) -> str:
    """The state of a mail as a sentence: sent when, next try when and why, failed why."""
    state = Delivery.State(delivery.state)
    match state:
        case Delivery.State.SENT if delivery.sent_at and delivery.provider_status:
            told = Delivery.ProviderStatus(delivery.provider_status).label
            return _("Sent %(moment)s: %(told)s") % {"moment": _moment(delivery.sent_at), "told": told}
        case Delivery.State.SENT if delivery.sent_at:
            return _("Sent %(moment)s") % {"moment": _moment(delivery.sent_at)}
        case Delivery.State.PENDING if delivery.attempts:
            words = {"moment": _moment(delivery.send_at), "error": delivery.error}
            return _("Next try %(moment)s: %(error)s") % words
        case Delivery.State.PENDING if delivery.is_delayed:
            return _("Held back by a limit, leaves %(moment)s") % {"moment": _moment(delivery.send_at)}
        case Delivery.State.PENDING if delivery.send_at > timezone.now():
            return _("Leaves %(moment)s") % {"moment": _moment(delivery.send_at)}
        case _state if delivery.error:
            return _("%(state)s: %(error)s") % {"state": state.label, "error": delivery.error}
    return str(state.label)


def is_yet_to_come(delivery: Delivery) -> bool:
    """A mail that is due later, or that expired before it was due: it is not the last mail this person was sent."""
    waits = delivery.state == Delivery.State.PENDING and delivery.send_at > timezone.now()
    return not delivery.attempts and not delivery.is_delayed and (waits or delivery.state == Delivery.State.EXPIRED)


def _moment(moment: datetime) -> str:
    """« à 12 h 03 » today; the date as well on another day."""
    local = timezone.localtime(moment)
    hour = formats.date_format(local, pgettext("time of day", "H:i"))
    if local.date() == timezone.localdate():
        return _("at %(hour)s") % {"hour": hour}
    return _("on %(day)s at %(hour)s") % {"day": formats.date_format(local, "SHORT_DATE_FORMAT"), "hour": hour}


SHOWN = [
    "registration",
    "recipient_address",
    "kind",
    "reason",
    "outcome",
    "send_at",
    "attempts",
    "worker_crashes",
    "not_after",
    "created_at",
    "sent_at",
    "sent_to",
    "error",
    "provider_status",
    "message_id",
]


@admin.register(Delivery)
class DeliveryAdmin(LongListAdmin[Delivery]):
    list_display = ["kind", "recipient_address", "event", "outcome", "attempts", "created_at"]
    list_filter = ["state", "kind", "event", "provider_status"]
    linked_lookups: ClassVar = ["state__in", "provider_status__in", "broadcast__id__exact"]
    list_select_related = ["registration", "event"]
    search_fields = ["message_id"]
    sortable_by = ["created_at"]  # it has an index
    list_per_page = 50
    choose_all = gettext_lazy("Select all the mails found")
    actions = [release, give_up]
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return cast(DeliveryQuerySet, super().get_queryset(request)).without_dry_runs()

    @admin.display(description=gettext_lazy("recipient"))
    def recipient_address(self, delivery: Delivery) -> str:
        return delivery.address

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """By the recipient; by a whole address, even if it was corrected since; by the Message-ID."""
        if not (words := search_term.strip()):
            return queryset, False
        if "@" not in words[1:]:
            return cast(DeliveryQuerySet, queryset).found_by(words), False
        found = Delivery.objects.found_by(words).values("pk")
        addressed = Delivery.objects.alias(lower=Lower("sent_to")).filter(lower=words.lower()).values("pk")
        named = Delivery.objects.filter(message_id=words).values("pk")
        found = found.order_by().union(addressed.order_by(), named.order_by())
        return queryset.filter(pk__in=found), False

    @admin.display(description=gettext_lazy("state"))
    def outcome(self, delivery: Delivery) -> str:
        return mail_state(delivery)

    def has_write_permission(self, request: HttpRequest) -> bool:
        """For the actions with the permission `write`."""
        return request.user.has_perm(PERMISSION)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
