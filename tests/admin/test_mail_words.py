"""The pages of one's own words: the list, the form, the mail as it will leave, a trial, the history."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.mailing import outbox
from registrations.models import Delivery, Event, MailText
from registrations.models.mail_kinds import OWN_WORDS
from tests import mailbox
from tests.admin_client import EVENTS, logged_in
from tests.factories import make_event

pytestmark = pytest.mark.django_db
TYPED = {"subject_fr": "À mardi", "opening_fr": "Merci {prenom} !", "closing_fr": "Guillaume"}


def path(event: Event, kind: str = "") -> str:
    return f"{EVENTS}{event.pk}/words/" + (f"{kind}/" if kind else "")


def save(client: Client, event: Event, kind: str = "confirmation", **typed: str) -> Any:
    return client.post(path(event, kind), {**TYPED, **typed}, follow=True)


def test_the_list_names_each_kind_by_moment_and_says_whose_words_it_has() -> None:
    event = make_event()
    MailText.objects.create(event=event, kind="reminder_day", language="fr", opening="Demain !")
    page = logged_in().get(path(event))
    groups = [(str(moment), [line.kind.value for line in lines]) for moment, lines in page.context["groups"]]
    assert groups[0] == ("À l’inscription", ["confirmation", "waiting_list", "promoted"])
    assert {kind for _moment, kinds in groups for kind in kinds} == {kind.value for kind in OWN_WORDS}
    assert "vos mots (Français)" in page.text
    assert page.text.count(">Modifier</a>") == 1
    assert page.text.count(">Écrire</a>") == len(OWN_WORDS) - 1


def test_the_list_costs_as_many_queries_with_words_as_without() -> None:
    event, client = make_event(), logged_in()

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(path(event))
        return len(captured)

    asked()
    few = asked()
    for kind in OWN_WORDS:
        MailText.objects.create(event=event, kind=kind, language="en", opening="Hello")
    assert asked() == few <= 12


@pytest.mark.parametrize("kind", OWN_WORDS)
def test_every_kind_has_its_form(kind: str) -> None:
    page = logged_in().get(path(make_event(), kind))
    assert page.status_code == 200
    assert {name.rpartition("_")[2] for name in page.context["form"].fields} == {"fr", "en"}


def test_a_kind_without_own_words_has_no_form() -> None:
    event, client = make_event(), logged_in()
    assert [client.get(path(event, kind)).status_code for kind in ("erased", "alert", "nothing")] == [404] * 3


def test_words_are_saved_for_each_language() -> None:
    event = make_event()
    page = save(logged_in(), event, opening_en="Thank you")
    assert "Le texte est enregistré" in page.text
    saved = MailText.objects.order_by("language").values_list("language", "subject", "opening", "closing")
    assert list(saved) == [("en", "", "Thank you", ""), ("fr", "À mardi", "Merci {prenom} !", "Guillaume")]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("subject_fr", "Pour {prenom}"),
        ("opening_fr", "Bonjour {prénom}"),
        ("opening_en", "Hello {name}"),
        ("closing_fr", "{manage_code}"),
        ("subject_fr", "x" * 91),
    ],
)
def test_what_cannot_be_filled_in_is_refused_beside_its_field(field: str, words: str) -> None:
    page = save(logged_in(), make_event(), **{field: words})
    assert list(page.context["form"].errors) == [field]
    assert not MailText.objects.exists()


def test_who_waits_cannot_be_promised_a_link() -> None:
    page = save(logged_in(), make_event(), "waiting_list", opening_fr="Votre lien : {lien}")
    assert list(page.context["form"].errors) == ["opening_fr"]


def test_a_subject_is_one_line() -> None:
    save(logged_in(), make_event(), subject_fr="Un\r\nBcc: x@example.org")
    assert MailText.objects.get().subject == "Un Bcc: x@example.org"


def test_the_mail_is_seen_with_what_is_typed_before_it_is_saved() -> None:
    event, client = make_event(report=False), logged_in()
    page = save(client, event, see="1")
    shown = page.context["mail"]
    assert shown.message["Subject"] == "À mardi"
    assert "Merci Prénom" in shown.text
    assert "Ce texte n’est pas encore enregistré." in page.text
    part = client.get(f"{EVENTS}{event.pk}/mails/{shown.html_number}/?mail=confirmation-new&person=fr&typed=1")
    assert "Merci Prénom" in part.text
    assert not MailText.objects.exists()
    saved = client.get(f"{EVENTS}{event.pk}/mails/?mail=confirmation-new&person=fr").context["mail"]
    assert "Merci Prénom" not in saved.text


def test_back_from_the_preview_nothing_typed_is_lost() -> None:
    event, client = make_event(report=False), logged_in()
    save(client, event, see="1")
    form = client.get(path(event, "confirmation") + "?typed=1").context["form"]
    assert form["opening_fr"].value() == "Merci {prenom} !"


def test_saved_words_are_shown_as_they_will_leave() -> None:
    event, client = make_event(report=False), logged_in()
    save(client, event)
    mail = client.get(f"{EVENTS}{event.pk}/mails/?mail=confirmation-new&person=fr").context["mail"]
    assert "Merci Prénom" in mail.text


def test_a_trial_shows_what_is_typed_and_not_saved(outbox_folder: Path) -> None:
    event, client = make_event(report=False), logged_in()
    save(client, event, see="1")
    client.post(f"{EVENTS}{event.pk}/mails/", {"mail": "confirmation-new", "person": "fr", "typed": "1"})
    assert Delivery.objects.get().sample
    outbox.drain()
    [mail] = mailbox.read_folder(outbox_folder)
    assert mail["Subject"] == "[Essai] À mardi"
    assert "Merci Prénom" in mailbox.text(mail)


def test_the_history_says_who_changed_what_when() -> None:
    event, client = make_event(), logged_in()
    save(client, event)
    save(client, event, opening_fr="Bienvenue !")
    page = client.get(path(event, "confirmation"))
    past = [(str(one.entry.user), one.field, one.language, one.before, one.after) for one in page.context["history"]]
    assert past[0] == ("equipe", "Ouverture", "Français", "Merci {prenom} !", "Bienvenue !")
    assert len(past) == 4
    assert "Bienvenue !" in page.text
    assert "Confirmation" in LogEntry.objects.order_by("-pk")[0].get_change_message()
    assert client.get(path(event, "promoted")).context["history"] == []


def test_the_event_s_own_history_reads_in_words() -> None:
    event, client = make_event(), logged_in()
    save(client, event)
    history = client.get(f"{EVENTS}{event.pk}/history/").text
    assert "texte d’un courriel" in history


def test_saving_the_same_words_writes_no_history() -> None:
    event, client = make_event(), logged_in()
    save(client, event)
    save(client, event)
    assert LogEntry.objects.count() == 1


def test_only_who_may_change_an_event_writes_its_mails() -> None:
    event = make_event()
    reader = logged_in("view_event", "view_registration")
    assert [reader.get(one).status_code for one in (path(event), path(event, "confirmation"))] == [403, 403]
    assert reader.post(path(event, "confirmation"), TYPED).status_code == 403
