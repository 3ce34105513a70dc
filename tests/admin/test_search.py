"""The search of the admin: whatever the words and the number of matches, it finds the matches and nothing else."""

from collections.abc import Iterator
from itertools import chain

import pytest
from django.test import Client

from registrations.models import Delivery, Event, Registration, registration
from registrations.models.search import folded
from tests.admin_client import PEOPLE, logged_in
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db
MAILS = "/admin/registrations/delivery/"


@pytest.fixture(params=["by an index", "by reading"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite: as when few people hold the words, and as when very many do."""
    monkeypatch.setattr(registration, "VERY_MANY", 10_000 if request.param == "by an index" else 0)


@pytest.fixture
def people() -> list[Registration]:
    event = make_event()
    typed = [
        ("Zoé", "D’Arcy", "zoe@example.org", "Ville de L’Haÿ-les-Roses"),
        ("Li", "Wu", "li.wu@example.com", "100 % local"),
        ("Hélène", "Ly", "h_l@example.org", 'Association "Le_Lien"'),
        ("Élise", "de la Tour", "elise.zo@example.org", "Mairie de Lyon; DROP TABLE"),
        ("Œdipe", "Strauß", "o'brien@example.org", "CAF du Rhône (69)"),
    ]
    return [
        make_registration(event, first_name=first, last_name=last, email=email, organisation=organisation)
        for first, last, email, organisation in typed
    ]


def held(person: Registration, word: str) -> bool:
    """What the search promises, of a word without signs: three letters anywhere, fewer at the beginning of a word."""
    words = folded(f"{person.first_name} {person.last_name} {person.email} {person.organisation}").split()
    wanted = folded(word)
    return any(wanted in one if len(wanted) > 2 else one.startswith(wanted) for one in words)


@pytest.mark.parametrize(
    "words",
    ["exa", "EXAMPLE", "zoé", "helen", "elene", "l", "z", "zo", "ly", "wu", "69", "uy", "zzz", "li lo", "s t d"],
)
def test_words_are_found_wherever_they_stand_and_short_ones_where_a_word_begins(
    people: list[Registration], words: str
) -> None:
    expected = [one for one in people if all(held(one, word) for word in words.split())]
    assert list(Registration.objects.found_by(words).order_by("pk")) == expected


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("l'hay", [0]),
        ("d’arcy zoe", [0]),
        ("zoe@example.org", [0]),
        ("li.wu@example", [1]),
        ("100 %", [1]),
        ("%", [0, 1, 2, 3, 4]),
        ("_", [0, 1, 2, 3, 4]),
        ("h_l", [2]),
        ('"le_lien"', [2]),
        ("lyon;", [3]),
        ('lyon" OR "zoe', []),
        ("o'brien", [4]),
        ("strauss", [4]),
        ("(69)", [4]),
        ("NOT zoe", []),
        ("zoe*", [0]),
        ("", [0, 1, 2, 3, 4]),
    ],
)
def test_signs_mean_nothing_to_the_database(people: list[Registration], words: str, found: list[int]) -> None:
    assert list(Registration.objects.found_by(words).order_by("pk")) == [people[number] for number in found]


def many(event: Event, count: int, **fields: str) -> list[Registration]:
    return Registration.objects.bulk_create(
        Registration(event=event, language="fr", **answers(**fields)) for _number in range(count)
    )


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def pages(client: Client, path: str) -> Iterator[list[int]]:
    number = 1
    while True:
        shown = client.get(f"{path}&p={number}").context["cl"]
        yield [row.pk for row in shown.result_list]
        if number >= shown.paginator.num_pages:
            return
        number += 1


def test_every_person_found_is_on_a_page_the_latest_first_and_counted(organiser: Client) -> None:
    event = make_event()
    found = many(event, 120, last_name="Durand")
    many(event, 3, last_name="Martin")
    assert list(chain.from_iterable(pages(organiser, f"{PEOPLE}?q=durand"))) == [one.pk for one in reversed(found)]
    assert list(pages(organiser, f"{PEOPLE}?q=martin durand")) == [[]]


def test_a_thousand_are_counted_and_of_more_the_latest_are_shown(organiser: Client) -> None:
    event = make_event()
    found = many(event, 1000, last_name="Durand")
    assert str(organiser.get(f"{PEOPLE}?q=durand").context["cl"].result_count) == "1000"
    found += many(event, 1, last_name="Durand")
    many(event, 2, last_name="Martin")
    list_of = organiser.get(f"{PEOPLE}?q=durand&p=2").context["cl"]
    assert str(list_of.result_count) == "plus de 1\u202f000"
    assert [row.pk for row in list_of.result_list] == [one.pk for one in reversed(found)][50:100]


def test_people_sorted_by_name_are_sorted_by_first_name_as_well(organiser: Client) -> None:
    event = make_event()
    first_names = ["Zoé", "Awa", "Léa"]
    zoe, awa, lea = (make_registration(event, first_name=name, last_name="Durand") for name in first_names)
    assert list(pages(organiser, f"{PEOPLE}?o=1")) == [[awa.pk, lea.pk, zoe.pk]]
    assert list(pages(organiser, f"{PEOPLE}?o=-1&q=durand")) == [[zoe.pk, lea.pk, awa.pk]]


def test_the_mails_of_whoever_is_found_are_on_a_page_the_latest_first(organiser: Client) -> None:
    event = make_event()
    durand, martin = (make_registration(event, last_name=name) for name in ("Durand", "Martin"))
    first, _of_martin, last = (
        Delivery.objects.enqueue(one, Delivery.Kind.UPDATED) for one in (durand, martin, durand)
    )
    assert list(pages(organiser, f"{MAILS}?q=durand")) == [[last.pk, first.pk]]
    assert list(pages(organiser, f"{MAILS}?q=du")) == [[last.pk, first.pk]]
    assert list(pages(organiser, f"{MAILS}?q=durand ma")) == [[]]


def test_a_failed_mail_is_found_however_many_namesakes_came_later(organiser: Client) -> None:
    event = make_event()
    oldest, *_later = many(event, 1100, last_name="Durand")
    failed = Delivery.objects.enqueue(oldest, Delivery.Kind.UPDATED, state="failed")
    assert list(pages(organiser, f"{MAILS}?q=durand&state__exact=failed")) == [[failed.pk]]


def test_a_domain_finds_the_mails_of_everybody_who_has_it(organiser: Client) -> None:
    event = make_event()
    mails = [
        Delivery.objects.enqueue(make_registration(event, email=f"{name}@exemple.fr"), Delivery.Kind.UPDATED)
        for name in "ab"
    ]
    assert list(pages(organiser, f"{MAILS}?q=@exemple.fr")) == [[mail.pk for mail in reversed(mails)]]
    assert list(pages(organiser, f"{MAILS}?q=a@exemple.fr")) == [[mails[0].pk]]


@pytest.mark.parametrize("narrowed", ["", "?q=durand"])
def test_an_act_on_a_whole_list_is_for_as_many_as_it_says(organiser: Client, narrowed: str) -> None:
    event = make_event()
    durand, *_others = (make_registration(event, last_name=name) for name in ("Durand", "Durand", "Martin"))
    Registration.objects.filter(pk=durand.pk).update(status="cancelled")
    chosen = {"action": "withdraw", "select_across": 1, "index": 0, "_selected_action": [durand.pk]}
    page = organiser.post(f"{PEOPLE}{narrowed}", chosen)
    assert dict(page.context["hidden"])["confirmed"] == (1 if narrowed else 2)
    assert len(page.context["names"]) == (1 if narrowed else 2)
