"""The outbox, to read: what left, what waits, what failed and why."""

from datetime import datetime
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from registrations.admin.held_mails import HeldMails
from registrations.desk import DeskPages
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
            words = {"moment": _moment(delivery.due), "error": delivery.error}
            return _("Next try %(moment)s: %(error)s") % words
        case Delivery.State.PENDING if delivery.due > timezone.now():
            return _("Leaves %(moment)s") % {"moment": _moment(delivery.due)}
        case _state if delivery.error:
            return _("%(state)s: %(error)s") % {"state": state.label, "error": delivery.error}
    return str(state.label)


def is_yet_to_come(delivery: Delivery) -> bool:
    """A mail that the clock will send, or has let pass: not the last one that this person was sent."""
    waits = delivery.state == Delivery.State.PENDING and delivery.due > timezone.now()
    return not delivery.attempts and (waits or delivery.state == Delivery.State.EXPIRED)


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
    "due",
    "attempts",
    "deaths",
    "not_after",
    "created_at",
    "sent_at",
    "sent_to",
    "error",
    "provider_status",
    "message_id",
]


@admin.register(Delivery)
class DeliveryAdmin(HeldMails, DeskPages, admin.ModelAdmin[Delivery]):
    list_display = ["kind", "recipient_address", "event", "outcome", "attempts", "created_at"]
    list_filter = ["state", "kind", "registration__event", "provider_status"]
    list_select_related = ["registration__event"]
    search_fields = ["registration__email", "registration__last_name", "recipient", "sent_to", "message_id"]
    list_per_page = 50
    actions = ["let_leave", "give_up"]
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return cast(DeliveryQuerySet, super().get_queryset(request)).that_count()

    @admin.display(description=gettext_lazy("recipient"))
    def recipient_address(self, delivery: Delivery) -> str:
        return delivery.address

    @admin.display(description=gettext_lazy("event"), ordering="registration__event")
    def event(self, delivery: Delivery) -> str:
        return str(delivery.registration.event) if delivery.registration else ""

    @admin.display(description=gettext_lazy("state"), ordering="due")
    def outcome(self, delivery: Delivery) -> str:
        return mail_state(delivery)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
