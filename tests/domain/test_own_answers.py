"""Answers to an event's own questions: seen and corrected by who gave them, never mailed, gone when they are."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.admin.events import previews as preview_pages
from registrations.domain import corrections, erasure, retention, signup
from registrations.mailing import composer, placeholders, previews
from registrations.models import AnonymousRegistration, Broadcast, Delivery, EventQuestion, Registration
from registrations.views import reading
from tests.domain.test_custom_questions import answering, errors, form_path, given
from tests.factories import answers, make_event, make_question, make_registration
from tests.journey import Journey, without_line_breaks

pytestmark = pytest.mark.django_db


# who signs up again, or elsewhere


def test_signing_up_again_keeps_the_answers_of_who_is_on_the_list_and_takes_new_ones_after_a_withdrawal() -> None:
    event = make_event()
    own, left = make_question(event), make_question(event)

    def sign_up(**own_answers: str) -> dict[str, Any]:
        signup.register(event, language="fr", **answers(email="zoe@example.org", own_answers=own_answers))
        answered: dict[str, Any] = Registration.objects.get().own_answers
        return answered

    assert sign_up(**{own.key: "Avant", left.key: "Avant"}) == {own.key: "Avant", left.key: "Avant"}
    assert sign_up(**{own.key: "Un inconnu"}) == {own.key: "Avant", left.key: "Avant"}
    signup.withdraw(Registration.objects.get())
    assert sign_up(**{own.key: "Après"}) == {own.key: "Après"}


def test_a_wrong_address_takes_the_answers_along(journey: Journey) -> None:
    event = make_event()
    own = make_question(event)
    journey.sign_up(event, email="fausse@example.org", **given(own, "Comprendre"))
    for email in ("juste@example.org", "autre@example.org"):
        make_registration(event, email=email, status="cancelled", cancelled_at=timezone.now())
        journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": email})
        [registration] = Registration.objects.not_cancelled().of_address(email)
        assert registration.own_answers == {own.key: "Comprendre"}


# on one's own page


def test_the_answers_are_seen_and_corrected(client: Client) -> None:
    event = make_event()
    (text, one, several, yes_no), registration = answering(event)
    mine = f"/mon-inscription/{registration.manage_code}/"
    page = without_line_breaks(client.get(mine).text)
    assert "<dd><bdi>Finances</bdi><br><bdi>École</bdi></dd>" in page
    assert "<dd><bdi>Non</bdi></dd>" in page

    form = client.get(f"{mine}modifier/").context["form"]
    as_it_is = {name: value for name in form.fields if (value := form[name].value()) not in (None, "")}
    corrected = {**as_it_is, text.field_name: "", several.field_name: ["Habitat"], yes_no.field_name: "yes"}
    assert client.post(f"{mine}modifier/", corrected).status_code == 303
    registration.refresh_from_db()
    assert registration.own_answers == {one.key: "Habitat", several.key: ["Habitat"], yes_no.key: "yes"}
    assert registration.deliveries.filter(kind="updated").count() == 1
    assert client.post(f"{mine}modifier/", {**corrected}).status_code == 303
    assert registration.deliveries.filter(kind="updated").count() == 1  # nothing new, nothing told


def test_an_optional_answer_can_be_taken_back_and_a_required_one_cannot(client: Client) -> None:
    event = make_event(origins="")
    (_text, one, _several, yes_no), registration = answering(event)
    EventQuestion.objects.filter(pk=one.pk).update(required=True)
    path = f"/mon-inscription/{registration.manage_code}/modifier/"
    page = client.get(path)
    assert page.text.count("Pas de réponse") == 1
    form = page.context["form"]
    typed = {name: value for name in form.fields if (value := form[name].value()) not in (None, "")}
    client.post(path, {**typed, yes_no.field_name: ""})
    registration.refresh_from_db()
    assert yes_no.key not in registration.own_answers
    refused = client.post(path, {**typed, one.field_name: ""})
    assert list(errors(refused)) == [one.field_name]


def test_a_renamed_choice_and_a_question_no_longer_asked_keep_what_was_said(client: Client) -> None:
    event = make_event()
    (text, one, several, _yes_no), registration = answering(event)
    EventQuestion.objects.filter(pk=text.pk).update(is_asked=False)
    EventQuestion.objects.filter(pk__in=[one.pk, several.pk]).update(choices="Budget\nLogement\nÉcole")
    before = registration.own_answers
    path = f"/mon-inscription/{registration.manage_code}/modifier/"
    form = client.get(path).context["form"]
    assert [value for value, _label in form.fields[one.field_name].choices] == [
        "Budget",
        "Logement",
        "École",
        "Habitat",
        "",
    ]
    typed = {name: value for name in form.fields if (value := form[name].value()) not in (None, "")}
    client.post(path, {**typed, "organisation": "Une autre ville"})
    registration.refresh_from_db()
    assert (registration.organisation, registration.own_answers) == ("Une autre ville", before)
    assert "Comprendre" in client.get(f"/mon-inscription/{registration.manage_code}/").text

    strangers = client.get(form_path(event)).context["form"]
    assert [value for value, _label in strangers.fields[one.field_name].choices] == ["Budget", "Logement", "École"]


def test_two_corrections_at_the_same_time_do_not_undo_each_other() -> None:
    (text, one, *_others), registration = answering(make_event())
    corrections.correct_answers(Registration.objects.get(), own_answers={text.key: "Autre chose"})
    corrections.correct_answers(registration, own_answers={one.key: None})
    registration.refresh_from_db()
    assert registration.own_answers[text.key] == "Autre chose"
    assert one.key not in registration.own_answers


# never in a mail


def test_no_mail_of_any_kind_holds_a_question_or_an_answer(journey: Journey, outbox_folder: Path) -> None:
    event = make_event(report=False)
    own = make_question(event, label="Question marquée ?")
    journey.sign_up(event, **given(own, "Réponse marquée"))
    registration = Registration.objects.get()
    corrections.correct_answers(registration, own_answers={own.key: "Réponse marquée, corrigée"})
    written = Broadcast.objects.create(event=event, audience="seated", subject="Salle", body="Bonjour", created_by=1)
    composed = [
        preview_pages.composed(previews.sample_delivery(event, sample, str(registration.pk))).message
        for sample in previews.SAMPLES.values()
    ]
    owed = [
        Delivery.objects.create(registration=registration, kind=Delivery.Kind.BROADCAST, broadcast=written),
        Delivery.objects.create(recipient="a@example.org", kind=Delivery.Kind.TRIAL, broadcast=written),
        Delivery.objects.create(recipient="a@example.org", kind=Delivery.Kind.ALERT),
    ]
    composed += [reading.read(composer.compose(delivery).message().as_bytes()) for delivery in owed]
    messages = [*composed, *journey.mails()]
    assert len(messages) >= len(Delivery.Kind.values)
    for message in messages:
        parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
        assert "marquée" not in str(message["Subject"]) + "".join(map(str, parts))


def test_a_message_to_the_registrants_has_no_placeholder_for_an_answer() -> None:
    own = make_question(make_event())
    assert placeholders.unknown(f"{{{own.field_name}}}", placeholders.IN_BODY) == f"{{{own.field_name}}}"


# one's data


def test_the_download_holds_the_answers_with_what_was_asked() -> None:
    _asked, registration = answering(make_event())
    assert erasure.personal_data(registration)["registration"]["own_answers"] == [
        {"question": "Question text ?", "answer": "Comprendre"},
        {"question": "Question one ?", "answer": "Habitat"},
        {"question": "Question several ?", "answer": ["Finances", "École"]},
        {"question": "Question yes_no ?", "answer": "no"},
    ]


def test_erasure_empties_them_at_once_and_the_purge_leaves_none(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    _asked, registration = answering(make_event())
    erasure.ask_for_erasure(registration)
    registration.refresh_from_db()
    assert registration.own_answers == {}

    past = make_event(starts_in=timedelta(days=-90), retention_months=1)
    answering(past, created_at=timezone.now() - timedelta(days=100))
    assert retention.purge() == {past: 1}
    assert "Comprendre" not in str(list(AnonymousRegistration.objects.values()))
