"""The address that answers go to: read as any other address is."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from registrations.mailing import outbox
from registrations.models import Event
from tests import mailbox
from tests.admin_client import EVENTS, event_form, logged_in
from tests.domain.test_corrections import sign_up
from tests.factories import make_event
from tests.management.test_load_event import FIRST_EVENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def save(organiser: Client, event: Event, contact: str) -> Any:
    path = f"{EVENTS}{event.pk}/change/"
    return organiser.post(path, {**event_form(organiser, path), "contact_email": contact})


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("zoe@faß.example", "zoe@xn--fa-hia.example"),
        ("zoe@mairie\u2011poissy.fr", "zoe@mairie-poissy.fr"),
        ("Zoë <zoe@example.org>", "zoe@example.org"),
        ("zoe@example.org.", "zoe@example.org"),
        ("zoe＠example.org", "zoe@example.org"),
    ],
)
def test_answers_went_to_another_domain_than_the_one_of_the_contact(
    organiser: Client, outbox_folder: Path, typed: str, read: str
) -> None:
    event = make_event(report=False)
    assert save(organiser, event, typed).status_code == 302
    sign_up(Event.objects.get(pk=event.pk))
    outbox.drain()
    assert mailbox.read_folder(outbox_folder)[0]["Reply-To"] == read


def test_what_is_wrong_with_the_contact_is_said(organiser: Client) -> None:
    assert (
        "Il y a une virgule à la place du point" in save(organiser, make_event(report=False), "zoe@example,org").text
    )


def test_the_address_of_an_account_is_read_alike(organiser: Client) -> None:
    user = User.objects.create_user("ada")
    path = f"/admin/auth/user/{user.pk}/change/"
    joined = {"date_joined_0": "01/12/2026", "date_joined_1": "10:00"}
    assert organiser.post(path, {"username": "ada", "email": "ada@faß.example", **joined}).status_code == 302
    user.refresh_from_db()
    assert user.email == "ada@xn--fa-hia.example"


@pytest.mark.parametrize(
    ("written", "found"), [("zoe@faß.example", "zoe@xn--fa-hia.example"), ("zoe@example", "Il manque la fin")]
)
def test_the_contact_in_a_file_is_read_alike(tmp_path: Path, written: str, found: str) -> None:
    lines = FIRST_EVENT.read_text("utf-8").splitlines()
    file = tmp_path / "event.toml"
    file.write_text(
        "\n".join(f'contact_email = "{written}"' if line.startswith("contact_email") else line for line in lines),
        "utf-8",
    )
    if "@" not in found:
        with pytest.raises(CommandError, match=found):
            call_command("load_event", str(file), verbosity=0)
        return
    call_command("load_event", str(file), verbosity=0)
    assert Event.objects.get().contact_email == found
