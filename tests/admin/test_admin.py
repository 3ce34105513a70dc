"""The admin: every page opens, the state of each mail is shown, and a confirmation can be sent again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registrations.admin.mails.deliveries import mail_state
from registrations.mailing import outbox
from registrations.models import Delivery, Event, Registration, WorkerPresence
from tests.admin_client import NO_PARTS
from tests.factories import ROOM, answers, make_event, make_registration

pytestmark = pytest.mark.django_db

LIST = "/admin/registrations/registration/"
INLINES = {f"{name}-{count}_FORMS": 0 for name in ("attendances", "deliveries") for count in ("TOTAL", "INITIAL")}


@pytest.fixture
def organiser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("organisatrice"))
    return client


def enqueue(registration: Registration, **fields: Any) -> Delivery:
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return delivery


@pytest.mark.parametrize("model", ["event", "delivery"])
def test_every_list_and_form_opens_in_french(organiser: Client, model: str) -> None:
    delivery = enqueue(make_registration())
    registration = delivery.registration
    assert registration is not None
    row = {"event": registration.event, "delivery": delivery}[model]
    titles = {"event": "Webinaire", "delivery": "Courriel"}
    listed = organiser.get(reverse(f"admin:registrations_{model}_changelist"))
    opened = organiser.get(reverse(f"admin:registrations_{model}_change", args=[row.pk]))
    of_row = registration.event.title if model == "event" else titles[model]
    for page, title in ((listed, titles[model]), (opened, of_row)):
        assert page.status_code == 200
        assert any(f"<{level}>{title}" in page.text for level in ("h1", "h2"))
        assert "gestion des webinaires" in page.text


def test_adding_pages_open_except_for_mails_which_are_never_made_by_hand(organiser: Client) -> None:
    answers = {
        model: organiser.get(f"/admin/registrations/{model}/add/").status_code
        for model in ("event", "registration", "delivery")
    }
    assert answers == {"event": 200, "registration": 200, "delivery": 403}


def test_the_list_of_people_tells_the_state_of_each_mail_in_a_word(organiser: Client) -> None:
    now = timezone.now()
    sent = {"state": "sent", "sent_at": now}
    retried = {"attempts": 2, "send_at": now + timedelta(minutes=5), "error": "450 4.2.2 boîte pleine"}
    failed = {"state": "failed", "error": "550 5.1.1 adresse inconnue"}
    for fields in (sent, retried, failed, {}):
        enqueue(make_registration(), **fields)
    shown = organiser.get(LIST).context["cl"].result_list
    badges = [(row.mail.look, str(row.mail.words)) for row in sorted(shown, key=lambda row: row.pk)]
    states = [("quiet", "Remis au serveur"), ("notice", "Nouvel essai"), ("error", "Non remis"), ("quiet", "En route")]
    assert badges == states


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "sent", "sent_at": datetime(2026, 3, 2, 11, 3, tzinfo=UTC)}, "Remis au serveur d’envoi à 12_h_03"),
        (
            {"state": "sent", "sent_at": datetime(2026, 3, 1, 11, 3, tzinfo=UTC)},
            "Remis au serveur d’envoi le 01/03/2026 à 12_h_03",
        ),
        (
            {"attempts": 1, "send_at": datetime(2026, 3, 2, 11, 10, tzinfo=UTC), "error": "boîte pleine (450 4.2.2)"},
            "Nouvel essai à 12_h_10_: boîte pleine (450 4.2.2)",
        ),
        ({"state": "failed", "error": "adresse inconnue (550 5.1.1)"}, "En échec_: adresse inconnue (550 5.1.1)"),
        ({"kind": "reminder_hour", "send_at": datetime(2026, 3, 2, 12, 0, tzinfo=UTC)}, "Partira à 13_h_00"),
        ({"send_at": datetime(2026, 3, 2, 12, 0, tzinfo=UTC)}, "Retenu par une limite, part à 13_h_00"),
        ({"state": "sending"}, "En cours d’envoi"),
    ],
)
def test_the_state_of_a_mail_is_a_plain_sentence(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 2, 11, 5, tzinfo=UTC))
    assert mail_state(Delivery(**{"kind": "confirmation", **fields})) == sentence.replace("_", "\u00a0")


@pytest.mark.usefixtures("with_pango")
def test_the_first_page_says_what_is_wrong_with_the_mails_and_nothing_when_all_is_well(organiser: Client) -> None:
    silent = organiser.get("/admin/").text
    assert "Aucun programme d’envoi n’a donné signe de vie" in silent
    WorkerPresence.objects.note("one")
    assert "errornote" not in organiser.get("/admin/").text

    registration = make_registration()
    enqueue(registration, send_at=timezone.now() - timedelta(minutes=11))
    enqueue(registration, state="failed")
    enqueue(registration, state="sent", provider_status="bounced")
    page = organiser.get("/admin/").text
    assert "1 courriel est en retard" in page
    assert "1 courriel est en échec" in page
    assert "1 courriel est revenu ou a été signalé comme indésirable" in page
    for query in ("state__exact=pending", "look=failed", "look=refused"):
        assert f"/admin/registrations/delivery/?{query}" in page
        assert len(organiser.get(f"/admin/registrations/delivery/?{query}").context["cl"].result_list) == 1
    WorkerPresence.objects.update(seen_at=timezone.now() - timedelta(minutes=4))
    assert "Aucun programme d’envoi" in organiser.get("/admin/").text


def test_an_address_is_corrected_and_the_confirmation_sent_in_one_action(
    organiser: Client, outbox_folder: Any
) -> None:
    registration = make_registration(email="zoe@exmaple.org")
    path = f"{LIST}{registration.pk}/change/"
    form = organiser.get(path).context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields} | {"email": "zoe@example.org", "newsletter": ""}
    page = organiser.post(path, {**typed, **INLINES}, follow=True)
    assert "Le courriel est en route vers zoe@example.org." in page.text
    outbox.drain()
    [path_of_mail] = outbox_folder.glob("*.eml")
    assert b"To: zoe@example.org" in path_of_mail.read_bytes()


def test_the_list_costs_the_same_for_one_row_and_for_three(
    organiser: Client, django_assert_num_queries: Callable[[int], Any], django_assert_max_num_queries: Any
) -> None:
    event = make_event()
    enqueue(make_registration(event))
    with django_assert_max_num_queries(12) as one:
        organiser.get(LIST)
    for _ in range(2):
        enqueue(make_registration(event))
    with django_assert_num_queries(len(one)):
        page = organiser.get(LIST)
    assert len(page.context["cl"].result_list) == 3


@pytest.mark.parametrize("words", ["Durand", "zoe.durand@example.org", "Ville de Poissy"])
def test_a_person_is_found_by_name_address_or_organisation(organiser: Client, words: str) -> None:
    event = make_event()
    make_registration(event)
    found = make_registration(
        event, last_name="Durand", email="zoe.durand@example.org", organisation="Ville de Poissy"
    )
    page = organiser.get(LIST, {"q": words})
    assert list(page.context["cl"].result_list) == [found]


def test_a_person_added_by_hand_gets_the_confirmation(organiser: Client) -> None:
    event = make_event()
    typed = {
        "event": event.pk,
        "first_name": "Ada",
        "last_name": "Martin",
        "email": "ada@example.org",
        "organisation": "Ville",
        "job_title": "Élue",
        "language": "fr",
        "status": "confirmed",
        **INLINES,
    }
    organiser.post(f"{LIST}add/", typed)
    assert Delivery.objects.get(kind="confirmation").registration == Registration.objects.get(email="ada@example.org")

    again = organiser.post(f"{LIST}add/", {**typed, "email": "ADA@example.org"})
    assert "Cette adresse est déjà inscrite à ce webinaire." in again.text
    assert Registration.objects.count() == 1


def test_a_person_added_to_a_draft_gets_no_mail_and_the_admin_says_so(organiser: Client) -> None:
    event = make_event(status="draft")
    typed = {
        **answers(),
        "event": event.pk,
        "language": "fr",
        "status": "confirmed",
        **INLINES,
    }
    page = organiser.post(f"{LIST}add/", typed, follow=True)
    assert "Aucun courriel n’est parti" in page.text
    assert not Delivery.objects.exists()


def test_a_person_who_asks_to_be_erased_is_deleted_with_their_mails(organiser: Client) -> None:
    delivery = enqueue(make_registration())
    other = enqueue(make_registration())
    assert delivery.registration is not None
    organiser.post(f"{LIST}{delivery.registration.pk}/delete/", {"post": "yes"})
    assert list(Delivery.objects.all()) == [other]
    assert other.registration is not None
    bulk = {"action": "delete_selected", "_selected_action": [other.registration.pk], "confirmed": 1}
    bulk["typed"] = f"{other.registration.first_name} {other.registration.last_name}"
    organiser.post(LIST, bulk)
    assert not Registration.objects.exists()


def test_a_new_date_raises_the_sequence_of_the_calendar_entry_and_a_typo_does_not(organiser: Client) -> None:
    event = make_event(report=False)
    path = f"/admin/registrations/event/{event.pk}/change/"

    def save(**changes: Any) -> int:
        form = organiser.get(path).context["adminform"].form
        typed: dict[str, Any] = {}
        for bound in form:
            value = bound.value()
            if bound.name in {"starts_at", "ends_at"}:
                local = timezone.localtime(value)
                typed |= {f"{bound.name}_0": f"{local:%d/%m/%Y}", f"{bound.name}_1": f"{local:%H:%M}"}
            elif value:
                typed[bound.name] = value
        empty = NO_PARTS
        answer = organiser.post(path, {**typed, **empty, **changes})
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        event.refresh_from_db()
        return event.sequence

    assert save(summary="Une coquille en moins.") == 0
    assert save(ends_at_1="23:59") == 1
    assert save(status="postponed") == 2


def test_an_uploaded_report_can_be_opened_by_staff_alone(organiser: Client, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(report_file=SimpleUploadedFile("rapport.pdf", b"%PDF-1.6 contenu"))
    link = event.report_file.url
    assert link in organiser.get(f"/admin/registrations/event/{event.pk}/change/").text
    answer = organiser.get(link)
    assert b"".join(answer.streaming_content) == b"%PDF-1.6 contenu"  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment")
    assert organiser.get("/admin/documents/../db.sqlite3").status_code in {400, 404}
    assert organiser.get("/admin/documents/reports/absent.pdf").status_code == 404
    assert Client().get(link).status_code == 302


def test_correcting_an_answer_writes_to_nobody(organiser: Client) -> None:
    registration = make_registration()
    form = organiser.get(f"{LIST}{registration.pk}/change/").context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields} | {"organisation": "Corrigée"}
    organiser.post(
        f"{LIST}{registration.pk}/change/",
        {**typed, "newsletter": "", **INLINES},
    )
    registration.refresh_from_db()
    assert registration.organisation == "Corrigée"
    assert not Delivery.objects.exists()


def test_an_event_is_written_and_published_with_warnings_in_sentences(organiser: Client) -> None:
    starts_at = timezone.localtime() + timedelta(days=3)
    typed = {
        "status": "published",
        "title": "Un second webinaire",
        "short_title": "Second",
        "slug": "second",
        "starts_at_0": f"{starts_at:%d/%m/%Y}",
        "starts_at_1": "10:00",
        "ends_at_0": f"{starts_at:%d/%m/%Y}",
        "ends_at_1": "09:00",
        "timezone": "Europe/Paris",
        "organiser_name": "Le Pôle ressources",
        "contact_name": "Ada",
        "contact_email": "ada@example.org",
        "room_opens_minutes_before": 15,
        "room_stays_open_minutes_after": 60,
        "retention_months": 6,
        "reminder_days_before": 1,
        **NO_PARTS,
        "report_sections-TOTAL_FORMS": 1,
        "report_sections-0-position": 1,
        "report_sections-0-heading": "Un chapitre",
        "report_sections-0-body": "Du texte.",
    }
    refused = organiser.post("/admin/registrations/event/add/", typed)
    assert "La fin doit venir après le début." in refused.text

    saved = organiser.post("/admin/registrations/event/add/", {**typed, "ends_at_1": "11:30"}, follow=True)
    assert "Ce webinaire n’a pas encore de lien de la salle" in saved.text
    event = Event.objects.get(slug="second")
    assert event.has_report
    assert Client().get(event.get_absolute_url()).status_code == 200


def test_what_people_typed_is_harmless_in_the_admin(organiser: Client) -> None:
    registration = make_registration(organisation="<script>alert(1)</script>", question="<img src=x>")
    for path in (LIST, f"{LIST}{registration.pk}/change/"):
        page = organiser.get(path)
        assert "<script>alert" not in page.text
        assert "<img src=x>" not in page.text
        assert "unsafe" not in page["Content-Security-Policy"]


def test_the_admin_is_closed_to_strangers(client: Client) -> None:
    event = make_event()
    paths = [
        f"/admin/registrations/event/{event.pk}/{page}/" for page in ("change", "reschedule", "postpone", "cancel")
    ]
    for path in ("/admin/", LIST, "/admin/registrations/suppression/lift/", *paths):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")
    assert ROOM not in client.get("/admin/login/").text


@pytest.mark.parametrize(
    ("page", "field"),
    [("change/", "_saveasnew"), ("preview/", "_saveasnew"), ("preview/", "_popup"), ("preview/form/", "_popup")],
)
def test_a_field_that_no_form_of_the_site_has_is_a_400_and_no_500(admin_client: Client, page: str, field: str) -> None:
    path = f"/admin/registrations/event/{make_event().pk}/{page}"
    assert admin_client.post(path, {field: "1"}).status_code == 400
