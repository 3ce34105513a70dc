"""The audit log, read as sentences."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from registrations.admin import audit_sentences
from registrations.admin.people.bulk_actions import BULK_ACTIONS
from registrations.models import AuditEntry, Event
from registrations.security import audit
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db

Action = AuditEntry.Action
LIST = "/admin/registrations/auditentry/"
ROOT = Path(audit_sentences.__file__).parents[1]


@pytest.fixture
def guillaume() -> User:
    return User.objects.create_superuser("Guillaume")


def sentence(action: Action, *, about: Model | None = None, by: User | None = None, **detail: Any) -> str:
    audit.record(action, about=about, by=by, **detail)
    entry: Any = AuditEntry.objects.order_by("-pk").first()
    audit_sentences.describe([entry])
    return str(entry.sentence)


def event_in_may() -> Event:
    return make_event(short_title="Partager la rue")


def test_an_export_says_who_how_many_and_of_which_event(guillaume: User) -> None:
    event = event_in_may()
    with translation.override("fr"):
        said = sentence(
            Action.EXPORTED, by=guillaume, list="registrations", rows=32, filters={"event__id__exact": str(event.pk)}
        )
    assert said.startswith("Guillaume a exporté 32 inscriptions de «\u00a0Partager la rue\u00a0», ")
    assert str(event.start_date.year) in said


def test_the_sentence_is_in_the_language_of_the_reader(guillaume: User) -> None:
    event = event_in_may()
    with translation.override("en"):
        said = sentence(Action.IMPORTED, about=event, by=guillaume, added=1, waiting=0, left_out=0)
    assert said.startswith("Guillaume registered 1 person from a list for “Partager la rue”, ")


def acts() -> Iterator[tuple[Action, str]]:
    for action, sentences in audit_sentences.SENTENCES.items():
        yield from ((action, act) for act in sentences)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("action", "act"), [*acts()])
def test_each_act_makes_a_sentence_without_gaps(action: Action, act: str, language: str, guillaume: User) -> None:
    event = event_in_may()
    about: Model = make_registration(event)
    detail: dict[str, Any] = {"act": act, "count": 2}
    match action:
        case Action.BULK_MAIL if act in {"send", "plan", "hold", "take back", "stop"}:
            about = event.broadcasts.create(subject="Merci", body="Bonjour", created_by=1)
        case Action.DELETED | Action.RIGHTS_CHANGED:
            about = next(kind for kind in audit_sentences.KINDS if kind._meta.label_lower == act)(pk=77)
        case Action.BULK_MAIL if act == "people.send_again":
            detail = {"deed": "send_again", "count": 2}
        case Action.LOGGED_IN | Action.LOGGED_OUT | Action.RESTORED:
            detail = {}
        case _ if act == "":
            about, detail = (
                (event, {"added": 2}) if action == Action.IMPORTED else (User.objects.create(username="ada"), {})
            )
    with translation.override(language):
        said = sentence(action, about=about, by=guillaume, **detail)
    assert said.endswith("."), said
    assert "%" not in said
    assert "registrations." not in said
    assert "…" not in said


def test_every_action_that_the_code_writes_has_a_sentence() -> None:
    """Read from the source, so that a new act is not forgotten."""
    found = set()
    for path in ROOT.rglob("*.py"):
        text = path.read_text()
        for action_name, detail in re.findall(r"audit\.record\(\s*audit\.Action\.(\w+)([^)]*)", text):
            named = re.search(r'\b(?:act|list)="([^"]+)"', detail)
            found.add((getattr(Action, action_name), named.group(1) if named else None))
    assert set(audit_sentences.SENTENCES) == set(Action)
    for action, act in found:
        assert act is None or act in audit_sentences.SENTENCES[action], (action, act)
    for name, bulk in BULK_ACTIONS.items():
        if bulk.action:
            key = "people.send_again" if name == "send_again" else name
            assert key in audit_sentences.SENTENCES[bulk.action], name
    assert len(found) > 20


def test_an_old_or_unknown_entry_is_readable(guillaume: User) -> None:
    with translation.override("fr"):
        old = sentence(Action.BULK_MAIL, by=guillaume, act="Renvoyer la confirmation", count=3)
        without_count = sentence(Action.EXPORTED, about=event_in_may(), by=guillaume, list="registrations")
        entry: Any = AuditEntry(action="from_the_future", about="registrations.event 4", detail={})
        audit_sentences.describe([entry])
    assert old == "Guillaume\u00a0: Renvoyer la confirmation, 3"
    assert without_count.startswith("Guillaume\u00a0: ")
    assert entry.sentence.endswith("from_the_future (registrations.event 4)")


def test_what_is_gone_has_no_name(guillaume: User) -> None:
    event = event_in_may()
    audit.record(Action.EXPORTED, about=event, by=guillaume, list="questions", rows=2)
    Event.objects.all().delete()
    User.objects.all().delete()
    entry: Any = AuditEntry.objects.get(action="exported")
    with translation.override("fr"):
        audit_sentences.describe([entry])
    assert entry.sentence == "[compte supprimé] a exporté 2 questions posées pour [webinaire supprimé]."


def test_the_list_shows_sentences_searches_and_takes_few_queries(
    client: Client, guillaume: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(guillaume)
    registrations = [make_registration(event_in_may()) for _ in range(8)]
    for one in registrations:
        audit.record(Action.ON_BEHALF, about=one, by=guillaume, act="correct", fields=["email"])
        audit.record(Action.RIGHTS_CHANGED, about=Group.objects.create(name=f"G{one.pk}"), by=guillaume)
    with django_assert_max_num_queries(12):
        page = client.get(LIST)
    assert page.text.count("Guillaume a corrigé l’inscription") == 8
    wanted = registrations[3]
    found = client.get(LIST, {"q": f"registrations.registration {wanted.pk}"})
    assert found.text.count("Guillaume a corrigé l’inscription") == 1
    entry = AuditEntry.objects.filter(action="on_behalf").first()
    assert entry is not None
    alone = client.get(f"{LIST}{entry.pk}/change/")
    assert "Guillaume a corrigé l’inscription" in alone.text
