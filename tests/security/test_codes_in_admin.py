"""Nobody of the team has another person's links: each page and file of the admin, read by each role."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from registrations.admin.people.exports import COLUMNS
from registrations.admin.shared.jobs import note_history
from registrations.domain import attendance
from registrations.mailing.previews import SAMPLES
from registrations.models import Attendance, AuditEntry, Broadcast, Delivery, Event, EventMember, Registration
from tests.admin_client import EVENTS, PEOPLE, with_fresh_password
from tests.admin_pages import paths, rows
from tests.factories import make_event, make_question, make_registration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]
READS_AND_EXPORTS = ["view_event", "view_registration", "view_delivery", "export_registration", "write_to_registrants"]
INLINES = {f"{part}-{count}_FORMS": 0 for part in ("attendances", "deliveries") for count in ("TOTAL", "INITIAL")}
ROLES = ["Lecture", "Par webinaire", "reads and exports", "Organisation", "superuser"]


def account(role: str) -> User:
    user = User.objects.create_user("membre", is_staff=True, is_superuser=role == "superuser")
    user.groups.set(Group.objects.filter(name=role))
    if role == "reads and exports":
        user.user_permissions.set(Permission.objects.filter(codename__in=READS_AND_EXPORTS))
    if role == "Par webinaire":
        EventMember.objects.bulk_create(EventMember(user=user, event=event) for event in Event.objects.all())
    return user


def logged_in_as(role: str) -> Client:
    return logged_in(account(role))


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return with_fresh_password(client)


def person_with_everything(event: Event, made: dict[str, Any], corrected_by: User) -> Registration:
    """The person of these rows with each kind of mail, an answer, a presence, a history, a new address to check."""
    person: Registration = made["registration"]
    question = make_question(event)
    person.new_email, person.new_email_code = "neuve@example.org", "n" * 22
    person.own_answers = {question.key: "Rien"}
    person.question = "Pourquoi ?"
    person.newsletter = True
    person.save()
    for kind in Delivery.Kind:
        Delivery.objects.enqueue(person, kind)
    attendance.note(person, Attendance.Origin.HAND)
    note_history(corrected_by.pk, [person], CHANGE, "Corrigé.")
    return person


def letters_and_previews(client: Client, event: Event, person: Registration) -> Iterator[Any]:
    """Each mail that the admin shows, with each of its parts: HTML, text, calendar object."""
    for key in SAMPLES:
        query: dict[str, str] = {"mail": key, "person": str(person.pk)}
        yield (page := client.get(f"{EVENTS}{event.pk}/mails/", query))
        for number in range(len(page.context["mail"].leaves)):
            yield client.get(f"{EVENTS}{event.pk}/mails/{number}/", query)
    for broadcast in Broadcast.objects.all():
        yield client.get(f"{EVENTS}{event.pk}/write/{broadcast.pk}/letter/{person.pk}/")


def files(client: Client, event: Event, person: Registration) -> Iterator[Any]:
    """The lists with every column, the sheets, the data of one person: refused to whoever may not take them."""
    for file_format in ("csv", "xlsx"):
        yield client.post(f"{PEOPLE}export/", {"columns": list(COLUMNS), "file_format": file_format})
    for name in ("questions-csv", "newsletter-csv", "newsletter-xlsx"):
        yield client.post(f"{EVENTS}{event.pk}/lists/", {"document": name})
    yield client.post(
        f"{PEOPLE}{person.pk}/change/", {"CHANGE_FORM-action": "take_data", "_selected_action": person.pk}
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_reader_of_the_admin_cancels_for_everyone_by_the_link_that_a_page_shows(role: str) -> None:
    event = make_event(report=False)
    made, user = rows(event), account(role)
    person = person_with_everything(event, made, user)
    client = logged_in(user)
    pages = [client.get(path) for path in paths(made).values()]
    answers = [*pages, *letters_and_previews(client, event, person), *files(client, event, person)]
    codes = [code.encode() for code in (person.join_code, person.manage_code, str(person.new_email_code))]
    assert len([page for page in pages if page.status_code == 200]) > 20
    for answer in answers:
        content = answer.getvalue()
        assert [code for code in codes if code in content] == [], answer.request["PATH_INFO"]


@pytest.mark.parametrize("role", ROLES)
def test_a_search_tells_whether_a_code_begins_with_these_letters(role: str) -> None:
    event = make_event(report=False)
    user = account(role)
    person = person_with_everything(event, rows(event), user)
    client = logged_in(user)
    for words in (person.manage_code, person.join_code, "n" * 22):
        for listing in ("registration", "delivery", "event"):
            found = client.get(f"/admin/registrations/{listing}/", {"q": words}).context["cl"].queryset
            assert list(found) == [], (words, listing)
        assert person.email not in client.get("/admin/chercher/", {"q": words}).text
    assert person.email in client.get("/admin/chercher/", {"q": person.email}, follow=True).text


def test_a_reader_sees_the_links_of_a_dry_run() -> None:
    event = make_event(report=False)
    assert logged_in_as("reads and exports").get(f"{EVENTS}{event.pk}/trial/").status_code == 403


# Acting for a person, under one's own name


@pytest.mark.parametrize(
    "name",
    ["send_again", "renew_links", "withdraw", "come_back", "note_presence", "take_data", "erase_on_request", "disown"],
)
def test_nobody_knows_who_acted_for_a_person(name: str) -> None:
    status = "cancelled" if name == "come_back" else "confirmed"
    person, organiser = make_registration(status=status), account("Organisation")
    client = Client()
    client.force_login(organiser)
    path = f"{PEOPLE}{person.pk}/change/"
    asked = with_fresh_password(client).post(path, {"CHANGE_FORM-action": name, "_selected_action": person.pk})
    if name != "take_data":
        sent = dict(asked.context.get("hidden") or asked.context["chosen"])
        client.post(path, {"confirmed": "1", "typed": asked.context.get("to_type", ""), **sent})
    about = f"registrations.registration {person.pk}"
    assert AuditEntry.objects.filter(about=about).exclude(actor=organiser.pk).count() == 0
    assert AuditEntry.objects.filter(about=about, actor=organiser.pk).exclude(action="deleted").count() == 1


def test_nobody_knows_who_corrected_an_address() -> None:
    person, organiser = make_registration(email="faux@example.org"), account("Organisation")
    client = Client()
    client.force_login(organiser)
    path = f"{PEOPLE}{person.pk}/change/"
    form = client.get(path).context["adminform"].form
    typed = {bound.name: bound.value() for bound in form if bound.value() not in (None, False, "")}
    client.post(path, {**typed, **INLINES, "email": "juste@example.org"})
    entry = AuditEntry.objects.get(action="on_behalf")
    assert (entry.actor, entry.detail) == (organiser.pk, {"act": "correct", "fields": ["email"]})


@pytest.mark.parametrize("role", ["Lecture", "reads and exports"])
def test_a_reader_acts_for_a_person(role: str) -> None:
    person = make_registration()
    client = logged_in_as(role)
    path = f"{PEOPLE}{person.pk}/change/"
    for name in ("withdraw", "come_back", "take_data", "erase_on_request", "disown", "send_again", "renew_links"):
        sent = {"CHANGE_FORM-action": name, "_selected_action": person.pk, "confirmed": "1"}
        sent["typed"] = f"{person.first_name} {person.last_name}"
        assert client.post(path, sent).status_code in {302, 403}, name
        client.post(PEOPLE, {**sent, "action": name})
    assert Registration.objects.get().status == "confirmed"
    assert not Delivery.objects.exists()
    assert not AuditEntry.objects.filter(action__in=["exported", "on_behalf", "bulk_mail"]).exists()
