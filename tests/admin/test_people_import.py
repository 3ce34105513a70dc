"""People from a list: what is said of each line, who is added, and that nobody is twice."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from registrations.admin.imports import people as people_import
from registrations.domain import bulk_enrolment
from registrations.models import AuditEntry, Delivery, Event, Registration, Suppression
from tests.admin_client import EVENTS, PEOPLE, logged_in, messages
from tests.factories import make_event, make_past_event, make_registration
from tests.people_lists import ALI, HEADER, ZOE, csv_of, people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_french() -> Iterator[None]:
    with translation.override("fr"):
        yield


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def path_of(event: Event) -> str:
    return f"{EVENTS}{event.pk}/registrants/"


def upload(client: Client, event: Event, content: bytes) -> Any:
    return client.post(path_of(event), {"people": SimpleUploadedFile("liste.csv", content)})


def confirm(client: Client, event: Event, page: Any, mail: str = "without") -> Any:
    return client.post(path_of(event), {"state": page.context["state"], "mail": mail}, follow=True)


def bring(client: Client, event: Event, *rows: list[str], mail: str = "without") -> Any:
    return confirm(client, event, upload(client, event, csv_of(HEADER, *rows)), mail)


def added(event: Event) -> list[tuple[str, str]]:
    return list(event.registrations.order_by("pk").values_list("email", "status"))


def kinds() -> list[str]:
    return sorted(Delivery.objects.values_list("kind", flat=True))


# What is said before anything happens


def test_each_bad_cell_is_named_by_line_and_column_in_the_words_of_the_form(organiser: Client) -> None:
    event = make_event()
    page = upload(
        organiser,
        event,
        csv_of(
            [*HEADER, "Territoire", "Question"],
            [*ZOE, "", ""],
            ["Durand", "", "zoe@exemple", "x" * 300, "Fonction", "Ailleurs", "y" * 1001],
            ["www.exemple.fr", "Léa", "lea@example.org", "CAF", "Directrice", "Yvelines (78)", ""],
        ),
    )
    told = [(fault.line, fault.column) for fault in page.context["faults"].rows]
    columns = ["Prénom", "Structure", "Territoire", "Question", "Courriel"]
    assert sorted(told) == sorted([*((3, column) for column in columns), (4, "Nom")])
    text = re.sub(r"\s+", " ", page.text)
    assert "Ligne 3, colonne « Prénom » : cette cellule est vide." in text
    assert "Ligne 3, colonne « Courriel » : Saisissez une adresse" in text
    assert "Il manque la fin de l’adresse" in text
    assert "2 lignes sont à corriger ; elles ne sont pas ajoutées." in text
    assert "1 personne reçoit une place." in text
    assert "Inscrire 1 personne" in text
    assert added(event) == []


def test_who_is_there_who_has_left_and_who_is_named_twice_is_told(organiser: Client) -> None:
    event = make_event()
    make_registration(event, email="Zoe@Example.org")
    make_registration(event, email="ali@example.org", status="cancelled", cancelled_at=timezone.now())
    Suppression.objects.add_address("silence@example.org")
    other = ["X", "Y", "neuve@example.org", "Z", "F"]
    page = upload(
        organiser,
        event,
        csv_of(
            HEADER,
            ZOE,
            ALI,
            other,
            [*other[:2], "NEUVE@example.org", *other[3:]],
            [*other[:2], "silence@example.org", "Z", "F"],
        ),
    )
    told = page.context
    assert [row.line for row in told["known"].rows] == [2, 3]
    assert [row.line for row in told["new"].rows] == [4]
    assert [(row.line, first) for row, first in told["repeated"].rows] == [(5, 4)]
    assert told["suppressed"] == 1


def test_the_dry_run_writes_nothing_and_hostile_cells_stay_text(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, csv_of(HEADER, ["Durand", "Zoë", "zoe@example.org", "<script>x</script>", "=1+1"]))
    assert "<script>x" not in page.text
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()


def test_a_wrong_file_is_the_page_again_with_the_reason(organiser: Client) -> None:
    page = upload(organiser, make_event(), b"%PDF-1.7")
    assert "Le fichier n’a pas été lu. Personne n’a été ajouté." in page.text
    assert "Ce n’est pas un fichier CSV" in page.text
    assert "Choisissez le fichier à lire." in organiser.post(path_of(make_event()), {}).text


# The adding


def test_without_mail_nobody_is_told_and_the_reminders_are_planned(organiser: Client) -> None:
    event = make_event()
    page = bring(organiser, event, ZOE, ALI)
    assert page.redirect_chain == [(f"{PEOPLE}?event__id__exact={event.pk}", 302)]
    assert messages(page) == ["2 personnes sont inscrites ou en attente."]
    assert added(event) == [("zoe@example.org", "confirmed"), ("ali@example.org", "confirmed")]
    assert kinds() == ["reminder_day", "reminder_day", "reminder_hour", "reminder_hour"]
    person = Registration.objects.get(email="zoe@example.org")
    assert (person.organisation, person.job_title, person.newsletter) == (ZOE[3], ZOE[4], False)
    assert len({one.join_code for one in event.registrations.all()}) == 2


def test_with_mail_each_is_owed_the_mail_that_says_where_they_stand(organiser: Client) -> None:
    event = make_event(capacity=1)
    page = bring(organiser, event, ZOE, ALI, mail="with")
    assert messages(page) == ["2 personnes sont inscrites ou en attente.", "1 d’entre elles est en liste d’attente."]
    assert added(event) == [("zoe@example.org", "confirmed"), ("ali@example.org", "waitlisted")]
    assert kinds() == ["confirmation", "reminder_day", "reminder_hour", "waiting_list"]
    assert set(Delivery.objects.filter(kind="confirmation").values_list("priority", "reason")) == {(1, "new")}


def test_seats_then_the_line_then_nobody(organiser: Client) -> None:
    event = make_event(capacity=1, waiting_list=False)
    proposal = upload(organiser, event, csv_of(HEADER, ZOE, ALI))
    assert proposal.context["places"] == bulk_enrolment.Places(1, 0, 1)
    page = confirm(organiser, event, proposal)
    assert added(event) == [("zoe@example.org", "confirmed")]
    assert messages(page)[-1] == "1 personne a été laissée de côté_: déjà sur la liste, ou sans place libre."


def test_a_session_that_is_over_has_no_limit_and_plans_no_mail(organiser: Client) -> None:
    event = make_past_event(capacity=1)
    bring(organiser, event, ZOE, ALI)
    assert [status for _email, status in added(event)] == ["confirmed", "confirmed"]
    assert kinds() == []


def test_sending_the_confirmation_twice_adds_nobody_twice(organiser: Client) -> None:
    event = make_event()
    proposal = upload(organiser, event, csv_of(HEADER, ZOE, ALI))
    confirm(organiser, event, proposal, "with")
    page = confirm(organiser, event, proposal, "with")
    assert len(added(event)) == 2
    assert kinds().count("confirmation") == 2
    assert messages(page) == [
        "0 personne est inscrite ou en attente.",
        "2 personnes ont été laissées de côté_: déjà sur la liste, ou sans place libre.",
    ]


def test_who_signed_up_between_the_two_pages_keeps_their_answers(organiser: Client) -> None:
    event = make_event()
    proposal = upload(organiser, event, csv_of(HEADER, ZOE))
    make_registration(event, email="ZOE@example.org", organisation="La leur")
    confirm(organiser, event, proposal)
    assert [one.organisation for one in event.registrations.all()] == ["La leur"]


def test_a_list_that_names_someone_twice_adds_the_first(organiser: Client) -> None:
    event = make_event()
    bulk_enrolment.enrol(
        event, [{"email": "a@example.org", "last_name": "1"}, {"email": "A@example.org"}], with_mail=False
    )
    assert [one.last_name for one in event.registrations.all()] == ["1"]


def test_nobody_is_written_to_about_a_draft_and_nobody_added_to_a_cancelled_event(organiser: Client) -> None:
    draft, cancelled = make_event(status="draft"), make_event(status="cancelled")
    proposal = upload(organiser, draft, csv_of(HEADER, ZOE))
    assert "Le webinaire n’est pas publié" in proposal.text
    confirm(organiser, draft, proposal, "with")
    assert (len(added(draft)), kinds()) == (1, [])
    page = organiser.get(path_of(cancelled), follow=True)
    assert messages(page) == ["Ce webinaire est annulé_: on n’y inscrit plus personne."]


def test_an_error_in_the_middle_leaves_nothing(organiser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("asked for")

    event = make_event()
    proposal = upload(organiser, event, csv_of(HEADER, ZOE))
    with monkeypatch.context() as broken:
        broken.setattr(LogEntry.objects, "bulk_create", refused)
        with pytest.raises(RuntimeError):
            confirm(organiser, event, proposal, "with")
    assert (added(event), kinds()) == ([], [])
    confirm(organiser, event, proposal, "with")
    assert len(added(event)) == 1


def test_a_forged_or_borrowed_state_adds_nobody(organiser: Client) -> None:
    event, other = make_event(), make_event()
    borrowed = upload(organiser, other, csv_of(HEADER, ZOE)).context["state"]
    for state in ("forged", "", borrowed):
        page = organiser.post(path_of(event), {"state": state}, follow=True)
        assert messages(page)[0].startswith("Cette page était restée longtemps ouverte")
    assert not Registration.objects.exists()


def test_the_history_and_the_audit_log_know_of_it_without_a_name(organiser: Client) -> None:
    event = make_event(capacity=1)
    bring(organiser, event, ZOE, ALI, mail="with")
    people = event.registrations.order_by("pk")
    histories = [(entry.object_id, entry.object_repr, entry.change_message) for entry in LogEntry.objects.all()]
    assert sorted(histories) == sorted((str(one.pk), f"n° {one.pk}", "Inscrite par une liste.") for one in people)
    [entry] = AuditEntry.objects.filter(action=AuditEntry.Action.IMPORTED)
    assert entry.about == f"registrations.event {event.pk}"
    assert entry.detail == {"with_mail": True, "added": 2, "waiting": 1, "left_out": 0}


def test_the_import_asks_for_the_permission_to_add() -> None:
    event = make_event()
    looker = logged_in("view_event", "change_event", "view_registration", "change_registration")
    assert looker.get(path_of(event)).status_code == 403
    assert upload(looker, event, csv_of(HEADER, ZOE)).status_code == 403
    assert LogEntry.objects.count() == 0


def test_texts_that_would_not_come_back_from_the_page_are_refused(
    organiser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_import, "STATE_MAX", 10)
    assert "importez la liste en deux fois" in upload(organiser, make_event(), csv_of(HEADER, ZOE)).text


def test_three_hundred_people_ask_no_more_of_the_database_than_three(
    organiser: Client,
) -> None:
    def asked(count: int) -> int:
        event = make_event(capacity=count - 1)
        with CaptureQueriesContext(connection) as captured:
            confirm(organiser, event, upload(organiser, event, csv_of(HEADER, *people(count))), "with")
        return len([query for query in captured if "INSERT" not in query["sql"]])

    few = asked(3)
    assert asked(300) == few


def test_an_unknown_event_is_not_found(organiser: Client) -> None:
    assert organiser.get(f"{EVENTS}0/registrants/").status_code == 404
