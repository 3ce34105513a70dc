"""Every URL of the site as each kind of person: access, no change by GET, security headers."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern

from registrations.models import (
    AuditEntry,
    Delivery,
    Invitation,
    Job,
    Registration,
    ShareImage,
    SiteIdentity,
    Suppression,
    WorkerPresence,
)
from registrations.security import audit
from registrations.views.reading import MAIL_CSP
from tests.addresses import addresses
from tests.domain.broadcasts import make_broadcast
from tests.factories import make_document, make_event, make_picture, make_registration, make_speaker
from tests.web.test_request_guard import STRICT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]

PUBLIC = {
    "", "favicon.ico", "healthz", "readyz", "donnees-personnelles/", "accessibilite/", "mentions-legales/",
    "evenements/<slug:slug>/", "evenements/<slug:slug>/inscription/", "evenements/<slug:slug>/merci/",
    "evenements/<slug:slug>/evenement.ics", "rejoindre/<code:join_code>/", "rejoindre/<code:join_code>/rapport.pdf",
    "rejoindre/<code:join_code>/invitation.ics", "mon-inscription/<code:manage_code>/", "admin/login/",
    "evenements/<slug:slug>/renvoyer/", "mon-inscription/<code:manage_code>/modifier/",
    "mon-inscription/<code:manage_code>/adresse/", "mon-inscription/<code:manage_code>/annuler/",
    "mon-inscription/<code:manage_code>/pas-moi/", "mon-inscription/<code:manage_code>/supprimer/",
    "mon-inscription/<code:manage_code>/mes-donnees.json", "nouvelle-adresse/<code:address_code>/",
    "attestation/", "robots.txt", "sitemap.xml", "webinaires.atom", "webinaires.ics",
    "images/<slug:digest>-<int:width>.webp", "couleurs-<slug:digest>.css",
    "images/partage/<slug:slug>/<slug:digest>.png", "mon-inscription/<code:manage_code>/messages/",
    "documents/<slug:digest>.pdf", "rejoindre/<code:join_code>/documents/<int:pk>.pdf",
}  # fmt: skip
REDIRECTS = {  # they redirect without a session, or on GET although they need a POST
    "evenements/<slug:slug>/corriger/", "mon-inscription/<code:manage_code>/renvoyer/",
    "mon-inscription/<code:manage_code>/revenir/", "mon-inscription/<code:manage_code>/courriels/",
}  # fmt: skip
SCANNERS = [
    "Mozilla/5.0 (compatible; MS-SafeLinks)",
    "BarracudaCentral",
    "Mozilla/5.0 (Windows NT 10.0) Proofpoint",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
]
MAIL_PAGES = {  # pages that show a mail, and the sandboxed frame with its HTML
    r"/event/\d+/mails/$": f"{STRICT}; frame-src 'self'",
    r"/event/\d+/mails/\d+/$": MAIL_CSP,
}
CHANGED_BY_GET = {"django_session"}  # tables: only the visitor's own session


@pytest.fixture
def rows(settings: Any, tmp_path: Any) -> dict[str, Any]:
    """One row of each model that has a page."""
    settings.MEDIA_ROOT = tmp_path
    WorkerPresence.objects.note("one")
    event = make_event(report_file=SimpleUploadedFile("rapport.pdf", b"%PDF-1.7\n%%EOF"))
    registration = make_registration(event, new_email="neuve@example.org", new_email_code="a" * 22)
    audit.record(audit.Action.BULK_MAIL, count=1)
    return {
        "event": event,
        "registration": registration,
        "delivery": Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION),
        "document": make_document(event),
        "picture": make_picture(),
        "share_image": ShareImage.objects.create(event=event, digest="0" * 16, content=b"PNG"),
        "siteidentity": SiteIdentity.objects.create(accent="#17504a"),
        "speaker": make_speaker(event),
        "broadcast": make_broadcast(event),
        "job": Job.objects.create(kind="people", title="T", event=event, asked_by=1, permission="auth.view_user"),
        "suppression": Suppression.objects.create(digest="0" * 64),
        "auditentry": AuditEntry.objects.latest("pk"),
        "user": (invited := User.objects.create_user("quelqu-une", is_staff=True)),
        "invitation": Invitation.objects.create(user=invited, invited_by=1),
        "group": Group.objects.create(name="Groupe"),
    }


def paths(rows: dict[str, Any]) -> dict[str, str]:
    """A real path for each route."""
    event, registration = rows["event"], rows["registration"]
    filled = {
        "slug": event.slug,
        "join_code": registration.join_code,
        "manage_code": registration.manage_code,
        "address_code": registration.new_email_code,
        "name": event.report_file.name,
        "content_type_id": "1",
        "digest": rows["picture"].digest,
        "width": str(rows["picture"].width),
        "app_label": "registrations",
        "url": "nowhere/",
        "part": "page",
        "kind": Delivery.Kind.CONFIRMATION,
        "number": str(rows["broadcast"].pk),
        "person": str(registration.pk),
        "account": str(rows["user"].pk),
    }
    return {
        route: path(route, pattern, {**filled, **_row(route, rows)}) for route, pattern in addresses(get_resolver())
    }


def _row(route: str, rows: dict[str, Any]) -> dict[str, str]:
    """The id in the URL of one model's pages."""
    if route.startswith("images/partage"):
        return {"digest": "0" * 16}
    if route.startswith("couleurs"):
        return {"digest": rows["siteidentity"].stylesheet_digest}
    if route.startswith(("documents/", "rejoindre/<code:join_code>/documents/")) and "document" in rows:
        return {"digest": rows["document"].digest, "pk": str(rows["document"].pk)}
    model = re.match(r"admin/\w+/(\w+)/", route)
    number = str(rows[model[1]].pk) if model and model[1] in rows else "1"
    return {"object_id": number, "id": number, "pk": number}


