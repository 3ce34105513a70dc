"""The pages of the admin: read from its URL patterns and from what each `AdminPage` declares, and a path to each."""

import re
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser, Group, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse

from registrations.admin_site.pages import AdminPage
from registrations.admin_site.site import WebinarAdminSite
from registrations.models import AuditEntry, Broadcast, Delivery, Event, Invitation, Job, SiteIdentity, Suppression
from registrations.security import audit
from tests.addresses import addresses
from tests.factories import make_registration, make_speaker

NO_PAGES = {  # addresses of the admin that show no page of their own
    "login": "before the login",
    "code": "before the second factor",
    "set_up": "before the second factor",
    "logout": "a button",
    "autocomplete": "read by a script",
    "jsi18n": "read by a script",
    "view_on_site": "leads elsewhere",
    "document": "a download",
    "registrations_event_figures_pdf": "a download",
    "registrations_job_document": "a download",
    "registrations_event_letter": "a frame in a page",
    "registrations_delivery_seen": "a button",
    "registrations_delivery_again": "a button",
    "registrations_event_publish": "a button",
    "registrations_event_day": "a part of a page",
    "registrations_event_qr": "a download",
    "registrations_event_text": "a frame in a page",
    "registrations_event_seen": "a button",
    "registrations_event_mail_part": "a frame in a page",
    "invitation": "before the login",
    "registrations_invitation_change": "a colleague is an account: tests/admin/test_colleagues.py",
    "registrations_invitation_history": "a colleague is an account",
    "registrations_invitation_reset_phone": "offered when there is a phone",
    "registrations_invitation_deactivate": "offered once the invitation was used",
    "registrations_invitation_reopen": "offered when the account is closed",
}


def declared() -> dict[str, AdminPage]:
    """The declared pages of the site and of each model, by the name of their URL."""
    site = cast(WebinarAdminSite, admin.site)
    of_models = {
        f"{model._meta.app_label}_{model._meta.model_name}_{page.name}": page
        for model, model_admin in site._registry.items()
        for page in getattr(model_admin, "pages", ())
    }
    return {**{page.name: page for page in site.pages()}, **of_models}


def rows(event: Event) -> dict[str, Model]:
    """A row of each model that has pages; most of them belong to this event."""
    registration = make_registration(event)
    broadcast = Broadcast.objects.create(event=event, audience="seated", subject="S", body="B", created_by=1)
    audit.record(audit.Action.BULK_MAIL, count=1)
    job = Job.objects.create(
        kind="people", title="T", event=event, asked_by=1, permission="registrations.view_registration", state="done"
    )
    return {
        "event": event,
        "registration": registration,
        "delivery": Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION),
        "suppression": Suppression.objects.create(digest="0" * 64),
        "auditentry": AuditEntry.objects.latest("pk"),
        "user": (invited := User.objects.create_user("quelqu-une", is_staff=True)),
        "invitation": Invitation.objects.create(user=invited, invited_by=1),
        "group": Group.objects.create(name="Groupe"),
        "job": job,
        "broadcast": broadcast,
        "speaker": make_speaker(event),
        "siteidentity": SiteIdentity.objects.get_or_create(defaults={"accent": "#17504a"})[0],
    }


def paths(rows: dict[str, Model]) -> dict[str, str]:
    """A path to each page of the admin, by the name of its URL."""
    patterns = ((route, pattern) for route, pattern in addresses(get_resolver()) if route.startswith("admin/"))
    return {
        str(pattern.name): _path(route, pattern, rows)
        for route, pattern in patterns
        if pattern.name and pattern.name not in NO_PAGES
    }


def _path(route: str, pattern: URLPattern, rows: dict[str, Model]) -> str:
    model = re.match(r"admin/\w+/(\w+)/", route)
    number = rows[model[1]].pk if model and model[1] in rows else 1
    values = {"object_id": number, "pk": number, "id": number, "app_label": "registrations"}
    values |= {"number": rows["broadcast"].pk, "person": rows["registration"].pk, "kind": "confirmation"}
    values |= {"account": rows["user"].pk}
    asked = re.findall(r"<(?:\w+:)?(\w+)>", route)
    return reverse(f"admin:{pattern.name}", kwargs={name: values[name] for name in asked})


def opened(client: Client, paths: dict[str, str]) -> dict[str, str]:
    """Those that this account can open. An answer that is neither a page nor a refusal fails, with its name."""
    answers = {name: client.get(path) for name, path in paths.items()}
    refused = {name for name, answer in answers.items() if answer.status_code == 403 or _hides_its_row(answer)}
    strange = {name: answer for name, answer in answers.items() if name not in refused and answer.status_code != 200}
    assert not strange, strange
    return {name: path for name, path in paths.items() if name not in refused}


def _hides_its_row(answer: Any) -> bool:
    """Django leads to the first page when the account may not see this row."""
    return bool(answer.status_code == 302 and answer["Location"] == reverse("admin:index"))


def is_allowed(account: AbstractBaseUser, name: str) -> bool:
    """Whether its declaration, or the admin of its model, lets this account open the page of this name."""
    page, request = declared().get(name), RequestFactory().get("/")
    request.user = cast(Any, account)
    if page:
        return request.user.has_perms(page.permissions)
    model_admins = {
        f"{model._meta.app_label}_{model._meta.model_name}": model_admin
        for model, model_admin in admin.site._registry.items()
    }
    model, _, kind = name.rpartition("_")
    if name == "auth_user_password_change":
        model, kind = "auth_user", "change_password"
    if model not in model_admins:
        return True  # a page of the site: the first page, a change of one's own password
    model_admin = model_admins[model]
    match kind:
        case "add":
            return model_admin.has_add_permission(request)
        case "delete":
            return model_admin.has_delete_permission(request)
        case "change_password":
            return model_admin.has_change_permission(request)
    return model_admin.has_view_or_change_permission(request)
