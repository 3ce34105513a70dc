"""The list of people: of one event, or of all; its ready views with their counts, and its filters as one form."""

from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from registrations.admin.people.badges import mail_badge, noted_events, presence_badge, standing_badge
from registrations.admin.people.filters import EVENT, TO_SEE, MailStateFilter, people_to_see
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import list_path
from registrations.models import Delivery, Registration
from registrations.security import event_access

Status = Registration.Status
STATUS, MAIL = "status__exact", MailStateFilter.parameter_name
BY_NAME: dict[str, Any] = {
    "last_name": ["last_name", "first_name", "pk"],
    "-last_name": ["-last_name", "-first_name", "-pk"],
}


class ReadyView(NamedTuple):
    words: Any
    number: int
    address: str
    is_current: bool
    is_alarm: bool = False


class FilterField(NamedTuple):
    """A list to choose from; `choices`: value, words, whether it is chosen."""

    name: str
    label: str
    choices: list[tuple[str, Any, bool]]


class PeopleChangeList(ChangeList):
    """Places on the waiting list are read once for all events of the page, and only if the list is shown."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.user = request.user
        super().__init__(request, *args, **kwargs)

    @property
    def result_list(self) -> list[Any]:
        return self.shown

    @result_list.setter
    def result_list(self, rows: QuerySet[Registration]) -> None:
        self.rows = rows

    @cached_property
    def shown(self) -> list[Any]:
        shown: list[Any] = list(self.rows)
        events = {registration.event_id for registration in shown if registration.is_waiting}
        places = Registration.objects.without_dry_runs().waiting_positions(events)
        to_see = set(people_to_see(Delivery.objects.filter(registration__in=[one.pk for one in shown])))
        noted = noted_events(shown)
        for one in shown:
            one.place = places.get(one.pk)
            one.standing = standing_badge(one)
            one.mail = mail_badge(one.deliveries.all(), needs_somebody=one.pk in to_see)
            one.presence = presence_badge(one, is_noted=one.event_id in noted)
        return shown

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Ordering by last name continues by first name, which is the order of an index."""
        ordering = super().get_ordering(request, queryset)
        return BY_NAME.get(str(ordering[0]), ordering)

    def _get_default_ordering(self) -> Any:
        """Searches and the filter by mail find primary keys, the latest first: see `found_by`, `MailStateFilter`."""
        by_number = self.query or MAIL in self.filter_params
        return ["-pk"] if by_number else cast(Any, super())._get_default_ordering()

    # What the page shows around the table

    @property
    def of_event(self) -> dict[str, str]:
        asked = self.params.get(EVENT, "")
        return {EVENT: asked} if model_admin.is_key(asked) else {}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.get_filters_params().keys() - {EVENT}) or bool(self.query)

    @property
    def whole(self) -> str:
        return list_path(Registration, **self.of_event)

    @property
    def search_everywhere(self) -> str:
        """The same words in the list over all events; empty where this is that list, or nothing is searched."""
        return list_path(Registration, **{SEARCH_VAR: self.query}) if self.query and self.of_event else ""

    @cached_property
    def views(self) -> list[ReadyView]:
        """Everybody, by status, and those of whom a mail needs somebody. A view with nobody is not shown."""
        people = cast(QuerySet[Registration], self.root_queryset).prefetch_related(None).order_by()
        mails = event_access.limited(Delivery.objects.all(), self.user, "event")
        if event := self.of_event.get(EVENT):
            people, mails = people.filter(event=int(event)), mails.filter(event=int(event))
        numbers = dict(people.values_list("status").annotate(number=Count("*")))
        to_see = people_to_see(cast(Any, mails)).order_by().count()
        words = {
            Status.CONFIRMED: pgettext("registrations", "Confirmed"),
            Status.WAITLISTED: pgettext("registrations", "Waiting"),
            Status.CANCELLED: pgettext("registrations", "Cancelled"),
        }
        views = [
            self._view(pgettext("people", "All"), sum(numbers.values())),
            *(self._view(words[status], numbers.get(status, 0), **{STATUS: status.value}) for status in Status),
            self._view(_("Mail to see"), to_see, **{MAIL: TO_SEE})._replace(is_alarm=True),
        ]
        return [view for view in views if view.number or view.is_current or view is views[0]]

    def _view(self, words: str, number: int, **chosen: str) -> ReadyView:
        now = {name: value for name, value in self.params.items() if name in {STATUS, MAIL} and value}
        address = list_path(Registration, **self.of_event, **chosen)
        return ReadyView(words, number, address, now == chosen)

    @cached_property
    def filter_fields(self) -> list[FilterField]:
        """What Django's filters offer, read from their links; the event and the status have links of their own."""
        fields = []
        for spec in self.filter_specs:
            name = str(spec.expected_parameters()[0])
            if name in {STATUS, *self.of_event}:
                continue
            choices: Any = spec.choices(self)
            offered = [(_value(choice, name), choice["display"], choice["selected"]) for choice in choices]
            label = _("Webinar") if name == EVENT else str(capfirst(spec.title))
            fields.append(FilterField(name, label, offered))
        return [*fields, self._order]

    @property
    def _order(self) -> FilterField:
        by_name, by_date = (str(self.list_display.index(name)) for name in ("full_name", "created_at"))
        choices = {"": _("The latest first"), by_date: _("The first ones first"), by_name: _("By name")}
        now = self.params.get(ORDER_VAR, "")
        return FilterField(ORDER_VAR, _("Order"), [(value, words, value == now) for value, words in choices.items()])

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a search keeps of the address: all but its own words."""
        return [(name, value) for name, value in self.params.items() if name != SEARCH_VAR]

    @property
    def kept_by_filters(self) -> list[tuple[str, str]]:
        """What the form of the filters keeps of the address: what it has no field for."""
        fields = {field.name for field in self.filter_fields}
        return [(name, value) for name, value in self.params.items() if name not in fields]

    @property
    def has_chosen_filters(self) -> bool:
        return any(self.params.get(field.name) for field in self.filter_fields)

    # Its pages

    @property
    def first_shown(self) -> int:
        return (self.page_num - 1) * self.list_per_page + 1

    @property
    def last_shown(self) -> int:
        return self.first_shown + len(self.shown) - 1

    @property
    def previous_page(self) -> str:
        return self.get_query_string({PAGE_VAR: self.page_num - 1}) if self.page_num > 1 else ""

    @property
    def next_page(self) -> str:
        has_more = self.multi_page and self.page_num < self.paginator.num_pages
        return self.get_query_string({PAGE_VAR: self.page_num + 1}) if has_more else ""


def _value(choice: dict[str, Any], name: str) -> str:
    return parse_qs(str(choice["query_string"]).removeprefix("?")).get(name, [""])[0]