def path(route: str, pattern: URLPattern, values: dict[str, str]) -> str:
    if isinstance(pattern.pattern, RegexPattern):
        route = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route).replace("^", "").removesuffix("$")
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: values.get(match[1], "1"), route)


def grant(username: str, *actions: str) -> Client:
    account = User.objects.create_user(username, is_staff=True)
    mine = Permission.objects.filter(content_type__app_label="registrations")
    account.user_permissions.set(p for p in mine if p.codename.partition("_")[0] in actions)
    client = Client()
    client.force_login(account)
    return client


def ask(client: Client, path: str, method: str = "get", data: Any = None, **extra: Any) -> Any:
    """The response; `whole` is its complete content, also of a stream."""
    answer = getattr(client, method)(path, data, **extra) if data else getattr(client, method)(path, **extra)
    answer.whole = answer.getvalue()
    return answer


def test_a_visitor_sees_the_public_pages_and_no_other(rows: dict[str, Any]) -> None:
    opened = set()
    for route, path in paths(rows).items():
        answer = ask(Client(), path)
        if answer.status_code == 302 and route.startswith("admin/"):
            assert answer["Location"].startswith("/admin/login/") or "logout" in route, path
        elif route in REDIRECTS:
            assert answer.status_code in {302, 303}, (path, answer.status_code)
        elif route not in PUBLIC:
            assert answer.status_code in {404, 405}, (path, answer.status_code)
        else:
            opened.add(route)
    assert opened == PUBLIC


def test_a_visitor_cannot_post_to_any_admin_page(rows: dict[str, Any]) -> None:
    before = everything()
    for route, path in paths(rows).items():
        if route.startswith("admin/") and route not in PUBLIC:
            assert ask(Client(), path, "post", {"post": "yes"}).status_code in {302, 403, 404, 405}, path
    assert everything() == before


def test_a_reader_can_view_but_change_nothing(rows: dict[str, Any]) -> None:
    reader = grant("lectrice", "view")
    before = everything()
    opened = set()
    for route, path in paths(rows).items():
        if not route.startswith("admin/"):
            continue
        if ask(reader, path).status_code == 200:
            opened.add(route)
        if not re.search("login|logout|password", route):
            posted = ask(reader, path, "post", {"post": "yes", "action": "delete_selected", "_selected_action": ["1"]})
            assert posted.status_code in {200, 302, 403, 404, 405}, path
    Job.objects.filter(kind=Job.Kind.FIGURES).delete()  # a document that was asked for changes nothing
    assert everything() == before
    models = ["event", "registration", "delivery", "auditentry"]
    assert {f"admin/registrations/{model}/" for model in models} <= opened
    assert not {route for route in opened if re.search(r"auth/|/add/|delete", route)}


