"""What is compressed, what never is, and how long static files are kept."""

import gzip
import re
import urllib.request
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_event, make_registration
from tests.site import TIMEOUT, RunningSite

BOTH = {"Accept-Encoding": "gzip, br"}


@pytest.mark.django_db
def test_public_pages_are_compressed_and_personal_ones_are_not(client: Client) -> None:
    registration = make_registration(make_event())
    public = ["", "inscription/"]
    for path in [*(f"/evenements/{registration.event.slug}/{end}" for end in public), "/accessibilite/"]:
        response = client.get(path, headers=BOTH)
        assert (path, response["Content-Encoding"]) == (path, "gzip")
        assert "Accept-Encoding" in response["Vary"]
        assert "</html>" in gzip.decompress(response.content).decode()
    personal = [f"/rejoindre/{registration.join_code}/", f"/mon-inscription/{registration.manage_code}/"]
    for path in [*personal, f"/evenements/{registration.event.slug}/merci/", "/admin/login/"]:
        assert "Content-Encoding" not in client.get(path, headers=BOTH)


def test_the_secret_of_a_compressed_form_is_masked_anew_each_time(client: Client, db: None) -> None:
    path = f"/evenements/{make_event().slug}/inscription/"
    tokens = {re.findall(r'csrfmiddlewaretoken" value="(\w+)"', client.get(path).text)[0] for _ in range(3)}
    assert len(tokens) == 3


def asked(site: RunningSite, path: str, encoding: str) -> Any:
    request = urllib.request.Request(site.address + path, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        return response.headers


def test_static_files_are_hashed_kept_for_years_and_compressed_beforehand(demo: RunningSite) -> None:
    with urllib.request.urlopen(demo.address + "/accessibilite/", timeout=TIMEOUT) as response:
        page = response.read().decode()
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) == 4
    for path in files:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", path)
        headers = asked(demo, path, "identity")
        assert "immutable" in headers["Cache-Control"]
        assert int(re.findall(r"max-age=(\d+)", headers["Cache-Control"])[0]) >= 31_536_000
        if not path.endswith(".woff2"):  # compressed by its format
            assert asked(demo, path, "br")["Content-Encoding"] == "br"
            assert asked(demo, path, "gzip")["Content-Encoding"] == "gzip"
