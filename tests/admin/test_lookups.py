"""The lists of the admin are narrowed by their own filters and by nothing else that an address may hold."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registrations.models import Delivery, Event, Invitation, Registration
from tests.admin_client import logged_in
from tests.admin_pages import rows
from tests.factories import make_event

pytestmark = pytest.mark.django_db
MODELS = list(admin.site._registry)
SECRET = "secret-in-a-filter"
CODES = {  # ways to the codes and the answers of a person, and to the keys of a second factor
    Registration: ["manage_code", "join_code", "new_email_code", "email", "organisation", "own_answers__1"],
    Delivery: ["registration__manage_code", "registration__join_code", "recipient", "sample", "event__connection_url"],
    Event: ["registrations__manage_code", "registrations__deliveries__sent_to", "connection_url"],
    User: ["password", "username", "totpdevice__key", "staticdevice__token_set__token", "logentry__object_repr"],
    Group: ["user__password", "user__totpdevice__key", "name"],
}
ANYWHERE = ["pk", "no_such_field", "pk__pk", "__", "registration__manage_code"]
COMPARED = ["", "exact", "iexact", "startswith", "istartswith", "contains", "endswith", "regex", "iregex", "gt", "lte"]
COMPARED += ["gte", "lt", "range", "in", "isnull", "length", "lower__startswith", "year", "date__gte", "id__exact"]
BROKEN = ["9" * 30, "0001-01-01 00:00:00+23:59", "\ud800", "(a+)+$"]
OF_DJANGO = ["q", "o", "p", "all", "e", "_popup", "_to_field", "_facets", "_changelist_filters"]


def listing(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def request() -> HttpRequest:
    return RequestFactory().get("/")


def offered(model: type[Model]) -> list[str]:
    """The lookups of the links that the list shows, and of those that other pages have to it."""
    model_admin: Any = admin.site.get_model_admin(model)
    asked: Any = request()
    asked.user = User(is_superuser=True)
    specs = model_admin.get_changelist_instance(asked).filter_specs
    return [*(name for spec in specs for name in spec.expected_parameters()), *model_admin.linked_lookups]


@pytest.fixture
def client() -> Client:
    made = rows(make_event())
    make_event()  # a filter of one choice is not shown
    Registration.objects.filter(pk=made["registration"].pk).update(territory="Yvelines (78)")
    return logged_in()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_filter_on_a_code_reads_it_letter_by_letter(client: Client, model: type[Model]) -> None:
    model_admin, known = admin.site.get_model_admin(model), offered(model)
    columns = [field.name for field in model._meta.get_fields()]
    lookups = [
        "__".join(filter(None, [path, comparison]))
        for path in [*columns, *CODES.get(model, []), *ANYWHERE]
        for comparison in COMPARED
    ]
    of_filters = {name.rpartition("__")[0].removesuffix("__id") for name in known}
    strange = [name for name in lookups if name.rpartition("__")[0].removesuffix("__id") not in of_filters]
    assert [name for name in strange if model_admin.lookup_allowed(name, SECRET, request())] == []
    for path in [*CODES.get(model, []), *ANYWHERE]:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(listing(model), {f"{path}__regex": SECRET})
        refused = 200 if model is Invitation else 400  # the colleagues are a page of their own, which reads no filter
        assert (answer.status_code, [one for one in queries if SECRET in one["sql"]]) == (refused, []), path


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_link_of_the_site_to_a_list_is_refused(client: Client, model: type[Model]) -> None:
    for name in offered(model):
        assert client.get(listing(model), {name: "1"}).status_code in {200, 302}, name


@pytest.mark.django_db(transaction=True)  # PostgreSQL refuses a value, and an error ends a transaction
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_broken_value_takes_a_list_down(client: Client, model: type[Model]) -> None:
    for name in [*offered(model), *OF_DJANGO]:
        for value in BROKEN:
            answer = client.get(listing(model), {name: value.encode("utf-8", "surrogatepass")})
            assert answer.status_code in {200, 302, 400}, (name, value)


OF_OTHERS = [("delivery", "registration"), ("group", "user"), ("event", "registrations")]


@pytest.mark.parametrize(("model", "field"), OF_OTHERS)
def test_the_autocompletion_that_no_field_uses_breaks_or_lists_people(client: Client, model: str, field: str) -> None:
    label = "auth" if model == "group" else "registrations"
    query = {"app_label": label, "model_name": model, "field_name": field, "term": ""}
    assert client.get(reverse("admin:autocomplete"), query).status_code == 404
