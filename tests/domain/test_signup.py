"""The form: what is refused and how it is said, what robots meet, and what is written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from registrations.domain import signup
from registrations.models import Delivery, Event, Registration
from registrations.web.forms import STAMP_SALT
from tests.factories import answers, make_event, make_past_event, make_registration
from tests.journey import Journey, shown_stamp, without_token
from tests.threads import together

pytestmark = pytest.mark.django_db


def errors(page: Any) -> dict[str, list[str]]:
    return {name: list(map(str, messages)) for name, messages in page.context["form"].errors.items()}


def test_every_empty_required_answer_is_named_beside_its_field_and_in_the_summary(journey: Journey) -> None:
    empty: dict[str, Any] = dict.fromkeys(["first_name", "last_name", "email", "organisation", "job_title"], " ")
    page = journey.sign_up(make_event(), **empty)

    assert errors(page) == {
        "first_name": ["Saisissez votre prénom."],
        "last_name": ["Saisissez votre nom."],
        "email": ["Saisissez votre adresse électronique."],
        "organisation": ["Saisissez le nom de votre structure."],
        "job_title": ["Saisissez votre fonction."],
    }
    assert page.text.count("Saisissez votre prénom.") == 2
    assert '<a href="#id_first_name">Saisissez votre prénom.</a>' in page.text
    assert "5 réponses sont à corriger avant l’envoi" in page.text
    assert page.text.count("<title>\n      Erreur\u00a0: ") == 1 or "Erreur\u00a0: " in page.text.split("</title>")[0]
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("typed", "name", "message"),
    [
        ({"email": "zoe"}, "email", "Saisissez une adresse électronique complète, par exemple prenom.nom@exemple.fr."),
        ({"email": '"a,b"@example.org'}, "email", "Saisissez une adresse électronique complète"),
        ({"email": "zoé@example.org"}, "email", "Saisissez une adresse électronique complète"),
        ({"email": "zoe@example.org\nBcc: x@example.org"}, "email", "Saisissez une adresse électronique complète"),
        ({"email": f"{'a' * 250}@example.org"}, "email", "Saisissez une adresse électronique complète"),
        (
            {"first_name": "é" * 101},
            "first_name",
            "ne doit pas dépasser 100 caractères\u00a0; vous en avez saisi 101.",
        ),
        (
            {"question": "x" * 1001},
            "question",
            "ne doit pas dépasser 1\u00a0000 caractères\u00a0; vous en avez saisi 1\u00a0001.",
        ),
        (
            {"first_name": "Gagnez sur http://tk.example"},
            "first_name",
            "Un nom ne peut pas contenir d’adresse de site",
        ),
        ({"last_name": "asuspeci.tk"}, "last_name", "Un nom ne peut pas contenir d’adresse de site"),
        ({"last_name": "<b>"}, "last_name", "Un nom ne peut pas contenir d’adresse de site"),
        ({"first_name": "Zo\x07ë"}, "first_name", "Retirez les caractères de contrôle de cette réponse."),
        ({"first_name": "\u200b\ufeff"}, "first_name", "Saisissez votre prénom."),
        ({"last_name": "Jean;Marc"}, "last_name", "ni d’autre signe que l’apostrophe, le trait d’union"),
        ({"first_name": "Z" + "\u0301" * 20}, "first_name", "Un nom ne peut pas contenir d’adresse de site"),
        ({"territory": "Atlantide"}, "territory", "Choisissez un département dans la liste."),
        ({"heard_from": "Par hasard"}, "heard_from", "Choisissez une réponse dans la liste."),
    ],
)
def test_a_wrong_answer_is_explained_and_kept(
    journey: Journey, typed: dict[str, Any], name: str, message: str
) -> None:
    page = journey.sign_up(make_event(), **typed)
    assert list(errors(page)) == [name]
    assert message in errors(page)[name][0]
    assert page.context["form"].data[name] == typed[name]
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    "name",
    ["Zoë", "D'Arcy-Ó Súilleabháin", "J. R.", "M.Dupont", "A a/l", "Nguyễn Thị", "محمد", "李", "O’Neil 👩‍🏫"],
)
def test_names_of_the_whole_world_pass(journey: Journey, name: str) -> None:
    journey.sign_up(make_event(), first_name=name)
    assert Registration.objects.get().first_name == name


def test_what_a_paste_brings_unseen_is_dropped(journey: Journey) -> None:
    journey.sign_up(make_event(), first_name="\ufeffZo\u202eë\u00ad", question="a\r\n" * 400)
    registration = Registration.objects.get()
    assert registration.first_name == "Zoë"
    assert len(registration.question) == 799


def test_an_international_domain_is_kept_as_mail_can_carry_it(journey: Journey) -> None:
    journey.sign_up(make_event(), email="Zoe.Dupont@Élan.FR")
    assert Registration.objects.get().email == "Zoe.Dupont@xn--lan-9la.fr"


def test_a_form_sent_faster_than_a_person_types_is_sent_again_with_its_answers(
    journey: Journey, settings: Settings
) -> None:
    settings.FORM_MIN_SECONDS = 60
    page = journey.sign_up(make_event(), first_name="Zoë")
    assert "Ce formulaire est parti plus vite qu’on ne peut le lire." in page.text
    assert 'value="Zoë"' in page.text
    assert not Registration.objects.exists()


def test_a_closed_event_takes_nobody_whatever_the_page_said() -> None:
    for event in (make_event(status="cancelled"), make_past_event(), make_event(status="draft")):
        with pytest.raises(signup.SignUpClosed):
            signup.register(event, language="fr", **answers())
    assert not Registration.objects.exists()


@pytest.mark.parametrize("stamp", ["", "forged", signing.dumps("0", salt="another")], ids=["no", "forged", "another"])
def test_a_form_without_its_stamp_is_shown_again_with_a_fresh_one(client: Client, stamp: str) -> None:
    event = make_event()
    path = f"/evenements/{event.slug}/inscription/"
    page = client.post(path, {**answers(), "stamp": stamp})
    assert "Cette page était ouverte depuis longtemps." in page.text
    assert not Registration.objects.exists()

    fresh = page.context["form"].data["stamp"]
    assert signing.loads(fresh, salt=STAMP_SALT)
    client.post(path, {**answers(), "stamp": fresh})
    assert Registration.objects.count() == 1


def test_a_browser_that_filled_the_trap_passes_at_the_second_try(journey: Journey) -> None:
    event = make_event()
    page = journey.sign_up(event, site_web="https://robot.example")
    assert "Votre navigateur avait rempli un champ caché" in page.text
    assert "Trop d’envois" not in page.text
    assert 'value="https://robot.example"' not in page.text
    assert not Registration.objects.exists()


def test_a_sign_up_writes_registration_mail_and_wake_up_and_no_more(
    journey: Journey, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    event = make_event()
    journey.client.get(f"/evenements/{event.slug}/inscription/")
    path = f"/evenements/{event.slug}/inscription/"
    stamp = shown_stamp(journey.client, path)
    typed = answers(territory="Yvelines (78)", heard_from="Autrement", question="Oui ?\r\nNon ?", newsletter="on")

    with django_assert_max_num_queries(18):  # twelve, and three savepoints opened and closed
        journey.client.post(path, {**typed, "stamp": stamp})

    registration = Registration.objects.get()
    assert {name: getattr(registration, name) for name in typed} == {
        **typed,
        "newsletter": True,
        "question": "Oui ?\nNon ?",
    }
    assert len(registration.join_code) == len(registration.manage_code) == 22
    delivery = Delivery.objects.get(send_at__lte=timezone.now())
    assert (delivery.registration, delivery.kind, delivery.reason) == (registration, "confirmation", "new")
    assert (delivery.state, delivery.revision, delivery.attempts) == ("pending", 0, 0)
    assert delivery.message_id.endswith("@webinaires.example.org>")
    assert DBTaskResult.objects.ready().count() == 1


def test_nothing_is_written_when_the_mail_cannot_be_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event()

    def broken(self: object) -> None:
        raise RuntimeError("the queue is broken")

    monkeypatch.setattr("django_tasks_db.backend.DatabaseBackend.enqueue", lambda *args: broken(args))
    with pytest.raises(RuntimeError), transaction.atomic():
        signup.register(event, language="fr", **answers())
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()


def test_someone_who_cancelled_comes_back_in_the_same_row_with_new_answers() -> None:
    registration = make_registration(status="cancelled", organisation="Avant")
    uid = registration.uid
    signup.register(registration.event, language="en", **answers(email=registration.email, organisation="Après"))
    registration.refresh_from_db()
    assert (registration.status, registration.organisation, registration.language) == ("confirmed", "Après", "en")
    assert (registration.uid, registration.sequence, registration.cancelled_at) == (uid, 1, None)
    assert Delivery.objects.get(kind="confirmation").reason == "returned"


def test_one_address_may_sign_up_for_two_events() -> None:
    for event in (make_event(), make_event()):
        signup.register(event, language="fr", **answers(email="zoe@example.org"))
    assert Registration.objects.count() == 2


def test_the_thank_you_page_is_the_same_for_a_known_and_an_unknown_address(journey: Journey) -> None:
    event = make_event()
    make_registration(event, email="known@example.org", first_name="Anne", organisation="Secrète")
    known = journey.sign_up(event, email="known@example.org", first_name="Zoë")
    unknown = journey.sign_up(event, email="other@example.org", first_name="Zoë")
    assert without_token(known.text).replace("known@", "other@") == without_token(unknown.text)
    assert "Anne" not in known.text
    assert known["Cache-Control"] == "no-store, private"


def test_the_thank_you_page_without_a_sign_up_in_this_browser_shows_nobody(client: Client) -> None:
    event = make_event()
    page = client.get(f"/evenements/{event.slug}/merci/")
    assert page.status_code == 200
    assert "utilisez le lien reçu par courriel" in page.text


def test_a_date_that_passed_while_the_form_was_open_keeps_the_typed_question(journey: Journey) -> None:
    event = make_event()
    path = f"/evenements/{event.slug}/inscription/"
    journey.client.get(path)
    Event.objects.filter(pk=event.pk).update(registration_closes_at=event.starts_at - timedelta(days=30))
    page = journey.client.post(path, answers(question="Et les <délais> ?"))
    assert "Les inscriptions sont closes" in page.text
    assert "Et les &lt;délais&gt; ?" in page.text
    assert not Registration.objects.exists()


def test_an_event_without_choices_asks_fewer_questions(client: Client) -> None:
    event = make_event(territories="", origins="", newsletter_label="")
    form = client.get(f"/evenements/{event.slug}/inscription/").context["form"]
    assert list(form.fields) == [
        *["first_name", "last_name", "email", "organisation", "job_title", "question", "site_web", "stamp"]
    ]


def test_a_sign_up_in_english_is_answered_in_english(journey: Journey) -> None:
    page = journey.sign_up(make_event(), language="/en")
    assert "Your registration is recorded" in page.text
    assert Registration.objects.get().language == "en"


@pytest.mark.django_db(transaction=True)
def test_twelve_simultaneous_posts_of_one_address_make_one_registration(settings: Settings) -> None:
    settings.RATE_LIMITS = False
    event = make_event()
    typed = answers(email="zoe@example.org")

    def post() -> None:
        signup.register(event, language="fr", **typed)

    assert together([post] * 12) == []
    assert Registration.objects.count() == 1
    confirmations = Delivery.objects.filter(kind="confirmation")
    assert sorted(confirmations.values_list("revision", flat=True)) == list(range(12))
    assert Delivery.objects.filter(reason="new").count() == 1
