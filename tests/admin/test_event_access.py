"""An account « per event » sees and runs the events on which it is named, and nothing of another."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import get_resolver

from registrations.domain import colleagues
from registrations.models import Appearance, Delivery, Event, EventMember, Job, Registration, Speaker
from registrations.security.roles import ORGANISATION, PER_EVENT
from tests.addresses import addresses
from tests.admin_client import EVENTS, MAILS, PEOPLE, with_fresh_password
from tests.admin_pages import rows
from tests.factories import make_event, make_registration, make_speaker
from tests.views import test_every_address as every

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]

SPEAKERS = "/admin/registrations/speaker/"
SECRET = "Webinaire-des-autres"
OTHER_PERSON = "Personne-des-autres"


def runner(*events: Event) -> Client:
    account = User.objects.create_user("camille", is_staff=True)
    colleagues.change_role(account, role=PER_EVENT, events=events)
    client = Client()
    client.force_login(account)
    return with_fresh_password(client)


def others_event(**fields: Any) -> Event:
    return make_event(title=SECRET, short_title=SECRET, slug="celui-des-autres", **fields)


def walked(theirs: Event) -> dict[str, str]:
    """Every address of the desk, for the rows of this event."""
    found = rows(theirs)
    Registration.objects.filter(event=theirs).update(last_name=OTHER_PERSON)
    return all_paths(found)


def all_paths(found: dict[str, Any]) -> dict[str, str]:
    event, registration = found["event"], found["registration"]
    name = event.report_file.name or "rapport.pdf"
    paths = {}
    for route, pattern in addresses(get_resolver()):
        if not route.startswith("admin/") or pattern.name == "logout":
            continue
        values = {**every._row(route, found), "name": name, "app_label": "registrations", "url": "nowhere/"}
        values |= {
            "number": str(found["broadcast"].pk),
            "person": str(registration.pk),
            "account": str(found["user"].pk),
        }
        values |= {"content_type_id": str(content_type()), "uidb64": "MQ", "token": "nothing"}
        if route.startswith("admin/r/"):
            values["object_id"] = str(event.pk)
        paths[f"{pattern.name}: {route}"] = every.path(route, pattern, values)
    return paths


def content_type() -> int:
    return ContentType.objects.get_for_model(Event).pk


def test_no_address_of_the_desk_shows_anything_of_anothers_event() -> None:
    mine, theirs = make_event(), others_event(report_file=ContentFile(b"%PDF-1.7\n%%EOF", "rapport.pdf"))
    make_registration(mine)
    client = runner(mine)
    shown = {}
    for name, path in walked(theirs).items():
        answer = client.get(path)
        text = answer.getvalue().decode("utf-8", "replace") + str(answer.headers)
        if SECRET in text or OTHER_PERSON in text or "celui-des-autres" in text:
            shown[name] = path
    assert shown == {}


def test_every_address_of_anothers_row_is_refused() -> None:
    mine, theirs = make_event(), others_event()
    client = runner(mine)
    named = {
        name: path
        for name, path in walked(theirs).items()
        if "<" in name and not name.startswith(("app_list", "invitation:", "None:"))
    }
    answers = {name: client.get(path) for name, path in named.items()}
    open_ones = {
        name
        for name, answer in answers.items()
        if answer.status_code not in {403, 404} and answer.headers.get("Location") != "/admin/"
    }
    assert open_ones == set()
    assert len(named) > 40


def test_a_form_sent_for_anothers_event_changes_nothing() -> None:
    theirs = others_event()
    client = runner(make_event())
    person = make_registration(theirs)
    for path in [f"{EVENTS}{theirs.pk}/change/", f"{EVENTS}{theirs.pk}/write/", f"{EVENTS}{theirs.pk}/postpone/"]:
        assert client.post(path, {"title": "Pris"}).status_code in {302, 403, 404}
    client.post(PEOPLE, {"action": "withdraw", "_selected_action": [person.pk], "confirmed": "1"})
    client.post(f"{PEOPLE}add/", {"event": theirs.pk, "email": "x@example.org", "status": "confirmed"})
    theirs.refresh_from_db()
    person.refresh_from_db()
    assert (theirs.title, person.status, theirs.registrations.count()) == (SECRET, "confirmed", 1)


@pytest.mark.parametrize("path", [EVENTS, PEOPLE, MAILS, f"{PEOPLE}add/", f"{PEOPLE}export/", "/admin/"])
def test_lists_filters_and_forms_name_only_the_own_event(path: str) -> None:
    mine, theirs = make_event(title="Le mien", short_title="Le mien"), others_event(capacity=1)
    for event in (mine, theirs):
        Delivery.objects.enqueue(make_registration(event, territory=event.short_title), Delivery.Kind.CONFIRMATION)
    Delivery.objects.update(state="failed")
    page = runner(mine).get(path)
    assert page.status_code == 200
    assert SECRET not in page.text


def test_the_own_event_is_run_with_everything_but_deleting_it() -> None:
    mine = make_event()
    make_registration(mine)
    client = runner(mine)
    pages = ["change", "write", "lists", "presences", "registrants", "figures", "timeline", "mails", "preview"]
    assert {page: client.get(f"{EVENTS}{mine.pk}/{page}/").status_code for page in pages} == dict.fromkeys(pages, 200)
    assert client.get(f"{EVENTS}{mine.pk}/delete/").status_code == 403
    assert client.get(f"{EVENTS}add/").status_code == 403


def test_the_page_of_the_own_event_is_filled_in_with_its_own_speakers() -> None:
    mine, theirs = make_event(), others_event()
    own, free = make_speaker(mine, name="La mienne"), make_speaker(name="Libre")
    make_speaker(theirs, name=SECRET)
    client = runner(mine)
    page = client.get(f"{EVENTS}{mine.pk}/parts/")
    (appearances,) = [one.formset for one in page.context["inline_admin_formsets"] if "appear" in one.formset.prefix]
    offered = [key for key, _words in appearances.empty_form.fields["speaker"].choices if key]
    assert (page.context["may_save"], set(offered)) == (True, {own.pk, free.pk})
    assert SECRET not in page.text + client.get(SPEAKERS).text


def test_a_speaker_of_anothers_event_is_not_corrected_from_the_own_one() -> None:
    mine, theirs = make_event(), others_event()
    shared, own = make_speaker(mine, name="Commune"), make_speaker(mine, name="La mienne")
    Appearance.objects.create(event=theirs, speaker=shared)
    client = runner(mine)
    assert client.post(f"{SPEAKERS}{shared.pk}/change/", {"name": "Prise"}).status_code == 403
    assert client.post(f"{SPEAKERS}{own.pk}/change/", {"name": "Corrigée"}).status_code == 302
    assert list(Speaker.objects.order_by("pk").values_list("name", flat=True)) == ["Commune", "Corrigée"]


def test_whoever_is_taken_off_an_event_sees_it_no_more() -> None:
    mine = make_event()
    client = runner(mine)
    EventMember.objects.all().delete()
    assert client.get(f"{EVENTS}{mine.pk}/change/").status_code == 302
    assert mine.short_title not in client.get("/admin/").text


def test_a_second_group_does_not_lift_the_limit() -> None:
    theirs = others_event()
    client = runner(make_event())
    User.objects.get().groups.add(Group.objects.get(name=ORGANISATION))
    assert SECRET not in client.get(EVENTS).text
    assert client.get(f"{EVENTS}{theirs.pk}/figures/").status_code == 404


def test_a_long_operation_on_chosen_people_is_seen_by_who_started_it_only() -> None:
    client = runner(make_event())
    account = User.objects.get()
    fields = {"kind": "people", "permission": "registrations.change_registration", "state": "done"}
    own = Job.objects.create(title="Mienne", asked_by=account.pk, mark="1", **fields)
    other = Job.objects.create(title=SECRET, asked_by=account.pk + 1, mark="2", **fields)
    addresses = [f"/admin/registrations/job/{job.pk}/change/" for job in (own, other)]
    assert [client.get(address).status_code for address in addresses] == [200, 404]
