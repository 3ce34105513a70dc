"""The colleagues: who has which role, an invitation by mail, and what an organiser may do with an account."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminRadioSelect
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django_otp.plugins.otp_totp.models import TOTPDevice

from registrations.admin.shared import confirmation
from registrations.admin.shared.model_admin import WebinarModelAdmin, page
from registrations.admin_site.pages import AdminPage
from registrations.domain import colleagues
from registrations.models import Event, Invitation
from registrations.security.roles import ORGANISATION, PER_EVENT, READING
from registrations.web.fields import AddressField

PERMISSION = "registrations.manage_colleagues"
ROLES = [
    (ORGANISATION, gettext_lazy("Organisation: everything, colleagues included")),
    (READING, gettext_lazy("Reading: sees everything, changes and sends nothing")),
    (PER_EVENT, gettext_lazy("Per webinar: sees and runs the webinars named below, and nothing else")),
]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES, widget=AdminRadioSelect)
    events = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Webinars"),
        queryset=Event.objects.order_by("-starts_at"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For the role “Per webinar” only."),
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if typed.get("role") == PER_EVENT and not typed.get("events") and "events" not in self.errors:
            self.add_error("events", _("Tick at least one webinar: without any, this person sees nothing."))
        return typed


class InvitationForm(RoleForm):
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=150)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=150)
    email = AddressField(label=gettext_lazy("E-mail address"), max_length=150)
    field_order = ["first_name", "last_name", "email", "role", "events"]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class Line(NamedTuple):
    """One account in the table."""

    account: User
    role: str
    events: list[str]
    state: str
    is_quiet: bool  # nothing to look at
    has_phone: bool
    address: str  # empty when the account cannot be changed from here


def people() -> QuerySet[User]:
    """All accounts of the team: open ones first."""
    phones = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    staff = User.objects.filter(is_staff=True).annotate(has_phone=Exists(phones)).select_related("invitation")
    return staff.prefetch_related("groups", "named_on__event").order_by("-is_active", "last_name", "username")


def line(request: HttpRequest, account: Any) -> Line:
    role = role_of(account)
    state, is_quiet = state_of(account)
    return Line(
        account=account,
        role=pgettext("role", "Operator") if account.is_superuser else role_name(role),
        events=[str(one.event) for one in account.named_on.all()] if role == PER_EVENT else [],
        state=state,
        is_quiet=is_quiet,
        has_phone=account.has_phone,
        address=path("colleague", account) if is_theirs_to_change(request, account) else "",
    )


def role_of(account: User) -> str:
    """The narrowest of its groups, as its rights are: see security/event_access.py."""
    names = {group.name for group in account.groups.all()}
    return next((role for role in (PER_EVENT, ORGANISATION, READING) if role in names), "")


def role_name(role: str) -> str:
    names: dict[str, str] = {
        ORGANISATION: _("Organisation"), READING: pgettext("role", "Reading"), PER_EVENT: _("Per webinar")
    }  # fmt: skip
    return names.get(role, _("other rights"))


def state_of(account: User) -> tuple[str, bool]:
    invitation = invitation_of(account)
    if not account.is_active:
        return pgettext("account", "Deactivated"), True
    if invitation and invitation.is_open:
        return pgettext("account", "Invited"), False
    if invitation and invitation.is_pending:
        return _("Invitation expired"), False
    return pgettext("account", "Active"), True


def invitation_of(account: User) -> Invitation | None:
    found: Invitation | None = getattr(account, "invitation", None)
    return found


def is_theirs_to_change(request: HttpRequest, account: User) -> bool:
    """Nobody changes the own account here, and only an operator that of an operator."""
    return account.pk != request.user.pk and (request.user.is_superuser or not account.is_superuser)


def path(name: str, *accounts: User) -> str:
    return reverse(f"admin:registrations_invitation_{name}", args=[account.pk for account in accounts])


def found(request: HttpRequest, pk: int) -> User:
    person = get_object_or_404(people(), pk=pk)
    if not is_theirs_to_change(request, person):
        raise PermissionDenied
    return person


def invite(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            invited = colleagues.invite(**form.cleaned_data, by=int(request.user.pk or 0))
        except colleagues.AddressTaken:
            form.add_error("email", ValidationError(_("There is an account with this address.")))
        else:
            words = _("The invitation is on its way to %(address)s.") % {"address": invited.user.email}
            messages.success(request, words)
            return HttpResponseRedirect(path("changelist"))
    return confirmation.form_page(
        request,
        Invitation,
        form,
        title=_("Invite a colleague"),
        sentences=[_("They receive a link, valid for a week, to choose a password and set up their phone.")],
        button=_("Send the invitation"),
        back=path("changelist"),
    )


def colleague(request: HttpRequest, account: int) -> HttpResponse:
    """One colleague: the role, which the form changes, and what else can be done."""
    person = found(request, account)
    now = {"role": role_of(person), "events": [one.event_id for one in person.named_on.all()]}
    form = RoleForm(request.POST if request.method == "POST" else None, initial=now)
    if form.is_valid():
        colleagues.change_role(person, **form.cleaned_data)
        messages.success(request, _("The role of %(name)s is changed.") % {"name": name_of(person)})
        return HttpResponseRedirect(path("changelist"))
    return confirmation.form_page(
        request,
        Invitation,
        form,
        template="admin/colleague.html",
        title=name_of(person),
        sentences=[],
        line=line(request, person),
        invitation=invitation_of(person),
        acts=[(act.title, act.sentence, path(name, person)) for name, act in ACTS.items() if act.is_possible(person)],
        button=_("Save the role"),
        back=path("changelist"),
    )


def name_of(account: User) -> str:
    return account.get_full_name() or account.username


class Act(NamedTuple):
    """What an organiser may do with an account. `done` is told when it returned anything but False."""

    title: Promise | str
    sentence: Promise | str
    done: Promise | str
    is_possible: Callable[[Any], bool]
    carry_out: Callable[[Any, int], Any]


def _is_awaited(account: Any) -> bool:
    invitation = invitation_of(account)
    return bool(account.is_active and invitation and invitation.is_pending)


ACTS = {
    "send_again": Act(
        gettext_lazy("Send the invitation again"),
        gettext_lazy("A new link leaves, valid for a week; the former one opens nothing any more."),
        gettext_lazy("The invitation is on its way once more."),
        _is_awaited,
        lambda account, by: colleagues.send_again(account.invitation, by=by),
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the invitation"),
        gettext_lazy("The link opens nothing any more. The account stays, closed, and can be opened again."),
        gettext_lazy("The invitation is withdrawn."),
        _is_awaited,
        lambda account, by: colleagues.withdraw(account.invitation),
    ),
    "reset_phone": Act(
        gettext_lazy("Reset the second factor"),
        gettext_lazy("For a lost phone: the next login, after the password, sets up another one. Make sure who asks."),
        gettext_lazy("The second factor is reset: the next login sets up a new one."),
        lambda account: bool(account.has_phone and account.is_active),
        lambda account, by: colleagues.reset_second_factor(account),
    ),
    "deactivate": Act(
        gettext_lazy("Deactivate the account"),
        gettext_lazy("This person is logged out at once and cannot log in. What they did stays in the log."),
        gettext_lazy("The account is deactivated."),
        lambda account: account.is_active and not _is_awaited(account),
        lambda account, by: colleagues.set_active(account, is_active=False),
    ),
    "reopen": Act(
        gettext_lazy("Open the account again"),
        gettext_lazy("With the role that it had. Who never chose a password receives a new invitation."),
        gettext_lazy("The account is open again."),
        lambda account: not account.is_active,
        lambda account, by: colleagues.reopen(account, by=by),
    ),
}


def act(request: HttpRequest, account: int, *, name: str) -> HttpResponse:
    person, deed = found(request, account), ACTS[name]
    if not deed.is_possible(person):
        return HttpResponseRedirect(path("colleague", person))
    if confirmation.ANSWER not in request.POST:
        return confirmation.page(
            request,
            Invitation,
            title=f"{deed.title} – {name_of(person)}",
            sentences=[deed.sentence],
            button=deed.title,
            hidden=[(confirmation.ANSWER, "yes")],
            back=path("colleague", person),
        )
    if deed.carry_out(person, int(request.user.pk or 0)) is not False:
        messages.success(request, str(deed.done))
    return HttpResponseRedirect(path("colleague", person))


@admin.register(Invitation)
class InvitationAdmin(WebinarModelAdmin[Invitation]):
    """The list of colleagues stands in place of a list of invitations."""

    pages: ClassVar = [
        AdminPage("invite/", invite, "invite", permissions=(PERMISSION,), needs_fresh_password=True),
        AdminPage("<int:account>/", colleague, "colleague", permissions=(PERMISSION,), needs_fresh_password=True),
        *(
            AdminPage(
                f"<int:account>/{name.replace('_', '-')}/",
                partial(act, name=name),
                name,
                permissions=(PERMISSION,),
                needs_fresh_password=True,
            )
            for name in ACTS
        ),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        lines = [line(request, account) for account in people()]
        return page(request, Invitation, "admin/colleagues.html", title=_("Colleagues"), lines=lines)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        raise Http404  # a colleague is an account: see `colleague`

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        raise Http404

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