def test_an_organiser_without_rights_on_accounts_cannot_view_or_add_any(rows: dict[str, Any]) -> None:
    organiser = grant("organisatrice", "view", "add", "change", "delete")
    found = paths(rows)
    statuses = {route: ask(organiser, path).status_code for route, path in found.items() if route.startswith("admin/")}
    assert {status for route, status in statuses.items() if route.startswith("admin/auth/")} <= {302, 403, 404}
    assert statuses["admin/registrations/event/add/"] == 200
    assert [route for route, status in statuses.items() if status >= 500] == []
    for route in ("admin/registrations/auditentry/add/", "admin/registrations/delivery/add/"):
        assert statuses[route] == 403


def test_staff_without_permissions_see_no_data(rows: dict[str, Any]) -> None:
    nobody = grant("personne")
    registration = rows["registration"]
    assert ask(nobody, paths(rows)["admin/documents/<path:name>"]).status_code == 403
    for route, path in paths(rows).items():
        if route.startswith("admin/"):
            assert registration.email not in ask(nobody, path).whole.decode(errors="replace"), path


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_get_of_any_url_changes_nothing(rows: dict[str, Any], method: str) -> None:
    Registration.objects.update(link_was_used=True)  # of a new sign-up, the first use of its links is noted
    before = everything()
    organiser = grant("organisatrice", "view", "add", "change", "delete")
    User.objects.filter(username="organisatrice").update(is_superuser=True)
    after_login = everything()
    for agent in SCANNERS:
        for path in paths(rows).values():
            ask(Client(), path, method, headers={"user-agent": agent})
    for path in paths(rows).values():
        ask(organiser, path, method)
    assert everything() == after_login
    assert before.keys() == after_login.keys()


def everything() -> dict[str, list[Any]]:
    """Every row of every table."""
    models: list[type[Model]] = [model for model in apps.get_models() if model._meta.db_table not in CHANGED_BY_GET]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


def test_every_page_has_the_strict_security_headers(rows: dict[str, Any]) -> None:
    organiser = Client()
    organiser.force_login(User.objects.create_superuser("organisatrice"))
    pages = 0
    for client in (Client(), organiser):
        for path in paths(rows).values():
            for answer in (
                ask(client, path),
                ask(client, path, "get", {"q": "x\0"}),
                ask(client, path, "post"),
                ask(client, path + "x"),
            ):
                check_policy(path, answer)
                pages += 1
            if path == "/admin/logout/":
                organiser.force_login(User.objects.get(username="organisatrice"))
    assert pages > 300


def check_policy(path: str, answer: Any) -> None:
    assert answer.status_code < 500, path
    policy = re.sub(r" 'nonce-[\w-]+'", "", answer["Content-Security-Policy"])
    document = answer.get("Content-Disposition", "").startswith("attachment") and "pdf" in answer["Content-Type"]
    expected = "sandbox; default-src 'none'" if document else STRICT
    if answer.status_code == 200:
        expected = next((own for page, own in MAIL_PAGES.items() if re.search(page, path)), expected)
    with_the_form = f"{STRICT}; frame-src 'self'"  # of an event, which shows its text in a frame
    assert policy in ({expected, with_the_form} if "/registrations/event/" in path else {expected}), path
    assert answer["X-Content-Type-Options"] == "nosniff", path
    assert answer["Referrer-Policy"] == "same-origin", path
    assert "Permissions-Policy" in answer, path


def test_a_post_to_any_public_url_without_the_form_creates_no_registration(rows: dict[str, Any]) -> None:
    for route, path in paths(rows).items():
        if not route.startswith("admin/"):
            assert ask(Client(enforce_csrf_checks=True), path, "post", {"email": "x@example.org"}).status_code < 500, (
                path
            )
    assert Registration.objects.count() == 1
    assert settings.SECURE_CSP["default-src"] == ["'none'"]
