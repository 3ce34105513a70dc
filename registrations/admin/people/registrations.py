"""The list of registrations, and the form of each with its mails."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db import transaction
from django.db.models import EmailField, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from registrations.admin.mails.deliveries import is_yet_to_come, mail_state
from registrations.admin.messages.broadcasts import may_write
from registrations.admin.people import exports, history
from registrations.admin.people.actions import (
    delete_selected,
    give_seat,
    renew_links,
    send_again,
    tell_of_promoted,
    too_few_seats,
    withdraw,
)
from registrations.admin.people.attendance import (
    PresenceFilter,
    PresenceInline,
    note_presence,
    presence,
    take_presence_back,
)
from registrations.admin.people.custom_questions import (
    answers_fieldset,
    answers_form,
    own_answers_shown,
    typed_answers,
)
from registrations.admin.people.on_behalf import come_back, disown, erase_on_request, take_data
from registrations.admin.people.returned_mails import address_fails, address_works
from registrations.admin.people.writing import write_to
from registrations.admin.shared.confirmation import NAMES_SHOWN
from registrations.admin.shared.long_lists import LongListAdmin
from registrations.admin.shared.model_admin import EventFilter
from registrations.admin.shared.read_only import ReadOnlyInline
from registrations.domain import corrections, erasure, mailboxes, signup, waiting_list
from registrations.models import Attendance, Delivery, Event, Registration, person_fields
from registrations.models.person_fields import BY_NAME as BY_FIELD
from registrations.models.person_fields import Kind
from registrations.models.registration import VERY_MANY, RegistrationQuerySet
from registrations.security import audit, event_access
from registrations.text import email_typos
from registrations.web.fields import AddressField, NameField

Status = Registration.Status
BY_NAME: dict[str, Any] = {
    "last_name": ["last_name", "first_name", "pk"],
    "-last_name": ["-last_name", "-first_name", "-pk"],
}
REQUIRED_OF_PERSON = person_fields.names(lambda one: one.corrected_by_organiser and one.is_required)
SHOWN_ONLY = ["created_at", "wants_messages", "wants_reminders"]
OPTIONAL_OF_PERSON = person_fields.names(lambda one: one.corrected_by_organiser and not one.is_required)


class DeliveryInline(ReadOnlyInline, admin.TabularInline[Delivery, Registration]):
    model = Delivery
    fields = ["kind", "reason", "outcome", "attempts", "created_at"]
    readonly_fields = ["kind", "reason", "outcome", "attempts", "created_at"]

    @admin.display(description=_("state"))
    def outcome(self, delivery: Delivery) -> str:
        return mail_state(delivery)


class MailStateFilter(admin.SimpleListFilter):
    title = _("state of the mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Delivery.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        if not self.value():
            return queryset
        mails = Delivery.objects.filter(state=self.value())
        named = mails.filter(registration__isnull=False).order_by("-registration")
        people = list(named.values_list("registration", flat=True).distinct()[:VERY_MANY])
        if len(people) < VERY_MANY:  # by primary key when they are few, else by a scan of the latest
            return queryset.filter(pk__in=people)
        return queryset.filter(Exists(mails.filter(registration=OuterRef("pk"))))


class TerritoryFilter(admin.SimpleListFilter):
    """The territories that people have named; there is no choice for those who named none."""

    title = _("territory")
    parameter_name = "territory"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        people = event_access.limited(Registration.objects.without_dry_runs(), request.user, "event")
        return [(territory, territory) for territory in cast(RegistrationQuerySet, people).territories()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return queryset.filter(territory=self.value()) if self.value() else queryset


class AddByHandForm(forms.ModelForm[Registration]):
    """The organiser chooses between a seat and the waiting list, whatever the number of seats."""

    status = forms.ChoiceField(
        label=_("Status"),
        choices=[(Status.CONFIRMED, Status.CONFIRMED.label), (Status.WAITLISTED, Status.WAITLISTED.label)],
        initial=Status.CONFIRMED,
        widget=forms.RadioSelect,
        help_text=_("A confirmed person is given a seat even when all are taken; the desk then says so."),
    )

    class Meta:
        model = Registration
        fields = ["status"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = getattr(self.fields.get("event"), "queryset", Event.objects.none())
        if full := ", ".join(event.short_title for event in _full_events(offered)):
            sentence = _("Full at the moment: %(events)s.") % {"events": full}
            self.fields["status"].help_text = f"{self.fields['status'].help_text} {sentence}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        event = cleaned.get("event")
        if event and cleaned.get("status") == Status.WAITLISTED and event.has_started:
            self.add_error("status", _("This event has started: its waiting list leads nowhere any more."))
        return cleaned


class PeopleChangeList(ChangeList):
    """Places on the waiting list are read once for all events of the page, and only if the list is shown."""

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
        for registration in shown:
            registration.place = places.get(registration.pk)
        return shown

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Ordering by last name continues by first name, which is the order of an index."""
        ordering = super().get_ordering(request, queryset)
        return BY_NAME.get(str(ordering[0]), ordering)

    def _get_default_ordering(self) -> Any:
        """Searches and the filter by mail find primary keys, the latest first: see `found_by`, `MailStateFilter`."""
        by_number = self.query or MailStateFilter.parameter_name in self.filter_params
        return ["-pk"] if by_number else cast(Any, super())._get_default_ordering()


