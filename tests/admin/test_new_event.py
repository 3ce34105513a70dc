"""A new event: title and date make a draft, and the rest is asked before it is published."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.models import Event
from tests.admin_client import EVENTS, NO_PARTS, event_form
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db

ADD = f"{EVENTS}add/"


def typed(organiser: Client, **changes: Any) -> dict[str, Any]:
    """What the empty form holds, and what is typed into it."""
    form = organiser.get(ADD).context["adminform"].form
    data: dict[str, Any] = {**NO_PARTS, "description": ""}
    for bound in form:
        value = bound.value()
        if isinstance(value, list):
            data |= {f"{bound.name}_{index}": part for index, part in enumerate(value) if part is not None}
        elif value not in (None, False):
            data[bound.name] = value
    return {**data, **changes}


def test_title_and_date_alone_make_a_draft(organiser: Client) -> None:
    answer = organiser.post(ADD, typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04"))
    assert answer.status_code == 302
    event = Event.objects.get()
    assert (event.status, event.short_title, event.slug) == ("draft", "Habiter mieux", "habiter-mieux-2027")
    assert event.starts_at == datetime(2027, 3, 4, 13, tzinfo=UTC)
    assert event.ends_at == datetime(2027, 3, 4, 14, 30, tzinfo=UTC)
    assert event.organiser_name == "Le Pôle ressources"


def test_organiser_and_contact_are_those_of_the_last_event(organiser: Client) -> None:
    last = make_event(organiser_name="Ville de Poissy", contact_name="Zoë", contact_email="zoe@example.org")
    initial = organiser.get(ADD).context["adminform"].form.initial
    taken_over = ("organiser_name", "contact_name", "contact_email")
    assert [initial[name] for name in taken_over] == [getattr(last, name) for name in taken_over]


def test_a_long_title_has_a_short_one_and_an_address_of_its_own(organiser: Client) -> None:
    for _ in range(2):
        organiser.post(ADD, typed(organiser, title="Habiter mieux " * 12, starts_at_0="2027-03-04"))
    one, two = Event.objects.order_by("pk")
    assert len(one.short_title) <= 80
    assert one.short_title.endswith("…")
    assert two.slug == f"{one.slug}-2"


def test_a_contact_is_asked_before_publishing_and_not_before_saving(organiser: Client) -> None:
    organiser.post(ADD, typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04"))
    path = f"{EVENTS}{Event.objects.get().pk}/change/"
    page = organiser.post(path, {**event_form(organiser, path), "status": "published"})
    assert [(mistake.id, mistake.error) for mistake in page.context["mistakes"]] == [
        ("id_contact_name", "Nécessaire avant de publier."),
        ("id_contact_email", "Nécessaire avant de publier."),
    ]
    assert Event.objects.get().status == "draft"


def test_hours_are_taken_as_people_write_them_and_said_back(organiser: Client) -> None:
    sent = typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04", starts_at_1="14h30", ends_at_1="1600")
    organiser.post(ADD, sent)
    event = Event.objects.get()
    assert (timezone.localtime(event.starts_at).hour, timezone.localtime(event.ends_at).hour) == (14, 16)
    page = organiser.get(f"{EVENTS}{event.pk}/change/").text
    assert 'value="14\u00a0h\u00a030"' in page
    assert 'value="16\u00a0h"' in page


def test_an_end_before_the_start_is_said_beside_the_end_and_nothing_typed_is_lost(organiser: Client) -> None:
    sent = typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04", starts_at_1="14h", ends_at_1="13h30")
    page = organiser.post(ADD, {**sent, "description": "Des mots."})
    assert page.context["adminform"].form.errors == {"ends_at": ["La fin doit venir après le début."]}
    assert 'value="13h30"' in page.text
    assert "Des mots." in page.text
    assert not Event.objects.exists()


def test_a_webinar_of_two_days_has_its_last_day_beside_its_end(organiser: Client) -> None:
    sent = typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04", ends_at_0="2027-03-05", ends_at_1="12h")
    organiser.post(ADD, sent)
    event = Event.objects.get()
    assert event.ends_at == datetime(2027, 3, 5, 11, tzinfo=UTC)
    assert 'value="2027-03-05"' in organiser.get(f"{EVENTS}{event.pk}/change/").text


def test_a_wrong_answer_inside_a_fold_opens_it(organiser: Client) -> None:
    page = organiser.post(ADD, typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04", capacity="beaucoup"))
    assert [str(part.title) for part in page.context["folds"] if part.is_open] == ["Inscriptions"]


def test_each_fold_says_what_is_set_in_it(organiser: Client) -> None:
    event = make_event(capacity=80, waiting_list=True)
    folds = organiser.get(f"{EVENTS}{event.pk}/change/").context["folds"]
    said = {str(part.title): part.summary for part in folds}
    assert said["Inscriptions"] == "Ouvertes jusqu’à la fin de la séance ; 80 places ; liste d’attente"
    assert said["La salle"] == "Ouvre 15 min avant, ferme 60 min après ; pas d’indications de connexion"


def test_saving_and_looking_leads_to_the_page_as_it_will_be(organiser: Client) -> None:
    sent = typed(organiser, title="Habiter mieux", starts_at_0="2027-03-04", _view="")
    page = organiser.post(ADD, sent, follow=True)
    assert page.redirect_chain[-1][0] == f"{EVENTS}{Event.objects.get().pk}/preview/"
    assert "Habiter mieux" in page.text


def test_the_text_is_shown_as_people_will_read_it_and_nothing_is_saved(organiser: Client) -> None:
    page = organiser.post(f"{EVENTS}text/", {"description": "Une ligne\nhttps://example.org/dossier.pdf"})
    assert '<p>Une ligne<br>\n<a href="https://example.org/dossier.pdf"' in page.text
    assert not Event.objects.exists()


def test_the_form_that_is_only_looked_at_has_no_button_to_save(organiser: Client) -> None:
    event = make_event(starts_in=timedelta(days=3))
    make_registration(event)
    page = organiser.get(f"{EVENTS}{event.pk}/change/").text
    assert page.index("save-bar") < page.index("Enregistrer et voir")
    assert "deletelink" not in page
