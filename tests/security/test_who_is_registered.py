"""Nobody learns who else is registered: same words, same state, same statements for each address."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from registrations.domain import corrections, erasure, signup
from registrations.mailing import claims, outbox
from registrations.models import Delivery
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db
KNOWN = ["confirmed", "waitlisted", "cancelled"]


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent meanwhile, without their values and without savepoints, whose names are numbers."""
    sent: list[str] = []

    def note(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        sent.extend([str(sql)] * ("SAVEPOINT" not in str(sql)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


def wishes(status: str) -> tuple[list[Any], list[str]]:
    """What someone sees who asks to move to this address, and the statements that it took."""
    event = make_event(report=False)
    asker, wanted = make_registration(event), "zoe@example.org"
    if status:
        make_registration(event, email=wanted, status=status)
    path, client = f"/mon-inscription/{asker.manage_code}/", Client()
    client.get(path)
    with statements() as sent:
        answer = client.post(f"{path}adresse/", {"email": wanted})
    page = client.get(path)
    data = json.loads(client.get(f"{path}mes-donnees.json").content)
    mails = [(mail["kind"], mail["state"], mail["sent_to"]) for mail in data["mails"]]
    told = [str(message) for message in page.context["messages"]]
    state = [wanted in page.text, data["registration"]["new_email_to_confirm"], mails]
    return [answer.status_code, told, *state], sent


@pytest.mark.parametrize("status", KNOWN)
def test_an_address_that_is_registered_is_not_shown_as_the_one_to_confirm(status: str) -> None:
    assert wishes(status) == wishes("")


def test_the_limit_of_a_mailbox_tells_who_was_written_to_today(client: Client) -> None:
    event = make_event(report=False)
    busy, quiet = "zoe@example.org", "lea@example.org"
    make_registration(event, email=busy)
    for _ in range(3):
        client.post(f"/evenements/{event.slug}/renvoyer/", {"email": busy})
    seen = []
    for wanted in (busy, quiet):
        path = f"/mon-inscription/{make_registration(event).manage_code}/"
        page = client.post(f"{path}adresse/", {"email": wanted}, follow=True)
        told = [str(message).replace(wanted, "") for message in page.context["messages"]]
        seen.append([page.redirect_chain[0][1], told, wanted in page.text])
    assert seen[0] == seen[1]


def links(status: str) -> list[str]:
    """The statements of « Recevoir mon lien »."""
    event = make_event(report=False)
    if status:
        make_registration(event, email="zoe@example.org", status=status)
    Delivery.objects.all().delete()
    with statements() as sent:
        Client().post(f"/evenements/{event.slug}/renvoyer/", {"email": "ZOE@example.org"})
    return sent


@pytest.mark.parametrize("status", KNOWN)
def test_a_link_asked_for_by_a_stranger_answers_sooner(status: str) -> None:
    first = links("")  # the first ever also makes the wake-up
    assert [one.split()[0] for one in first].count("INSERT") == 5
    assert links(status) == links("")


def test_a_mail_to_nobody_stays_in_the_list_of_mails(client: Client) -> None:
    event = make_event(report=False)
    client.post(f"/evenements/{event.slug}/renvoyer/", {"email": "nobody@example.org"})
    [mail] = Delivery.objects.all()
    assert (mail.address, mail.event, mail.registration) == ("", None, None)
    assert claims.claim() is None
    assert not Delivery.objects.exists()


# Who asked to be left alone


@pytest.mark.parametrize("is_moved", [True, False], ids=["signed up", "wished"])
def test_who_writes_to_an_address_learns_whether_its_owner_wants_no_mail(
    outbox_folder: Path, client: Client, *, is_moved: bool
) -> None:
    """A mail to another address reads the same, sent or not; so does the calendar entry of who moves away from it."""
    event = make_event(report=False)
    seen: list[list[Any]] = []
    for number, wanted in enumerate(["silent@example.org", "ordinary@example.org"]):
        if number == 0:
            erasure.suppress(wanted)
        own = f"own{number}@example.org"
        if is_moved:
            row = signup.register(event, language="fr", **answers(email=wanted)).registration
            outbox.drain()
            typed = corrections.answers(row)
            row = corrections.correct_sign_up(event, row.pk, email=own, language="fr", **typed).registration
        else:
            row = signup.register(event, language="fr", **answers(email=own)).registration
            corrections.ask_for_address(row, email=wanted)
        outbox.drain()
        row.refresh_from_db()
        mails = client.get(f"/mon-inscription/{row.manage_code}/mes-donnees.json").json()["mails"]
        page = client.get(f"/mon-inscription/{row.manage_code}/").text
        facts = [
            (mail["kind"], mail["state"], mail["sent_to"].replace(wanted, "").replace(own, "own"), set(mail))
            for mail in mails
        ]
        words = page.replace(wanted, "").replace(own, "own").replace(row.manage_code, "").replace(row.join_code, "")
        seen.append([facts, row.sequence, bool(row.first_email), words.partition("csrf")[0]])
    assert seen[0] == seen[1]
    assert "closed" in [fact[1] for fact in seen[0][0]]
