"""Every page of the admin stands in the tables of pages, query budgets and roles, or is derived into them."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import resolve

from tests.admin_client import logged_in, with_fresh_password
from tests.admin_pages import declared, is_allowed, opened, paths, rows
from tests.browser.pages import PAGES
from tests.factories import make_event

pytestmark = pytest.mark.django_db
DRAWN_BY_DJANGO = r"auth_(user|group)_.+|\w+_history|password_change(_done)?|app_list"
READERS_OPEN = {  # of the declared pages; « Organisation » opens all of them
    "help",
    "confirm_password",
    "document",
    "search",
    "registrations_event_home",
    "registrations_event_day",
    "registrations_event_qr",
    "registrations_event_preview",
    "registrations_event_preview_form",
    "registrations_event_text",
    "registrations_event_parts",
    "registrations_event_mails",
    "registrations_event_mail_part",
    "registrations_event_timeline",
    "registrations_event_figures",
    "registrations_event_figures_pdf",
    "registrations_event_answers",
    "registrations_job_document",  # a page without a permission of its own: each job has one
}


def member(group: str) -> User:
    account = User.objects.create_user("membre", is_staff=True)
    account.groups.add(Group.objects.get(name=group))
    return account


def test_every_page_of_the_admin_stands_in_the_table_that_the_browser_checks() -> None:
    shown = {resolve(page.prepare().partition("?")[0], "tests.browser.urls").url_name for page in PAGES if page.admin}
    pages = opened(with_fresh_password(logged_in()), paths(rows(make_event())))
    assert {name for name in pages if not re.fullmatch(DRAWN_BY_DJANGO, name)} - shown == set()


@pytest.mark.parametrize("group", ["Organisation", "Lecture"])
def test_each_role_opens_the_pages_that_their_declaration_allows_and_no_other(group: str) -> None:
    account, client = member(group), Client()
    client.force_login(account)
    addresses = paths(rows(make_event()))
    pages = opened(with_fresh_password(client), addresses)
    assert {name for name in addresses if (name in pages) != is_allowed(account, name)} == set()
    assert len(pages) > 20


def test_a_new_page_is_for_the_organisation_and_is_named_here_when_readers_may_open_it() -> None:
    account = member("Organisation")
    assert {name for name in declared() if not is_allowed(account, name)} == set()
    account.groups.set(Group.objects.filter(name="Lecture"))
    account = User.objects.get()
    assert {name for name in declared() if is_allowed(account, name)} == READERS_OPEN
