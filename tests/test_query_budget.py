"""What the busiest acts cost the database, and that a long list costs no more questions than a short one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.domain import event_changes, signup
from registrations.mailing import outbox
from registrations.models import Event
from tests.factories import answers, make_event, make_registration
from tests.journey import shown_stamp

pytestmark = pytest.mark.django_db


def queries(act: Callable[[], object]) -> list[str]:
    """What an act asks of the database, without the savepoints that only a test's own transaction makes of it."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


@pytest.mark.parametrize("fields", [{}, {"capacity": 5}, {"follow_up_hours_after": 24}])
def test_a_first_sign_up_asks_little(fields: dict[str, Any]) -> None:
    event = make_event(**fields)
    asked = queries(lambda: signup.register(event, language="en", **answers()))
    assert len(asked) <= 10, asked


def test_a_first_sign_up_through_the_form_asks_little(client: Client) -> None:
    event = make_event()
    path = f"/evenements/{event.slug}/inscription/"
    stamp = shown_stamp(client, path)
    asked = queries(lambda: client.post(path, {**answers(), "stamp": stamp}))
    in_session = [sql for sql in asked if "django_session" in sql]
    assert len(asked) - len(in_session) <= 12, asked


def test_a_known_address_asks_no_more_than_a_new_one() -> None:
    event = make_event()
    signup.register(event, language="en", **answers(email="zoe@example.org"))
    asked = queries(lambda: signup.register(event, language="en", **answers(email="zoe@example.org")))
    assert len(asked) <= 8, asked


def test_every_kind_of_change_costs_the_same_for_many_as_for_few() -> None:
    def acts(people: int) -> list[int]:
        event = make_event(capacity=people, follow_up_hours_after=24)
        for _ in range(people):
            signup.register(event, language="en", **answers())
        for _ in range(3):
            make_registration(event, status="waitlisted")
        later: dict[str, Any] = {
            "starts_at": event.starts_at + timedelta(days=1),
            "ends_at": event.ends_at + timedelta(days=1),
        }
        return [
            len(queries(act))
            for act in (
                lambda: event_changes.reschedule(event, **later),
                lambda: event_changes.reschedule(event, **later, connection_notes="Code: 12"),
                lambda: event_changes.postpone(event),
                lambda: event_changes.reschedule(event, **later),
                lambda: event_changes.cancel(event),
            )
        ]

    assert acts(40) == acts(3)


def test_a_mail_costs_as_many_queries_with_a_long_outbox_as_with_a_short_one() -> None:
    event = make_event(report=False)

    def one_more() -> int:
        signup.register(Event.objects.get(), language="en", **answers())
        return len(queries(outbox.drain))

    one_more()
    few = one_more()
    for _ in range(20):
        signup.register(event, language="en", **answers())
    outbox.drain()
    assert one_more() == few <= 8
