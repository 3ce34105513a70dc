"""The groups of staff: « Organisation » may do everything about webinars, « Lecture » may only view."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from registrations.models import Event, Job, Registration
from registrations.security import roles
from tests import groups
from tests.factories import make_event
from tests.views.test_every_address import ask, everything, paths, rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]
__all__ = ["rows"]


def member(group: str) -> Client:
    account = User.objects.create_user("membre", is_staff=True)
    account.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(account)
    return client


def statuses(client: Client, rows: dict[str, Any]) -> dict[str, int]:
    return {route: ask(client, path).status_code for route, path in paths(rows).items() if route.startswith("admin/")}


def codenames(group: str) -> set[str]:
    return set(Permission.objects.filter(group__name=group).values_list("codename", flat=True))


def test_the_groups_exist_after_migrate_with_their_rights() -> None:
    of_pages = {"appearance", "eventdocument", "eventpage", "partner", "programmeitem", "siteidentity", "speaker"}
    each = {"event", "eventquestion", "registration", "reportsection", "suppression"} | of_pages
    everything_of = {f"{action}_{model}" for model in each for action in ("view", "add", "change", "delete")}
    assert codenames("Organisation") == everything_of | {
        "view_delivery",
        "export_registration",
        "write_to_registrants",
        "manage_colleagues",
    }
    assert codenames("Lecture") == {
        f"view_{model}" for model in {"event", "eventquestion", "registration", "reportsection", "delivery"} | of_pages
    }


def test_the_permissions_created_by_the_migration_are_those_of_django() -> None:
    names = dict(Permission.objects.filter(content_type__app_label="registrations").values_list("codename", "name"))
    for model in apps.get_app_config("registrations").get_models():
        if "view" not in model._meta.default_permissions:
            continue
        codename = f"view_{model._meta.model_name}"
        assert names[codename] == f"Can view {model._meta.verbose_name_raw}"


def test_giving_a_permission_removes_no_other() -> None:
    roles.give(apps, "Lecture", "registration", ["export_registration"])
    roles.make(apps, None)
    assert "export_registration" in codenames("Lecture")


def test_organisation_opens_every_page_of_the_webinars_and_none_of_the_accounts(rows: dict[str, Any]) -> None:
    found = statuses(member("Organisation"), rows)
    for model in ("event", "registration", "suppression"):
        assert found[f"admin/registrations/{model}/"] == 200
    for route in ("admin/", "admin/registrations/event/add/", "admin/registrations/event/<int:pk>/duplicate/"):
        assert found[route] == 200
    assert {status for route, status in found.items() if route.startswith("admin/auth/")} <= {302, 403, 404}
    assert found["admin/registrations/auditentry/"] == 403
    assert [route for route, status in found.items() if status >= 500] == []


def test_organisation_deletes_a_person_with_their_mails(rows: dict[str, Any]) -> None:
    client = member("Organisation")
    path = f"/admin/registrations/registration/{rows['registration'].pk}/delete/"
    client.post(path, {"post": "yes"})
    assert not Registration.objects.exists()


@pytest.mark.typesetting
def test_lecture_views_everything_of_the_webinars_and_changes_nothing(rows: dict[str, Any]) -> None:
    reader = member("Lecture")
    before = everything()
    opened = {route for route, status in statuses(reader, rows).items() if status == 200}
    for route, path in paths(rows).items():
        if route.startswith("admin/") and not re.search("login|logout|password", route):
            ask(reader, path, "post", {"post": "yes", "confirmed": "yes"})
    Job.objects.filter(kind=Job.Kind.FIGURES).delete()  # a document that was asked for changes nothing
    assert everything() == before
    looks = ["", "preview/", "mails/", "timeline/", "figures/"]
    assert {f"admin/registrations/event/{'<int:pk>/' * bool(look)}{look}" for look in looks} <= opened
    assert "admin/registrations/registration/<path:object_id>/change/" in opened
    assert not {route for route in opened if re.search(r"auth/|/add/|delete|duplicate|auditentry|suppression", route)}


def test_an_account_of_the_organisation_is_no_superuser_and_runs_an_event() -> None:
    client = member("Organisation")
    event = make_event(status="draft")
    client.post(f"/admin/registrations/event/{event.pk}/duplicate/", {"confirmed": "yes"})
    assert Event.objects.count() == 2
    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_leaves_the_groups_to_the_next_ones() -> None:
    before = groups.rights()
    assert set(before) >= {"Organisation", "Lecture"}
    call_command("flush", interactive=False, verbosity=0)
    assert groups.rights() == before
