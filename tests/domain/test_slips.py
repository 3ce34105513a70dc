"""A slip in a well-known domain is proposed before the mail leaves, wherever the address was typed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from registrations.domain import corrections, dry_runs
from registrations.models import Delivery, Event, Registration
from tests.admin_client import EVENTS, NO_PARTS, PEOPLE, event_form, logged_in, messages
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db

SLIP = "zoe@gmial.com"
QUESTION = "zoe@gmial.com contient peut-être une faute de frappe\u00a0: vouliez-vous écrire zoe@gmail.com\u00a0?"
SOON = "Le courriel part à zoe@gmial.com dans deux minutes\u00a0: d’ici là, vous pouvez corriger l’adresse."


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def waits(*kinds: str) -> bool:
    """Whether the only pending mail of these kinds leaves in two minutes, and not now."""
    mail = Delivery.objects.get(kind__in=kinds, state="pending")
    return timezone.now() < mail.send_at < timezone.now() + timedelta(minutes=2)


def in_message(words: str) -> str:
    return words.replace("\u00a0", "_")


def form_of(client: Client, registration: Registration) -> dict[str, Any]:
    page = client.get(f"{PEOPLE}{registration.pk}/change/").context
    typed = {bound.name: bound.value() or "" for bound in page["adminform"].form if bound.name != "newsletter"}
    for formset in page["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        typed |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return typed


def correct(client: Client, registration: Registration, email: str) -> Any:
    typed = {**form_of(client, registration), "email": email}
    return client.post(f"{PEOPLE}{registration.pk}/change/", typed, follow=True)


def test_a_link_to_confirm_a_new_address_left_to_a_stranger_at_once(client: Client) -> None:
    registration = make_registration()
    path = f"/mon-inscription/{registration.manage_code}/"
    page = client.post(f"{path}adresse/", {"email": SLIP}, follow=True)
    assert "vouliez-vous écrire gmail.com" in page.text
    assert "Le courriel part deux minutes après la saisie de l’adresse" in page.text
    assert waits("address_check")


def test_a_second_slip_on_the_thank_you_page_was_written_to_at_once() -> None:
    registration = make_registration(email="zoe@gmal.com")
    corrections.correct_sign_up(
        registration.event, registration.pk, email=SLIP, language="fr", **corrections.answers(registration)
    )
    assert waits("confirmation")


def test_the_desk_wrote_to_a_mistyped_address_without_asking(organiser: Client) -> None:
    event = make_event()
    box = {"event": event.pk, "status": "confirmed", "email": SLIP, "language": "fr", "newsletter": ""}
    page = organiser.post(f"{PEOPLE}add/", {**answers(), **box}, follow=True)
    assert messages(page)[:2] == [in_message(QUESTION), in_message(SOON)]
    assert waits("confirmation")

    page = correct(organiser, Registration.objects.get(), "zoe@gmail.com")
    assert "Le courriel est en route vers zoe@gmail.com." in messages(page)
    mails = Delivery.objects.filter(kind="confirmation").order_by("pk")
    assert [mail.state for mail in mails] == ["cancelled", "pending"]
    assert mails[1].send_at <= timezone.now()


def test_the_desk_corrected_an_address_into_a_mistyped_one_without_asking(organiser: Client) -> None:
    page = correct(organiser, make_registration(), SLIP)
    assert messages(page)[:2] == [in_message(QUESTION), in_message(SOON)]
    assert waits("confirmation")


def test_a_list_with_a_mistyped_address_was_imported_without_a_word(organiser: Client) -> None:
    event = make_event()
    lines = f"Nom;Prénom;Courriel;Structure;Fonction\nDurand;Zoë;{SLIP};Ville;Maire\nBen;Ali;ali@gmail.com;CAF;Maire\n"
    file = SimpleUploadedFile("liste.csv", lines.encode())
    page = organiser.post(f"{EVENTS}{event.pk}/registrants/", {"people": file})
    assert "1 adresse contient peut-être une faute de frappe" in page.text
    assert f"Ligne 2\u00a0: {QUESTION}" in page.text
    assert page.text.count("vouliez-vous écrire") == 1


def test_a_mistyped_contact_is_pointed_out(organiser: Client) -> None:
    event = make_event(report=False)
    path = f"{EVENTS}{event.pk}/change/"
    page = organiser.post(path, {**event_form(organiser, path), **NO_PARTS, "contact_email": SLIP}, follow=True)
    assert in_message(QUESTION) in messages(page)


def test_a_trial_to_a_mistyped_address_waits_too() -> None:
    dry_runs.start(Event.objects.get(pk=make_event().pk), language="fr", **answers(email=SLIP))
    assert waits("confirmation")
