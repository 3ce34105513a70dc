"""The outbox, read only: mails sent, mails waiting, and mails that failed with the reason."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from registrations.admin.mails import failed_mails, one_mail
from registrations.admin.mails.held_mails import PERMISSION, give_up, release
from registrations.admin.mails.kind_filter import KindFilter
from registrations.admin.mails.returned_mails import came_back
from registrations.admin.shared.long_lists import LongListAdmin
from registrations.admin.shared.model_admin import EventFilter
from registrations.models import Delivery
from registrations.models.delivery import DeliveryQuerySet
from registrations.models.mail_states import State, returns_are_told


def mail_state(delivery: Delivery) -> str:
    """The state of a mail as a sentence: sent when, next try when and why, failed why."""
    state = Delivery.State(delivery.state)
    match state:
        case Delivery.State.SENT if delivery.sent_at and delivery.provider_status:
            told = Delivery.ProviderStatus(delivery.provider_status).label
            return _("Sent %(moment)s: %(told)s") % {"moment": _moment(delivery.sent_at), "told": told}
        case Delivery.State.SENT if delivery.sent_at:
            return _("Handed over to the mail server %(moment)s") % {"moment": _moment(delivery.sent_at)}
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


def returns_arrive_at() -> str:
    """The mailbox where mails come back of which nobody tells this site; empty if a provider does."""
    return "" if returns_are_told() else parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _message_id(pasted: str) -> str:
    """As it is stored, from a line of a returned mail: « Message-ID: <…> », with or without name and brackets."""
    return f"<{pasted.rpartition(' ')[2].strip('<>')}>"


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
    "what_became_of_it",
    "message_id",
]


@admin.register(Delivery)
class DeliveryAdmin(LongListAdmin[Delivery]):
    list_display = ["kind", "recipient_address", "event", "outcome", "attempts", "created_at"]
    event_path = "event"
    list_filter: ClassVar = [
        failed_mails.ToLookAt,
        "state",
        ("kind", KindFilter),
        ("event", EventFilter),
        "provider_status",
    ]
    linked_lookups: ClassVar = ["state__in", "provider_status__in", "broadcast__id__exact"]
    list_select_related = ["registration", "event"]
    search_fields = ["message_id"]
    sortable_by = ["created_at"]  # it has an index
    list_per_page = 50
    choose_all = gettext_lazy("Select all the mails found")
    actions = [failed_mails.seen, failed_mails.send_again, came_back, release, give_up]
    pages: ClassVar = [*failed_mails.PAGES, *one_mail.PAGES]
    change_list_template = "admin/registrations/delivery/change_list.html"
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return cast(DeliveryQuerySet, super().get_queryset(request)).without_dry_runs()

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Without the filter « told by the provider » where no provider tells anything."""
        return [name for name in self.list_filter if name != "provider_status" or returns_are_told()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "returns_arrive_at": returns_arrive_at()})

    @admin.display(description=gettext_lazy("recipient"))
    def recipient_address(self, delivery: Delivery) -> str:
        """Where it went; a mail that is still to leave goes to the address as it is now."""
        is_to_leave = delivery.state in {State.PENDING, State.HELD, State.BROKEN}
        return delivery.address if is_to_leave else delivery.sent_to or delivery.address

    @admin.display(description=gettext_lazy("what became of it"))
    def what_became_of_it(self, delivery: Delivery) -> str:
        if delivery.provider_status or delivery.state != State.SENT:
            return delivery.get_provider_status_display()
        if not (address := returns_arrive_at()):
            return _("nothing was told yet")
        return _("not known here: a mail that comes back arrives at %(address)s") % {"address": address}

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
        named = Delivery.objects.filter(message_id=_message_id(words)).values("pk")
        found = found.order_by().union(addressed.order_by(), named.order_by())
        return queryset.filter(pk__in=found), False

    @admin.display(description=gettext_lazy("state"))
    def outcome(self, delivery: Delivery) -> str:
        return mail_state(delivery)

    def has_note_return_permission(self, request: HttpRequest) -> bool:
        """For the action with this permission: no further mail goes to these people."""
        return request.user.has_perms([PERMISSION, "registrations.change_registration"])

    def has_write_permission(self, request: HttpRequest) -> bool:
        """For the actions with the permission `write`."""
        return request.user.has_perm(PERMISSION)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
