"""The organiser's guide in the admin."""

import re
import struct
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles import finders
from django.test import Client

from tests.admin_client import logged_in

pytestmark = pytest.mark.django_db
HELP = "/admin/aide/"
PICTURE = re.compile(r'<img src="/static/(\S+)" width="(\d+)" height="(\d+)" loading="lazy" alt="([^"]+)">')


@pytest.mark.parametrize("group", ["Organisation", "Lecture"])
def test_every_member_of_staff_finds_the_guide_on_the_first_page_and_at_the_head_of_each(group: str) -> None:
    account = User.objects.create_user("membre", is_staff=True)
    account.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(account)

    assert client.get("/admin/").text.count(f'href="{HELP}"') == 2
    page = client.get(HELP)
    assert (page.status_code, page.text.count(f'href="{HELP}"')) == (200, 1)
    assert "<h1>Aide</h1>" in page.text


def test_a_stranger_is_sent_to_the_login(client: Client) -> None:
    assert client.get(HELP)["Location"] == f"/admin/login/?next={HELP}"


def test_a_dry_run_is_not_said_to_send_a_report() -> None:
    page = " ".join(logged_in().get(HELP).text.split())
    assert "confirmation, invitation et document arrivent dans votre boîte" in page


def test_the_contents_lead_to_each_part_in_order() -> None:
    page = logged_in().get(HELP).text
    contents, *parts = re.findall(r'<h2 id="([\w-]+)">', page)
    assert (contents, len(parts)) == ("contents", 13)
    assert re.findall(r'<li><a href="#([\w-]+)">', page) == parts


def test_each_picture_is_there_in_the_size_that_the_page_reserves() -> None:
    page = logged_in().get(HELP).text
    pictures = PICTURE.findall(page)
    assert len(pictures) == page.count("img/guide/") == 8
    for name, width, height, _alt in pictures:
        found = finders.find(name)
        assert found, name
        assert struct.unpack(">II", Path(str(found)).read_bytes()[16:24]) == (int(width), int(height)), name


def test_no_picture_is_kept_that_the_guide_does_not_show() -> None:
    page = logged_in().get(HELP).text
    folder = Path(str(finders.find("img/guide")))
    assert {path.name for path in folder.iterdir()} == {Path(name).name for name, *_rest in PICTURE.findall(page)}
