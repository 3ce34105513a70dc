"""The audit log: what is recorded, and that entries cannot be changed or deleted."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from registrations.models import AuditEntry
from registrations.security import audit, second_factor
from registrations.worker import housekeeping
from tests.factories import make_event, make_registration
from tests.phone import KEY, code_of

pytestmark = pytest.mark.django_db

LIST = "/admin/registrations/auditentry/"


@pytest.fixture
def organiser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("organisatrice", password="correct horse"))
    return client


def recorded(**fields: Any) -> list[tuple[str, int | None, str]]:
    return list(AuditEntry.objects.filter(**fields).order_by("pk").values_list("action", "actor", "about"))


def test_logins_refused_logins_and_logouts_are_recorded(client: Client) -> None:
    account = User.objects.create_superuser("organisatrice", password="correct horse")
    for username, password in [("organisatrice", "wrong"), ("my-password!", "x"), ("organisatrice", "correct horse")]:
        client.post("/admin/login/", {"username": username, "password": password})
    client.post("/admin/logout/")
    about = f"auth.user {account.pk}"
    assert recorded(pk__gt=AuditEntry.objects.get(action="account_added").pk) == [
        ("login_failed", None, about),
        ("login_failed", None, ""),
        ("logged_in", account.pk, ""),
        ("logged_out", account.pk, ""),
    ]
    assert "my-password!" not in str(list(AuditEntry.objects.values()))


def test_password_changes_are_recorded_and_upgraded_hashes_are_not(organiser: Client, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    account = User.objects.create_user("autre", password="correct horse")
    me = User.objects.get(username="organisatrice")
    account.set_password("another horse")
    account.save()
    new = {"password1": "a third horse!", "password2": "a third horse!"}
    organiser.post(f"/admin/auth/user/{account.pk}/password/", new)
    about = f"auth.user {account.pk}"
    assert recorded(action="password_changed") == [
        ("password_changed", None, about),
        ("password_changed", me.pk, about),
    ]

    User.objects.filter(pk=account.pk).update(password=make_password("horse", hasher=PBKDF2PasswordHasher()))
    assert User.objects.get(pk=account.pk).check_password("horse")
    assert User.objects.get(pk=account.pk).password.startswith("md5")
    assert len(recorded(action="password_changed")) == 2


def test_changes_of_rights_are_recorded(organiser: Client) -> None:
    account = User.objects.create_user("autre")
    group = Group.objects.create(name="Un groupe")
    permission = Permission.objects.get(codename="view_event")
    account.is_staff = True
    account.save()
    account.first_name = "Ada"
    account.save()
    account.groups.add(group)
    group.permissions.add(permission)
    account.user_permissions.add(permission)
    account.user_permissions.clear()
    found = AuditEntry.objects.filter(action="rights_changed").order_by("pk").values_list("about", "detail")
    one, its_group = f"auth.user {account.pk}", f"auth.group {group.pk}"
    assert list(found) == [
        (one, {"is_staff": True, "is_active": True, "is_superuser": False}),
        (one, {"added": [group.pk], "of": "user_groups"}),
        (its_group, {"added": [permission.pk], "of": "group_permissions"}),
        (one, {"added": [permission.pk], "of": "user_user_permissions"}),
        (one, {"cleared": [], "of": "user_user_permissions"}),
    ]


def test_deletions_are_recorded_with_the_account_and_without_names(organiser: Client) -> None:
    me = User.objects.get(username="organisatrice")
    one = make_registration(first_name="Prénomsecret", last_name="Nomsecret")
    others = [make_registration(one.event, last_name="Nomsecret") for _ in range(2)]
    organiser.post(f"/admin/registrations/registration/{one.pk}/delete/", {"post": "yes"})
    bulk = {"action": "delete_selected", "_selected_action": [row.pk for row in others], "confirmed": 2, "typed": "2"}
    organiser.post("/admin/registrations/registration/", bulk)
    about = {f"registrations.registration {row}" for row in [one.pk, *(row.pk for row in others)]}
    assert {entry[1] for entry in recorded(action="deleted")} == {me.pk}
    assert {entry[2] for entry in recorded(action="deleted")} == about
    told = str(list(LogEntry.objects.values())) + str(list(AuditEntry.objects.values()))
    assert "secret" not in told


def test_mails_to_several_people_are_recorded_with_their_number(organiser: Client) -> None:
    event = make_event(report=False)
    rows = [make_registration(event).pk for _ in range(3)]
    organiser.post(
        "/admin/registrations/registration/", {"action": "send_again", "_selected_action": rows, "confirmed": 3}
    )
    assert AuditEntry.objects.get(action="bulk_mail").detail == {"deed": "send_again", "count": 3}


def test_changes_of_a_second_factor_are_recorded() -> None:
    account = User.objects.create_user("autre")
    with audit.acting(account):
        codes = second_factor.set_up(account, key=KEY, code=code_of(KEY))
        second_factor.matching_device(account, codes[0])
        second_factor.matching_device(account, "000000")
    call_command("otp_reset", "autre", stdout=StringIO())
    assert [entry[:2] for entry in recorded(about=f"auth.user {account.pk}")][1:] == [
        ("enrolled", account.pk),
        ("recovered", account.pk),
        ("code_failed", account.pk),
        ("otp_reset", None),
    ]


def test_the_admin_shows_the_log_read_only(organiser: Client) -> None:
    audit.record(audit.Action.BULK_MAIL, count=3)
    entry = AuditEntry.objects.get(action="bulk_mail")
    page = organiser.get(LIST)
    assert page.status_code == 200
    assert "organisatrice a ouvert une session." in page.text
    assert "Le site ou la personne qui l’exploite" in page.text
    assert "delete_selected" not in page.text
    assert organiser.get(f"{LIST}{entry.pk}/change/").status_code == 200
    statuses = [
        organiser.get(f"{LIST}add/").status_code,
        organiser.post(f"{LIST}{entry.pk}/change/", {"action": "deleted"}).status_code,
        organiser.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code,
    ]
    assert statuses == [403, 403, 403]
    organiser.post(LIST, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert AuditEntry.objects.get(pk=entry.pk).detail == {"count": 3}


@pytest.mark.real_clock
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registrations_auditentry SET actor = 1",
        "DELETE FROM registrations_auditentry",
    ],
)
def test_the_database_refuses_to_change_or_delete_entries(statement: str) -> None:
    audit.record(audit.Action.BULK_MAIL, count=3)
    with pytest.raises(DatabaseError, match="The audit log is"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.count() == 1


def test_update_and_save_of_an_entry_raise() -> None:
    audit.record(audit.Action.BULK_MAIL, count=3)
    with pytest.raises(TypeError):
        AuditEntry.objects.update(actor=1)
    entry = AuditEntry.objects.get()
    entry.actor = 1
    with pytest.raises((DatabaseError, TypeError)), transaction.atomic():
        entry.save()


@pytest.mark.real_clock
def test_entries_older_than_a_year_are_deleted() -> None:
    audit.record(audit.Action.BULK_MAIL, count=1)
    AuditEntry.objects.create(action="bulk_mail", at=timezone.now() - timedelta(days=367))
    young = AuditEntry.objects.create(action="bulk_mail", at=timezone.now() - timedelta(days=360))
    housekeeping.remove_old_rows()
    assert AuditEntry.objects.count() == 2
    assert AuditEntry.objects.filter(pk=young.pk).exists()
