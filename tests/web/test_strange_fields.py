"""Strange values in the fields of every form of the site: the form again at most, and never a 5xx."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils.http import urlencode
from tinyhtml5 import parse

from tests.admin_client import with_fresh_password
from tests.views.test_every_address import paths, rows

__all__ = ["rows"]  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]

FORM = "application/x-www-form-urlencoded"
COUNTS = "_FORMS"  # the end of names without which the rows of a form are not read
STRANGE = ["", "%00", "%ED%A0%80", "9" * 40, "-1", "%2F..%2F", "%C2%A0%E2%80%A8", "%F0%9F%A6%86" * 300]
FIELDS = {"input", "textarea", "select", "button"}
LEFT_OUT = ("logout", "nowhere")


def forms(page: str) -> Iterator[dict[str, str]]:
    """The fields of each form that is sent by POST, with the values that they have."""
    for form in parse(page, namespace_html_elements=False).iter("form"):
        if form.get("method", "").lower() == "post":
            fields = [one for one in form.iter() if one.tag in FIELDS and one.get("name")]
            yield {one.get("name"): one.get("value") or one.text or "" for one in fields}


def bodies(fields: dict[str, str]) -> Iterator[str]:
    """The form with every field strange, one strange value after the other."""
    kept = {name: value for name, value in fields.items() if name.endswith(COUNTS)}
    for strange in STRANGE:
        yield "&".join([urlencode(kept), *(urlencode({name: ""}) + strange for name in fields.keys() - kept.keys())])


def status(client: Client, path: str, body: str) -> int:
    """Of the answer; what it has changed is undone."""
    with transaction.atomic():
        answer = client.generic("POST", path, body.encode(), FORM)
        answer.getvalue()
        transaction.set_rollback(True)
    return answer.status_code


def failures(client: Client, rows: dict[str, Any]) -> list[tuple[str, str]]:
    client.raise_request_exception = False
    found = []
    for path in paths(rows).values():
        if any(word in path for word in LEFT_OUT):
            continue
        page = client.get(path)
        content = page.getvalue()  # also of a stream, which then closes its file
        if page.status_code == 200 and "html" in page["Content-Type"]:
            found += [
                (path, body[:200])
                for fields in forms(content.decode())
                for body in bodies(fields)
                if status(client, path, body) >= 500
            ]
    return found


def test_no_strange_value_in_a_form_of_the_desk_gives_a_traceback(rows: dict[str, Any]) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("organisatrice"))
    assert failures(with_fresh_password(client), rows) == []


def test_no_strange_value_in_a_form_of_a_visitor_gives_a_traceback(rows: dict[str, Any]) -> None:
    assert failures(Client(), rows) == []
