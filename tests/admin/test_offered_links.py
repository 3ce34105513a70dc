"""What a role may not do is not offered: every link of the desk is followed by an account of each role."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from registrations.domain import colleagues
from registrations.models import Event
from registrations.security.roles import PER_EVENT
from tests.admin_client import with_fresh_password
from tests.admin_pages import rows
from tests.factories import make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]
LINK = re.compile(r'<(?:a|button|form)\b[^>]*?\b(?:href|formaction)="([^"]*)"')
PAGES_MAX = 600


def account_of(role: str, event: Event) -> Client:
    account, client = User.objects.create_user("membre", is_staff=True), Client()
    if role == PER_EVENT:
        colleagues.change_role(account, role=role, events=[event])
    else:
        account.groups.add(Group.objects.get(name=role))
    client.force_login(account)
    return with_fresh_password(client)


def followed(client: Client) -> dict[str, int]:
    """The answer to every address that can be reached from the first page by links."""
    answers: dict[str, int] = {}
    waiting = ["/admin/"]
    while waiting and len(answers) < PAGES_MAX:
        path = waiting.pop(0)
        if path in answers:
            continue
        answer = client.get(path)
        answers[path] = answer.status_code
        if not answer.streaming and "html" in answer.headers.get("Content-Type", ""):
            found = (unescape(link).partition("#")[0] for link in LINK.findall(answer.text))
            here = path.partition("?")[0]
            absolute = (link if link.startswith("/") else here + link for link in found if link and ":" not in link)
            waiting += [link for link in absolute if link.startswith("/admin/") and "logout" not in link]
    return answers


@pytest.mark.parametrize("role", ["Organisation", "Lecture", PER_EVENT])
def test_no_link_ends_in_a_refusal(role: str) -> None:
    event = make_event(capacity=1)
    rows(event)
    answers = followed(account_of(role, event))
    assert {path: status for path, status in answers.items() if status in {403, 404}} == {}
    assert len(answers) > 20
