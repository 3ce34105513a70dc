"""What a name is: real names pass, and what reads as an address, a number or an advert does not."""

from typing import Any

import pytest

from registrations.admin.imports.people_check import ImportedForm
from registrations.mailing import composer
from registrations.models import Delivery, Registration
from registrations.text import names
from tests import mailbox
from tests.admin_client import EVENTS, PEOPLE, logged_in
from tests.factories import make_event, make_registration
from tests.journey import Journey

GREETED = """
    Zoë, D'Arcy-Ó Súilleabháin, J. R., Nguyễn Thị, محمد, الرَّحْمٰنِ, 李, Kumar a/l, a/l Subramaniam, J.-P., Gal·la, हरि,
    ཀརྨ, O, ʻOkina, D’Angelo, St. John, बाबा साहेब, שָׁלוֹם, Mlle.
"""
IN_DOUBT = """
    M.Dupont, Prof.Dr., Ste.Marie, Dr.med. Müller, Ph.D., ดร.สมชาย, O’Neil 👩‍🏫, Mª, Dupont., مُحَمَّدٌ بْنُ عَبْدِ اللّٰهِ,
    Tan s/o Lee, Bet.Casino, 中.国, Gagnez sur casino, саsіno, Ｃａｓｉｎｏ, 𝐂𝐀𝐒𝐈𝐍𝐎
"""
DOMAINS = [
    "q9.casino",
    "asuspeci.tk",
    "bit.ly",
    "t.me",
    "x.com",
    "Bet.casino",
    "Gagnez.Casino",
    "www.x",
    "Gagnez sur t.me",
]
DOMAINS += [f"casino{dot}com" for dot in "．。｡․‧·・•ꞏᐧ۔"]
DOMAINS += [f"casino{dot}com" for dot in "丶\u302e\u302f\U0001d16d\U0001d158\U0001d165\U0001d172\U0001d17b\U0001d242"]
NUMBERS = ["06 12 34 56 78", "+33612345678", "٠٦١٢٣٤", "①②③", "Ⅳ", "Appelez le 3615"]
ADVERTS = [
    "http://x",
    "a@b",
    "a/b",
    "and/or",
    "{event}",
    "$$$",
    "<b>",
    "Jean;Marc",
    "🅒🅐🅢🅘🅝🅞",
    "℡",
    "a^b",
    "Zo" + "\u0301" * 9,
]
NO_NAMES = ["👩‍🏫", "💰💰", "-", "’", "...", ".", "/", "\u0301", "\ue000"]


def listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


@pytest.mark.parametrize("name", [*listed(GREETED), *listed(IN_DOUBT)])
def test_a_real_name_is_refused(name: str) -> None:
    assert names.is_name(name)


@pytest.mark.parametrize("text", [*DOMAINS, *NUMBERS, *ADVERTS, *NO_NAMES])
def test_an_advert_is_mailed_to_a_stranger_as_a_name(text: str) -> None:
    assert not names.is_name(text)


@pytest.mark.parametrize("name", listed(GREETED))
def test_a_person_is_not_greeted_by_their_name(name: str) -> None:
    assert names.may_be_greeted(name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", listed(IN_DOUBT))
def test_a_doubtful_name_reads_as_content_of_the_first_mail(name: str) -> None:
    registration = make_registration(make_event(report=False), first_name=name)
    mail = composer.compose(Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new"))
    whole = "".join([str(mail.subject), str(mail.body), *(str(content) for content, _type in mail.alternatives)])
    assert name not in whole
    assert "\nBonjour,\n" in str(mail.body)


def test_a_pasted_name_with_a_no_break_space_is_refused() -> None:
    assert names.is_name("Zoë\u00a0Durand")


@pytest.mark.django_db
def test_a_name_greets_in_the_first_mail(journey: Journey) -> None:
    journey.sign_up(make_event(report=False), first_name="Zoë")
    [mail] = journey.mails()
    assert "\nBonjour Zoë,\r\n" in mailbox.text(mail)


# The same rule wherever a name is typed


@pytest.mark.django_db
def test_an_import_brings_an_advert_as_a_name() -> None:
    form = ImportedForm(event=make_event(report=False))
    cells: dict[str, Any] = {"first_name": "q9.casino", "last_name": "06 12 34", "email": "a@example.org"}
    form.data = {**cells, "organisation": "Ville", "job_title": "Maire"}
    form.full_clean()
    assert sorted(form.errors) == ["first_name", "last_name"]


@pytest.mark.django_db
def test_the_admin_takes_an_advert_as_a_name() -> None:
    person, organiser = make_registration(), logged_in()
    path = f"{PEOPLE}{person.pk}/change/"
    form = organiser.get(path).context["adminform"].form
    typed = {bound.name: bound.value() for bound in form if bound.value() not in (None, False, "")}
    page = organiser.post(path, {**typed, "first_name": "q9.casino"})
    assert list(page.context["adminform"].form.errors) == ["first_name"]
    assert Registration.objects.get().first_name == person.first_name


@pytest.mark.django_db
def test_a_dry_run_takes_an_advert_as_a_name() -> None:
    event, organiser = make_event(report=False), logged_in()
    typed = {"first_name": "q9.casino", "last_name": "B", "email": "a@example.org", "language": "fr"}
    page = organiser.post(f"{EVENTS}{event.pk}/trial/", typed)
    assert list(page.context["form"].errors) == ["first_name"]
    assert not Registration.objects.exists()
