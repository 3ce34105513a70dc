"""The pages of the manage link, on which registrants manage their registration."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.domain import erasure
from registrations.models import Delivery, Event, Registration, Suppression
from registrations.security import rate_limits
from tests import mailbox
from tests.factories import make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db

PAGES = ["", "modifier/", "adresse/", "annuler/", "supprimer/", "pas-moi/", "mes-donnees.json"]
ACTS = ["", "modifier/", "adresse/", "renvoyer/", "annuler/", "revenir/", "supprimer/", "pas-moi/"]


def mine(registration: Registration, page: str = "") -> str:
    return f"/mon-inscription/{registration.manage_code}/{page}"


def kinds(registration: Registration) -> list[str]:
    """Kinds of the pending mails, in the order of sending."""
    send_at = registration.deliveries.filter(send_at__lte=timezone.now(), state="pending")
    return list(send_at.order_by("pk").values_list("kind", flat=True))


def typed(registration: Registration, **changes: Any) -> dict[str, Any]:
    names = ["first_name", "last_name", "organisation", "job_title", "territory", "heard_from", "question"]
    return {**{name: getattr(registration, name) for name in names}, **changes}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("status", ["confirmed", "waitlisted", "cancelled"])
def test_get_changes_nothing(client: Client, page: str, method: str, status: str) -> None:
    registration = make_registration(status=status, link_was_used=True)
    before = Registration.objects.values().get()
    answer = getattr(client, method)(mine(registration, page))
    assert answer.status_code in {200, 303, 405}
    assert Registration.objects.values().get() == before
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("page", ACTS)
def test_every_post_needs_the_csrf_token(page: str) -> None:
    registration = make_registration()
    answer = Client(enforce_csrf_checks=True).post(mine(registration, page))
    assert answer.status_code == 403
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("page", PAGES)
def test_unknown_revoked_and_expired_codes_get_the_same_page(client: Client, page: str) -> None:
    revoked = make_registration()
    old = revoked.manage_code
    revoked.renew_codes()
    revoked.save()
    expired = make_registration(
        make_event(starts_in=timedelta(days=-90), retention_months=1), created_at=timezone.now() - timedelta(days=60)
    )
    cancelled = make_registration(
        make_event(starts_in=timedelta(days=-200)),
        status="cancelled",
        cancelled_at=timezone.now() - timedelta(days=120),
    )
    draft = make_registration(make_event(status="draft"))
    codes = ["A" * 22, old, expired.manage_code, cancelled.manage_code, draft.manage_code]
    pages = [client.get(f"/mon-inscription/{code}/{page}") for code in codes]
    assert {answer.status_code for answer in pages} == {404}
    assert len({answer.text.split("<footer")[0] for answer in pages}) == 1


def test_answers_are_corrected_and_a_mail_confirms_it(client: Client, journey: Journey) -> None:
    registration = make_registration(organisation="Avant", newsletter=True)
    form = client.get(mine(registration, "modifier/"))
    assert 'value="Avant"' in form.text
    assert "Adresse électronique" not in form.text

    page = client.post(mine(registration, "modifier/"), typed(registration, organisation="Après"), follow=True)
    assert page.redirect_chain == [(mine(registration), 303)]
    assert "Vos corrections sont enregistrées. Un courriel le confirme." in page.text
    registration.refresh_from_db()
    assert (registration.organisation, registration.newsletter) == ("Après", False)
    [mail] = journey.mails()
    assert mail["Subject"].startswith("Vos corrections sont enregistrées")
    assert "Après" not in mailbox.text(mail)
    assert "sont enregistrées" not in client.get(mine(registration)).text


def test_a_wrong_correction_is_explained_and_shown_again(client: Client) -> None:
    registration = make_registration()
    page = client.post(mine(registration, "modifier/"), typed(registration, first_name="", question="x" * 1001))
    assert "2 réponses sont à corriger avant l’envoi" in page.text
    assert "Erreur\u00a0: " in page.text.split("</title>")[0]
    assert "x" * 1001 in page.text
    assert not Delivery.objects.exists()


def test_a_correction_without_changes_sends_no_mail(client: Client) -> None:
    registration = make_registration()
    page = client.post(mine(registration, "modifier/"), typed(registration), follow=True)
    assert "modifications sont enregistrées" not in page.text
    assert not Delivery.objects.exists()


def test_a_new_address_is_confirmed_by_mail_and_the_old_one_is_notified(client: Client, journey: Journey) -> None:
    registration = make_registration(email="ancienne@example.org")
    page = client.post(mine(registration, "adresse/"), {"email": "neuve@example.org"}, follow=True)
    assert "Un courriel est en route vers neuve@example.org" in page.text
    assert "pas encore confirmée\u00a0: neuve@example.org" in page.text
    [check] = journey.mails()
    assert check["To"] == "neuve@example.org"
    assert registration.manage_code not in check.as_string()
    link = next(link for link in mailbox.links(mailbox.text(check)) if "/nouvelle-adresse/" in link)
    path = link.removeprefix("https://webinaires.example.org")

    assert "Oui, confirmer mon adresse" in Client().get(path).text
    registration.refresh_from_db()
    assert registration.email == "ancienne@example.org"

    confirmed = Client().post(path, follow=True)
    assert "Votre adresse est changée." in confirmed.text
    registration.refresh_from_db()
    assert (registration.email, registration.new_email) == ("neuve@example.org", "")
    assert [mail["To"] for mail in journey.mails()[1:]] == ["ancienne@example.org", "neuve@example.org"]
    assert "n…@example.org" in mailbox.text(journey.mails()[1])
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("outcome", [{"state": "failed"}, {"state": "sent", "provider_status": "bounced"}])
def test_a_new_address_that_the_server_refused_is_shown_as_refused_and_not_as_waiting(
    client: Client, outcome: dict[str, str]
) -> None:
    registration = make_registration(email="ancienne@example.org")
    client.post(mine(registration, "adresse/"), {"email": "neuve@exmaple.org"})
    Delivery.objects.filter(kind="address_check").update(sent_to="neuve@exmaple.org", **outcome)
    page = client.get(mine(registration)).text
    assert "Nouvelle adresse refusée, aucun courriel ne lui parvient\u00a0: neuve@exmaple.org." in page
    assert "pas encore confirmée" not in page
    client.post(mine(registration, "adresse/"), {"email": "neuve@example.org"})
    assert "pas encore confirmée\u00a0: neuve@example.org" in client.get(mine(registration)).text


def test_the_owner_of_a_new_address_may_refuse_it(client: Client) -> None:
    registration = make_registration(new_email="autre@example.org", new_email_code="c" * 22)
    page = client.post(f"/nouvelle-adresse/{'c' * 22}/", {"refuse": "1"})
    assert "C’est fait" in page.text
    registration.refresh_from_db()
    assert registration.new_email == ""
    assert Suppression.objects.of_address("autre@example.org").exists()


@pytest.mark.parametrize("moment", ["asked", "confirmed"])
def test_an_address_that_has_its_own_registration_is_not_taken_over(
    client: Client, journey: Journey, moment: str
) -> None:
    registration = make_registration(email="zoe@example.org")
    if moment == "asked":
        make_registration(registration.event, email="prise@example.org")
        page = client.post(mine(registration, "adresse/"), {"email": "PRISE@example.org"}, follow=True)
        assert "Un courriel est en route vers PRISE@example.org" in page.text
        assert [mail["Subject"].partition("\u00a0")[0] for mail in journey.mails()] == ["Confirmez votre adresse"]
    else:
        client.post(mine(registration, "adresse/"), {"email": "prise@example.org"})
        make_registration(registration.event, email="prise@example.org")
        registration.refresh_from_db()
        page = client.post(f"/nouvelle-adresse/{registration.new_email_code}/")
        assert "a déjà sa propre inscription" in page.text
    registration.refresh_from_db()
    assert registration.email == "zoe@example.org"


def test_the_mail_is_sent_again(client: Client) -> None:
    registration = make_registration()
    page = client.post(mine(registration, "renvoyer/"), follow=True)
    assert f"Le courriel est en route vers {registration.email}." in page.text
    assert kinds(registration) == ["confirmation"]


def test_withdrawing_needs_a_confirmation_and_can_be_undone(client: Client, journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    registration = Registration.objects.get()
    journey.mails()
    assert "Annuler votre inscription\u00a0?" in client.get(mine(registration, "annuler/")).text

    page = client.post(mine(registration, "annuler/"), follow=True)
    assert "Votre inscription est annulée" in page.text
    assert "Me réinscrire" in page.text
    assert client.get(f"/rejoindre/{registration.join_code}/").status_code == 404
    cancelled = journey.mails()[-1]
    assert b"METHOD:CANCEL" in mailbox.part(cancelled, "application/ics")
    assert "SEQUENCE:1" in mailbox.calendar_lines(mailbox.part(cancelled, "application/ics"))

    page = client.post(mine(registration, "revenir/"), follow=True)
    assert "Votre inscription est reprise." in page.text
    assert client.get(f"/rejoindre/{registration.join_code}/").status_code == 200
    back = journey.mails()[-1]
    assert "SEQUENCE:2" in mailbox.calendar_lines(mailbox.part(back, "application/ics"))
    assert "inscription est reprise" in mailbox.text(back)
    states = list(
        registration.deliveries.filter(kind="reminder_day").order_by("revision").values_list("state", flat=True)
    )
    assert states == ["cancelled", "pending"]


SEAT_GOES = "Votre place ira à la première personne de la liste d’attente."
IN_LINE = "si toutes les places sont alors prises, vous serez en liste d’attente."
WHILE_FREE = "Vous ne pourrez revenir que s’il reste une place."
WHILE_OPEN = "Vous pourrez revenir tant que les inscriptions sont ouvertes."
CLOSED = "Les inscriptions sont closes\u00a0: vous ne pourrez pas revenir."


@pytest.mark.parametrize(
    ("fields", "someone_waits", "told"),
    [
        ({}, False, [WHILE_OPEN]),
        ({"capacity": 1}, True, [SEAT_GOES, IN_LINE]),
        ({"capacity": 1}, False, [IN_LINE]),
        ({"capacity": 2}, False, [IN_LINE]),
        ({"capacity": 1, "waiting_list": False}, False, [WHILE_FREE]),
        ({"capacity": 2, "waiting_list": False}, False, [WHILE_FREE]),
        ({"capacity": 1, "starts_in": timedelta(minutes=-5)}, True, [WHILE_FREE]),
        ({"registration_closes_at": datetime(2026, 1, 1, tzinfo=UTC)}, False, [CLOSED]),
    ],
)
def test_who_gives_a_seat_back_is_told_to_whom_it_goes_and_whether_they_can_come_back(
    client: Client, fields: dict[str, Any], someone_waits: bool, told: list[str]
) -> None:
    registration = make_registration(make_event(**fields))
    if someone_waits:
        make_registration(registration.event, status="waitlisted")
    page = client.get(mine(registration, "annuler/")).text
    assert [words for words in [SEAT_GOES, IN_LINE, WHILE_FREE, WHILE_OPEN, CLOSED] if words in page] == told


def test_a_second_click_on_withdraw_sends_one_mail(client: Client) -> None:
    registration = make_registration()
    for _ in range(2):
        client.post(mine(registration, "annuler/"))
    registration.refresh_from_db()
    assert kinds(registration) == ["withdrawn"]
    assert registration.sequence == 1


def test_coming_back_to_a_closed_event_is_refused_with_an_explanation(client: Client) -> None:
    event = make_event(registration_closes_at=timezone.now() - timedelta(hours=1))
    registration = make_registration(event, status="cancelled", cancelled_at=timezone.now())
    assert "Me réinscrire" not in client.get(mine(registration)).text
    page = client.post(mine(registration, "revenir/"), follow=True)
    assert "Les inscriptions sont closes" in page.text
    registration.refresh_from_db()
    assert registration.is_cancelled


def test_my_data_can_be_downloaded(client: Client) -> None:
    registration = make_registration(question="Et après ?")
    answer = client.get(mine(registration, "mes-donnees.json"))
    assert answer["Content-Disposition"] == 'attachment; filename="mes-donnees.json"'
    assert answer["Cache-Control"] == "no-store, private"
    told = json.loads(answer.content)
    assert told["registration"]["email"] == registration.email
    assert told["registration"]["question"] == "Et après ?"
    assert registration.manage_code not in answer.text


def test_data_is_deleted_once_the_mail_that_confirms_it_is_sent(client: Client, journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="zoe@example.org")
    registration = Registration.objects.get()
    journey.mails()
    page = client.post(mine(registration, "supprimer/"), follow=True)
    assert "Vos données sont en cours d’effacement" in page.text
    assert "zoe@example.org" not in page.text
    assert Registration.objects.get().organisation == ""
    assert client.get(mine(registration, "modifier/"))["Location"] == mine(registration)
    assert erasure.erase_due() == 0

    last = journey.mails()[-1]
    assert "tout ce que vous nous aviez dit est effacé" in mailbox.text(last)
    assert b"METHOD:CANCEL" in mailbox.part(last, "application/ics")
    assert erasure.erase_due() == 1
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()
    assert client.get(mine(registration)).status_code == 404


def test_it_is_not_me_erases_at_once_and_suppresses_the_address(client: Client, journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event, email="victime@example.org")
    registration = Registration.objects.get()
    assert len(journey.mails()) == 1

    page = client.post(mine(registration, "pas-moi/"))
    assert "C’est fait" in page.text
    assert not Registration.objects.exists()
    thanks = journey.sign_up(event, email="Victime+1@example.org")
    assert "Votre inscription est enregistrée" in thanks.text
    assert len(journey.mails()) == 1
    [stopped] = Delivery.objects.filter(kind="confirmation")
    assert (stopped.state, "ne plus rien recevoir" in stopped.error) == ("cancelled", True)


def test_a_waiting_person_sees_their_place_and_can_leave(client: Client) -> None:
    event = make_event(capacity=1)
    make_registration(event)
    first, second = (make_registration(event, status="waitlisted") for _ in range(2))
    assert "Place 1 sur la liste d’attente" in client.get(mine(first)).text
    page = client.get(mine(second))
    assert "Place 2 sur la liste d’attente" in page.text
    assert second.join_code not in page.text
    assert client.get(f"/rejoindre/{second.join_code}/").status_code == 404
    for tail in ("rapport.pdf", "invitation.ics"):
        assert client.get(f"/rejoindre/{second.join_code}/{tail}").status_code == 404

    assert "Quitter la liste d’attente\u00a0?" in client.get(mine(first, "annuler/")).text
    client.post(mine(first, "annuler/"))
    assert "Place 1 sur la liste d’attente" in client.get(mine(second)).text


@pytest.mark.parametrize("page", ["", "adresse/", "modifier/"])
def test_sharing_uses_the_public_page_and_never_a_personal_link(client: Client, page: str) -> None:
    registration = make_registration()
    text = client.get(f"/rejoindre/{registration.join_code}/").text + client.get(mine(registration)).text
    shared = [link for link in mailbox.links(text) if "evenements" in link]
    assert set(shared) == {f"https://webinaires.example.org/evenements/{registration.event.slug}/"}
    mailto = next(part for part in text.split('"') if part.startswith("mailto:?subject="))
    assert registration.join_code not in mailto
    assert registration.manage_code not in mailto


def test_personal_pages_of_a_draft_event_are_not_found(client: Client) -> None:
    registration = make_registration()
    Event.objects.update(status="draft")
    assert client.get(mine(registration)).status_code == 404


def test_the_current_address_is_not_accepted_as_a_new_one(client: Client) -> None:
    registration = make_registration(email="zoe@example.org")
    page = client.post(mine(registration, "adresse/"), {"email": "ZOE@example.org"})
    assert page.text.count("Vos courriels partent déjà vers cette adresse.") == 2
    assert not Delivery.objects.exists()


def test_a_correction_above_the_rate_limit_is_shown_again_with_its_answers(client: Client) -> None:
    registration = make_registration()
    for _ in range(rate_limits.FORMS_FROM_ORIGIN.limit):
        rate_limits.take((rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1"))
    page = client.post(mine(registration, "modifier/"), typed(registration, question="Une longue question"))
    assert page.status_code == 429
    assert "Une longue question" in page.text