@admin.register(Registration)
class RegistrationAdmin(LongListAdmin[Registration]):
    pages = (*exports.PAGES, *history.PAGES)
    change_list_template = "admin/registrations/registration/change_list.html"
    list_display = [
        "full_name",
        "organisation",
        "job_title",
        "standing",
        presence,
        "last_mail",
        "created_at",
        "event",
    ]
    event_path = "event"
    list_filter = [
        ("event", EventFilter),
        "status",
        MailStateFilter,
        PresenceFilter,
        TerritoryFilter,
        "newsletter",
        "language",
    ]
    search_fields = ["search"]
    sortable_by = ["full_name", "created_at"]  # those with an index
    searches: ClassVar[set[str]] = {SEARCH_VAR, MailStateFilter.parameter_name}
    search_help_text = _("Name, address or organisation")
    choose_all = _("Select all the registrations found")
    list_select_related = ["event"]
    list_per_page = 50
    inlines = [PresenceInline, DeliveryInline]
    formfield_overrides = {EmailField: {"form_class": AddressField}}
    actions = [
        give_seat,
        write_to,
        send_again,
        renew_links,
        withdraw,
        come_back,
        note_presence,
        take_presence_back,
        address_fails,
        address_works,
        take_data,
        erase_on_request,
        disown,
        delete_selected,
    ]
    delete_confirmation_template = "admin/registrations/registration/delete_confirmation.html"
    fieldsets = [
        (None, {"fields": ["event", *REQUIRED_OF_PERSON, "status"]}),
        (_("Answers"), {"fields": [*OPTIONAL_OF_PERSON]}),
        (_("Date"), {"fields": [*SHOWN_ONLY]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        people = cast(RegistrationQuerySet, super().get_queryset(request))
        return people.without_dry_runs().prefetch_related("attendances", "deliveries")

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return PeopleChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Registration], search_term: str
    ) -> tuple[QuerySet[Registration], bool]:
        return cast(RegistrationQuerySet, queryset).found_by(search_term), False

    def get_fieldsets(self, request: HttpRequest, obj: Registration | None = None) -> Any:
        """Read-only fields are shown once the registration exists; its status is then changed by actions only."""
        if obj is None:
            return self.fieldsets[:-1]
        (name, options), *others = self.fieldsets
        shown = ["standing" if field == "status" else field for field in options["fields"]]
        answers, *rest = others
        own_answers = answers_fieldset(obj, may_change=self.has_change_permission(request, obj))
        return [(name, {**options, "fields": shown}), answers, *own_answers, *rest]

    def get_inlines(self, request: HttpRequest, obj: Registration | None) -> list[Any]:
        return self.inlines if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Registration | None = None) -> list[Any]:
        return ["event", "standing", own_answers_shown, *SHOWN_ONLY] if obj else []

    def get_form(
        self, request: HttpRequest, obj: Registration | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs = {"form": AddByHandForm, **kwargs}
        elif self.has_change_permission(request, obj):
            kwargs["form"] = answers_form(kwargs.get("form", self.form), obj)
        return super().get_form(request, obj, change, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """What a name is does not depend on who types it."""
        if (field := BY_FIELD.get(db_field.name)) and field.asked and field.asked.kind == Kind.NAME:
            kwargs |= {"form_class": NameField, "limit": db_field.max_length, "too_long": field.asked.too_long}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, registration: Registration) -> str:
        return str(registration)

    @admin.display(description=_("status"), ordering="status")
    def standing(self, registration: Any) -> str:
        if registration.is_waiting:
            place = getattr(registration, "place", None) or registration.waiting_position
            return _("On the waiting list, place %(place)s") % {"place": place}
        return str(registration.get_status_display())

    @admin.display(description=_("last mail"))
    def last_mail(self, registration: Registration) -> str:
        newest_first = [delivery for delivery in registration.deliveries.all() if not is_yet_to_come(delivery)]
        return mail_state(newest_first[0]) if newest_first else ""

    def has_export_permission(self, request: HttpRequest) -> bool:
        """For the action with the permission `export`: one person's data, for them."""
        return request.user.has_perms([exports.PERMISSION, "registrations.change_registration"])

    def has_write_permission(self, request: HttpRequest) -> bool:
        """For the action with the permission `write`."""
        return may_write(request)

    # Adding, correcting, deleting

    def save_model(self, request: HttpRequest, obj: Registration, form: Any, change: bool) -> None:
        """A person who is added, or whose address is corrected, is sent the mail with their status."""
        if change:
            audit.record(audit.Action.ON_BEHALF, about=obj, act="correct", fields=form.changed_data)
            _correct(obj, {name: form.cleaned_data[name] for name in form.changed_data})
        else:
            obj.waiting_since = timezone.now() if obj.is_waiting else None
            obj.save()
            if obj.is_seated and (sentence := too_few_seats(obj.event)):
                messages.warning(request, sentence)
        if not change or "email" in form.changed_data:
            self._write_to(request, obj, is_new=not change)

    def _write_to(self, request: HttpRequest, registration: Registration, *, is_new: bool) -> None:
        if registration.is_cancelled:
            return
        if registration.event.status == Event.Status.DRAFT:
            messages.warning(request, _("No mail was sent: the event is not published."))
            return
        if is_new:
            signup.welcome(registration)
        else:
            corrections.send_to_corrected(registration)
        sentence = _("The mail is on its way to %(email)s.")
        if slip := email_typos.question(registration.email):
            messages.warning(request, slip)
            sentence = _("The mail leaves to %(email)s in two minutes: you may correct the address until then.")
        messages.info(request, sentence % {"email": registration.email})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Mails and presences, which are deleted too, are only counted: there may be very many."""
        pks = objs.order_by().values_list("pk") if isinstance(objs, QuerySet) else [one.pk for one in objs]
        chosen = Registration.objects.without_dry_runs().filter(pk__in=pks)
        hanging = [
            Delivery.objects.filter(registration__in=chosen),
            Attendance.objects.filter(registration__in=chosen),
        ]
        counts = {rows.model._meta.verbose_name_plural: rows.count() for rows in [chosen, *hanging]}
        names = [str(one) for one in chosen.order_by("pk")[:NAMES_SHOWN]]
        more = ["…"] if counts[self.opts.verbose_name_plural] > NAMES_SHOWN else []
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [*names, *more], counts, missing, []

    def delete_model(self, request: HttpRequest, obj: Registration) -> None:
        self.delete_queryset(request, Registration.objects.without_dry_runs().filter(pk=obj.pk))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> None:
        """Seats that become free go to the first on the waiting list, as after a cancellation."""
        concerned = Event.objects.filter(pk__in=queryset.order_by().values("event")).order_by("pk")
        events = [Event.objects.locked(event) for event in concerned]
        for registration in queryset.select_for_update(of=("self",), no_key=True):
            erasure.erase(registration)
        for event in events:
            tell_of_promoted(request, waiting_list.promote(event))

    # Django's log keeps names; a number identifies nobody once the person is erased

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _without_name(super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _without_name(super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        return [_without_name(entry) for entry in super().log_deletions(request, queryset)]


def _without_name(entry: LogEntry) -> LogEntry:
    entry.object_repr = f"n° {entry.object_id}"
    entry.save(update_fields=["object_repr"])
    return entry


def _correct(registration: Registration, typed: dict[str, Any]) -> None:
    """Save only the fields that were changed: the person may be changing others at the same time."""
    now = Registration.objects.locked(registration)
    now.answer(typed_answers(typed))
    wrong, held_entry = now.email, mailboxes.move(now, typed.get("email", now.email))
    for name in typed.keys() & {field.name for field in Registration._meta.concrete_fields}:
        setattr(now, name, typed[name])
    now.save()
    if held_entry:
        mailboxes.take_out(now, wrong)


def _full_events(events: QuerySet[Event]) -> list[Event]:
    coming = events.filter(status=Event.Status.PUBLISHED, starts_at__gt=timezone.now(), capacity__isnull=False)
    return [event for event in coming if not event.has_free_seat]
