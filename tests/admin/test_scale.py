"""The admin with many people: no page runs more queries, and its lists are read by an index."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.admin.people import filters
from registrations.admin.shared import long_lists
from registrations.domain import attendance, signup
from registrations.models import Attendance, Delivery, Event, Registration, registration, shown_identity
from tests import admin_pages
from tests.admin_client import logged_in, with_fresh_password
from tests.factories import answers, make_event
from tests.load.admin_data import scanned

pytestmark = pytest.mark.django_db
DESK = "/admin/registrations"
PEOPLE, MAILS = f"{DESK}/registration/", f"{DESK}/delivery/"
FEW, MANY = 3, 300
BUDGET = 12  # queries of a page
BUDGETS: dict[str, int] = {}


def grow(event: Event, people: int) -> None:
    """In one go, as an import does; with their mails."""
    language = {0: "en"}
    new = [
        Registration(event=event, language=language.get(number % 7, "fr"), **answers(territory=f"T{number % 3}"))
        for number in range(people)
    ]
    for one in Registration.objects.bulk_create(new):
        signup.welcome(one) if one.pk % 60 == 0 else None
    states = ["sent", "failed", "pending", "cancelled"]
    Delivery.objects.bulk_create(
        Delivery(registration=one, kind="updated", state=states[number % 4]) for number, one in enumerate(new)
    )


def filtered(event: Event) -> Iterator[str]:
    for query in ("mail=failed", "presence=no", "territory=T1", "status__exact=confirmed", "q=zoe", "p=1"):
        yield f"{PEOPLE}?event__id__exact={event.pk}&{query}"
    for query in ("state__exact=failed", "kind__exact=updated", "q=zoe"):
        yield f"{MAILS}?event__id__exact={event.pk}&{query}"


def asked(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200, path
    return len(captured)


def test_no_page_asks_more_for_three_hundred_people_than_for_three_and_a_dozen_questions_at_most() -> None:
    client, event = with_fresh_password(logged_in()), make_event()
    grow(event, FEW)
    named = admin_pages.opened(client, admin_pages.paths(admin_pages.rows(event)))
    # one of the rows: read anew every five seconds
    shown_identity.remember(shown_identity.Identity(), seconds=math.inf)
    pages = {**named, **{path: path for path in filtered(event)}}
    for path in pages.values():
        client.get(path)  # what is remembered from one request to the next is asked for now
    few = {name: asked(client, path) for name, path in pages.items()}
    grow(event, MANY - FEW)
    many = {name: asked(client, path) for name, path in pages.items()}
    budget = {name: BUDGETS.get(name, BUDGET) for name in pages}
    over = {name for name in pages if few[name] != many[name] or many[name] > budget[name]}
    assert {name: (few[name], many[name]) for name in over} == {}


@pytest.mark.parametrize("path", [PEOPLE, f"{PEOPLE}?status__exact=confirmed", MAILS, f"{MAILS}?kind__exact=updated"])
def test_a_list_says_how_many_rows_it_has(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index counts them; only what a search finds is counted up to a limit."""
    monkeypatch.setattr(long_lists, "COUNTED_UP_TO", 10)
    grow(make_event(), 30)
    answer: Any = logged_in().get(path)
    rows = answer.context_data["cl"].queryset.count()
    assert str(answer.context_data["cl"].result_count) == str(rows)
    assert rows >= 30


@pytest.mark.parametrize("path", [f"{PEOPLE}?q=example", f"{PEOPLE}?mail=sent", f"{MAILS}?q=example"])
def test_what_a_search_finds_is_counted_up_to_a_limit(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_lists, "COUNTED_UP_TO", 3)
    grow(make_event(), 60)
    answer: Any = logged_in().get(path)
    count = answer.context_data["cl"].result_count
    assert (count, str(count)) == (4, "plus de 1\u202f000")


LISTS = [
    PEOPLE,
    f"{PEOPLE}?event__id__exact=1",
    f"{PEOPLE}?event__id__exact=1&status__exact=confirmed",
    f"{PEOPLE}?status__exact=waitlisted",
    f"{PEOPLE}?territory=T1",
    f"{PEOPLE}?presence=yes",
    *(f"{PEOPLE}?q={words}" for words in ("zoe", "z", "zo", "zoe nulle", "qq", "rochebrune")),
    MAILS,
    f"{MAILS}?state__exact=failed",
    f"{MAILS}?event__id__exact=1",
    *(f"{MAILS}?q={words}" for words in ("zoe", "z", "zo", "zoe nulle", "qq", "rochebrune")),
]


def read_whole(captured: CaptureQueriesContext) -> set[str]:
    """As of large tables: PostgreSQL reads a small one whole, and sorts it, unless it is told not to."""
    asked = [query["sql"] for query in captured.captured_queries]
    assert any('FROM "registrations_' in sql for sql in asked)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    return set().union(*map(scanned, asked))


@pytest.mark.parametrize("path", LISTS)
def test_the_lists_are_read_by_an_index(path: str) -> None:
    event, client = make_event(), logged_in()
    grow(event, MANY)
    waiting, attended = event.registrations.order_by("pk")[:2]
    Registration.objects.filter(pk=waiting.pk).update(status="waitlisted", waiting_since=waiting.created_at)
    attendance.note(attended, Attendance.Origin.HAND)
    path = path.replace("exact=1", f"exact={event.pk}")
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    assert read_whole(captured) == set()


@pytest.mark.parametrize("very_many", [registration.VERY_MANY, 2])
def test_people_are_found_by_the_state_of_a_mail(very_many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their numbers when they are few, else among the latest."""
    monkeypatch.setattr(filters, "VERY_MANY", very_many)
    event, client = make_event(), logged_in()
    grow(event, MANY)
    with CaptureQueriesContext(connection) as captured:
        answer: Any = client.get(f"{PEOPLE}?mail=failed")
    shown = answer.context_data["cl"].result_list
    failed = Delivery.objects.filter(state="failed").order_by("-registration").values_list("registration", flat=True)
    assert [one.pk for one in shown] == list(failed[:50])
    assert read_whole(captured) == set()
