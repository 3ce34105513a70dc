"""A mailbox whose owner asked to be left alone stays so, whatever backup is restored, until an organiser lifts it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from registrations.domain import corrections, erasure, erasure_journal, signup
from registrations.mailing import outbox
from registrations.models import Delivery, Registration, Suppression
from registrations.models.suppression import digest_of
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db

ZOE = "zoe@example.org"
LIST = "/admin/registrations/suppression/"


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def disown(email: str = ZOE) -> None:
    erasure.disown(make_registration(email=email))


def is_left_alone(email: str = ZOE) -> bool:
    return Suppression.objects.of_address(email).exists()


def restore_the_backup_of_before() -> None:
    """As if the database had just been put back."""
    Suppression.objects.all().delete()
    call_command("replay_erasures")


def journal(folder: Path, *lines: tuple[str, str]) -> Path:
    """Of another machine: at which hour of a day which word was said of Zoe's mailbox."""
    file = folder / f"{len(list(folder.iterdir()))}.log"
    file.write_text("".join(f"2026-05-13T{hour}:00:00.000000Z {word} {digest_of(ZOE)}\n" for hour, word in lines))
    return file


def test_not_me_is_not_forgotten_by_a_restore(outbox_folder: Path) -> None:
    disown()
    [asked] = Suppression.objects.values_list("created_at", flat=True)
    restore_the_backup_of_before()
    [row] = Suppression.objects.all()
    assert (row.digest, abs(asked - row.created_at).total_seconds() < 1) == (digest_of(ZOE), True)
    signup.register(make_event(), language="fr", **answers(email="Zoe+autre@example.org"))
    outbox.drain()
    assert Delivery.objects.get(kind="confirmation").state == Delivery.State.CANCELLED


def test_neither_is_the_refusal_of_an_address_that_somebody_else_has_typed() -> None:
    registration = make_registration()
    corrections.ask_for_address(registration, email=ZOE)
    registration.refresh_from_db()
    corrections.refuse_address(registration)
    restore_the_backup_of_before()
    assert is_left_alone()


def test_an_organiser_who_tries_it_keeps_their_mailbox() -> None:
    erasure.disown(Registration.objects.create(event=make_event(), is_dry_run=True, **answers(email=ZOE)))
    restore_the_backup_of_before()
    assert not is_left_alone()


def lift(client: Client) -> None:
    asked = client.post(f"{LIST}lift/", {"address": ZOE})
    client.post(f"{LIST}lift/", dict(asked.context["hidden"]))


def delete_from_the_list(client: Client) -> None:
    pks = list(Suppression.objects.values_list("pk", flat=True))
    client.post(LIST, {"action": "delete_selected", "_selected_action": pks, "post": "yes"})


def delete_on_its_page(client: Client) -> None:
    client.post(f"{LIST}{Suppression.objects.get().pk}/delete/", {"post": "yes"})


@pytest.mark.parametrize("how", [lift, delete_from_the_list, delete_on_its_page])
def test_what_an_organiser_has_lifted_is_not_silenced_by_a_restore(
    how: Callable[[Client], None], organiser: Client, django_capture_on_commit_callbacks: Any
) -> None:
    disown()
    [row] = Suppression.objects.all()
    with django_capture_on_commit_callbacks(execute=True):
        how(organiser)
    assert not is_left_alone()
    restore_the_backup_of_before()
    assert not is_left_alone()
    row.save(force_insert=True)  # of a backup made in between
    call_command("replay_erasures")
    assert not is_left_alone()


def test_who_asks_again_after_that_is_left_alone_again(
    organiser: Client, django_capture_on_commit_callbacks: Any
) -> None:
    disown()
    with django_capture_on_commit_callbacks(execute=True):
        lift(organiser)
    disown()
    restore_the_backup_of_before()
    assert is_left_alone()


def test_a_lift_that_was_rolled_back_has_lifted_nothing() -> None:
    """Only what is committed is journaled: here nothing is, since the test's own transaction never ends."""
    disown()
    erasure.unsuppress(Suppression.objects.of_address(ZOE))
    restore_the_backup_of_before()
    assert is_left_alone()


def test_a_new_secret_key_wakes_nobody_up_and_a_lift_under_it_holds(
    settings: Settings, organiser: Client, django_capture_on_commit_callbacks: Any
) -> None:
    disown()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    client = logged_in_again(organiser)
    restore_the_backup_of_before()
    assert is_left_alone()
    with django_capture_on_commit_callbacks(execute=True):
        lift(client)
    restore_the_backup_of_before()
    assert not is_left_alone()


def logged_in_again(client: Client) -> Client:
    client.force_login(User.objects.get())
    return client


@pytest.mark.parametrize(
    ("first", "second", "suppressed"),
    [
        ([("10", "silenced")], [("11", "lifted")], False),
        ([("11", "lifted")], [("10", "silenced")], False),
        ([("10", "lifted")], [("11", "silenced")], True),
        ([("09", "silenced"), ("11", "silenced")], [("10", "lifted")], True),
    ],
)
def test_of_the_journals_of_several_machines_the_last_word_counts(
    tmp_path: Path, first: list[tuple[str, str]], second: list[tuple[str, str]], suppressed: bool
) -> None:
    call_command("replay_erasures", journal(tmp_path, *first), journal(tmp_path, *second))
    assert is_left_alone() == suppressed


def test_a_mailbox_silenced_after_the_lift_that_this_journal_knows_stays_silent(tmp_path: Path) -> None:
    Suppression.objects.create(digest=digest_of(ZOE), created_at=datetime(2026, 5, 13, 11, tzinfo=UTC))
    call_command("replay_erasures", journal(tmp_path, ("10", "lifted")))
    assert is_left_alone()


def test_the_journal_of_a_backup_is_added_once_and_keeps_its_moments(tmp_path: Path) -> None:
    disown("ada@example.org")
    other = journal(tmp_path, ("10", "silenced"), ("11", "lifted"))
    for _ in range(2):
        erasure_journal.add(other)
    own = erasure_journal.path().read_text().splitlines()
    assert own[2:] == other.read_text().splitlines()
    erasure_journal.add(tmp_path / "none")
    assert len(erasure_journal.path().read_text().splitlines()) == 4


def test_the_journal_reads_nothing_of_anybody_and_old_lines_hold(capsys: pytest.CaptureFixture[str]) -> None:
    old = make_registration()
    erasure_journal.path().write_text(f"2026-01-01T00:00:00Z {old.uid}\n")
    disown()
    assert "zoe" not in erasure_journal.path().read_text()
    restore_the_backup_of_before()
    assert capsys.readouterr().out.startswith("Erased again: 1\nLeft alone again: 1\n")


@pytest.mark.parametrize(
    "cut", ["2026-01-01T00:00:00.000000Z silen", f"2026-01-01T00:00:00.000000Z silenced {'a' * 9}"]
)
def test_a_line_that_a_crash_cut_short_takes_no_other_with_it(cut: str) -> None:
    erasure_journal.path().write_text(cut)
    disown()
    erased = make_registration()
    erasure_journal.write(erased.uid)
    restore_the_backup_of_before()
    assert is_left_alone()
    assert not Registration.objects.filter(pk=erased.pk).exists()
    assert Suppression.objects.count() == 1
