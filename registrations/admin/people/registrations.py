"""The people: their list, the page of each, and the form of a new one."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db import transaction
from django.db.models import EmailField, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from registrations.admin.messages.broadcasts import may_write
from registrations.admin.people import acts, exports, person_page
from registrations.admin.people.actions import (
    delete_selected,
    give_seat,
    renew_links,
    send_again,
    tell_of_promoted,
    too_few_seats,
    withdraw,
)
from registrations.admin.people.adding import AddByHandForm, choice_of_event, event_asked
from registrations.admin.people.attendance import PresenceFilter, note_presence, take_presence_back
from registrations.admin.people.custom_questions import (
    answers_fieldset,
    answers_form,
    typed_answers,
)
from registrations.admin.people.filters import EVENT, MailStateFilter, PeopleEventFilter, TerritoryFilter
from registrations.admin.people.on_behalf import come_back, disown, erase_on_request, take_data
from registrations.admin.people.people_list import STATUS, PeopleChangeList
from registrations.admin.people.returned_mails import address_fails, address_works
from registrations.admin.people.writing import write_to
from registrations.admin.shared.confirmation import NAMES_SHOWN
from registrations.admin.shared.long_lists import LongListAdmin
from registrations.admin.shared.mistakes import mistakes
from registrations.admin_site.pages import list_path
from registrations.domain import corrections, erasure, mailboxes, signup, waiting_list
from registrations.models import Attendance, Delivery, Event, Registration, person_fields
from registrations.models.person_fields import BY_NAME as BY_FIELD
from registrations.models.person_fields import Kind
from registrations.models.registration import RegistrationQuerySet
from registrations.security import audit
from registrations.text import email_typos
from registrations.web.fields import AddressField, NameField

REQUIRED_OF_PERSON = person_fields.names(lambda one: one.corrected_by_organiser and one.is_required)
OPTIONAL_OF_PERSON = person_fields.names(lambda one: one.corrected_by_organiser and not one.is_required)


@admin.register(Registration)
class RegistrationAdmin(LongListAdmin[Registration]):
    pages = exports.PAGES
    list_display = ["full_name", "created_at"]  # what the list is ordered by; people_table.html draws it
    event_path = "event"
    list_filter = [
        ("event", PeopleEventFilter),
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
    show_full_result_count = False
    list_select_related = ["event"]
    list_per_page = 50
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
        acts.mails_seen,
        acts.more,
    ]
    delete_confirmation_template = "admin/registrations/registration/delete_confirmation.html"
    fieldsets = [
        (_("Person"), {"fields": ["event", *REQUIRED_OF_PERSON, "status"]}),
        (_("Answers"), {"fields": [*OPTIONAL_OF_PERSON]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        people = cast(RegistrationQuerySet, super().get_queryset(request))
        return people.without_dry_runs().select_related("event").prefetch_related("attendances", "deliveries")

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return PeopleChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Registration], search_term: str
    ) -> tuple[QuerySet[Registration], bool]:
        return cast(RegistrationQuerySet, queryset).found_by(search_term), False

    def get_fieldsets(self, request: HttpRequest, obj: Registration | None = None) -> Any:
        """The event and the status of a registration that exists are changed by actions only."""
        (name, options), answers = self.fieldsets
        if obj is None:
            unasked = {"event"} if event_asked(request) else set()
            return [_without(unasked, name, options), answers]
        own_answers = answers_fieldset(obj) if self.has_change_permission(request, obj) else []
        return [_without({"event", "status"}, name, options), answers, *own_answers]

    def get_form(
        self, request: HttpRequest, obj: Registration | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            asked = ["event"] if event_asked(request) else []  # a hidden field
            kwargs = {"form": AddByHandForm, **kwargs, "fields": [*asked, *kwargs["fields"]]}
        elif self.has_change_permission(request, obj):
            kwargs["form"] = answers_form(kwargs.get("form", self.form), obj)
        return super().get_form(request, obj, change, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """What a name is does not depend on who types it."""
        if (one := BY_FIELD.get(db_field.name)) and one.asked and one.asked.kind == Kind.NAME:
            kwargs |= {"form_class": NameField, "limit": db_field.max_length, "too_long": one.asked.too_long}
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return choice_of_event(field) if db_field.name == "event" else field

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, registration: Registration) -> str:
        return str(registration)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """For the action with the permission `export`: one person's data, for them."""
        return request.user.has_perms([exports.PERMISSION, "registrations.change_registration"])

    def has_write_permission(self, request: HttpRequest) -> bool:
        """For the action with the permission `write`."""
        return may_write(request)

    # Pages

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.POST.get("select_across") and not request.POST.getlist(ACTION_CHECKBOX_NAME):
            posted: Any = request.POST.copy()  # all that were found, and nobody ticked by name
            posted[ACTION_CHECKBOX_NAME] = "0"
            request.POST = posted
        if "index" in request.POST and not request.POST.getlist(ACTION_CHECKBOX_NAME):
            messages.warning(request, _("Tick the people first."))
            return HttpResponseRedirect(request.get_full_path())
        of_event = EVENT in request.GET
        context = {
            "title": pgettext("tab", "Registered") if of_event else pgettext("place", "People"),
            "bulk_acts": acts.in_the_bar(request.user, request.GET.get(STATUS, "")),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """For the event that the address names, this is a page of that event."""
        context = {"title": _("Register a person"), "event": event_asked(request)}
        return super().add_view(request, form_url, {**context, **(extra_context or {})})

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Registration | None = None,
    ) -> Any:
        if obj:
            of_person = person_page.context(request, obj, may_change=self.has_change_permission(request, obj))
            context |= {**of_person, "title": of_person["name"], "subtitle": None}
        if context["errors"]:
            context["mistakes"] = mistakes(context["adminform"].form, form_id="registration_form")
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_add(self, request: HttpRequest, obj: Registration, post_url_continue: str | None = None) -> Any:
        messages.success(request, _("%(name)s: the registration is saved.") % {"name": person_page.name(obj)})
        if "_addanother" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return HttpResponseRedirect(list_path(Registration, event__id__exact=obj.event_id))

    def response_change(self, request: HttpRequest, obj: Registration) -> HttpResponse:
        messages.success(request, _("The answers are saved."))
        return HttpResponseRedirect(request.path)

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


def _without(names: set[str], title: Any, options: Any) -> tuple[Any, dict[str, Any]]:
    return title, {**options, "fields": [name for name in options["fields"] if name not in names]}


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
