"""Colleagues: invited by mail, who has which role, deactivated, a lost phone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from registrations.mailing import composer
from registrations.mailing.relevance import obsolete_reason
from registrations.models import AuditEntry, Delivery, Invitation
from registrations.security.roles import ORGANISATION, PER_EVENT, READING
from tests import mailbox
from tests.admin_client import with_fresh_password
from tests.factories import make_event

pytestmark = pytest.mark.django_db

LIST = "/admin/registrations/invitation/"
TYPED = {"first_name": "Inès", "last_name": "Morel", "email": "Ines.Morel@example.org", "role": READING}
PASSWORD = "une longue phrase de passe"


@pytest.fixture
def organisation() -> Client:
    account, client = User.objects.create_user("guillaume", is_staff=True, first_name="Guillaume"), Client()
    account.groups.add(Group.objects.get(name=ORGANISATION))
    client.force_login(account)
    return with_fresh_password(client)


def invited(client: Client, **typed: Any) -> User:
    assert client.post(f"{LIST}invite/", {**TYPED, **typed}).status_code == 302
    return User.objects.latest("pk")


def mail() -> str:
    delivery = Delivery.objects.latest("pk")
    assert obsolete_reason(delivery) == ""
    return mailbox.text(mailbox.read(composer.compose(delivery).message().as_bytes()))


def link(text: str) -> str:
    found = re.search(r"/admin/invitation/\S+", text)
    assert found
    return found[0]


def test_an_invited_colleague_receives_a_link_chooses_a_password_and_sets_up_the_phone(
    organisation: Client, settings: Settings
) -> None:
    settings.STAFF_OTP = "required"
    settings.LANGUAGE_CODE = "en"
    organisation = staff_with_phone(organisation)
    account = invited(organisation)
    visitor = Client()
    page = visitor.get(link(mail()), follow=True)
    assert "ines.morel@example.org" in page.text
    sent = visitor.post(
        page.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD}, follow=True
    )
    assert sent.redirect_chain[0] == ("/admin/set-up/", 302)
    assert "qr-code" in sent.text
    account.refresh_from_db()
    assert account.check_password(PASSWORD)
    assert [group.name for group in account.groups.all()] == [READING]


def staff_with_phone(client: Client) -> Client:
    """Its second factor was given."""
    device = TOTPDevice.objects.create(user=User.objects.get(username="guillaume"), confirmed=True)
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    return client


def test_a_link_opens_once(organisation: Client) -> None:
    invited(organisation)
    address = link(mail())
    visitor = Client()
    form = visitor.get(address, follow=True).redirect_chain[-1][0]
    visitor.post(form, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert Client().get(address).status_code == 404


def test_a_weak_password_is_refused(organisation: Client) -> None:
    account = invited(organisation)
    visitor = Client()
    form = visitor.get(link(mail()), follow=True).redirect_chain[-1][0]
    page = visitor.post(form, {"new_password1": "court", "new_password2": "court"})
    assert page.context["form"].errors
    account.refresh_from_db()
    assert not account.has_usable_password()


def test_the_link_expires_after_a_week(organisation: Client) -> None:
    invited(organisation)
    address = link(mail())
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=7))
    assert Client().get(address).status_code == 404
    assert [line.state for line in organisation.get(LIST).context["lines"] if line.address] == ["Invitation expirée"]


def test_an_invitation_sent_again_replaces_the_former_link(organisation: Client) -> None:
    account = invited(organisation)
    former = link(mail())
    organisation.post(f"{LIST}{account.pk}/send-again/", {"confirmed": "yes"})
    states = Delivery.objects.order_by("pk").values_list("kind", "state")
    assert list(states) == [("invitation", "cancelled"), ("invitation", "pending")]
    assert Client().get(former).status_code == 404
    assert Client().get(link(mail())).status_code == 302


def test_a_withdrawn_invitation_opens_nothing_and_its_mail_does_not_leave(organisation: Client) -> None:
    account = invited(organisation)
    address = link(mail())
    organisation.post(f"{LIST}{account.pk}/withdraw/", {"confirmed": "yes"})
    assert Client().get(address).status_code == 404
    assert Delivery.objects.get().state == "cancelled"
    account.refresh_from_db()
    assert not account.is_active


def test_a_withdrawn_colleague_can_be_invited_once_more(organisation: Client) -> None:
    account = invited(organisation)
    organisation.post(f"{LIST}{account.pk}/withdraw/", {"confirmed": "yes"})
    organisation.post(f"{LIST}{account.pk}/reopen/", {"confirmed": "yes"})
    assert Client().get(link(mail())).status_code == 302


def test_the_mail_names_who_invites_and_the_webinars_to_run(organisation: Client) -> None:
    event = make_event(title="Les jeunes et l’emploi")
    invited(organisation, role=PER_EVENT, events=[event.pk])
    text = mail()
    assert "Guillaume" in text
    assert "Les jeunes et l’emploi" in text.replace("\u00a0", " ")


def test_a_role_per_webinar_needs_a_webinar(organisation: Client) -> None:
    page = organisation.post(f"{LIST}invite/", {**TYPED, "role": PER_EVENT})
    assert list(page.context["form"].errors) == ["events"]
    assert not Invitation.objects.exists()


def test_an_address_is_invited_once(organisation: Client) -> None:
    invited(organisation)
    page = organisation.post(f"{LIST}invite/", TYPED)
    assert list(page.context["form"].errors) == ["email"]
    assert Invitation.objects.count() == 1


def test_the_link_is_in_no_page_of_the_desk_and_in_no_column(organisation: Client) -> None:
    account = invited(organisation)
    token = link(mail()).rstrip("/").rpartition("/")[2]
    pages = [LIST, f"{LIST}{account.pk}/", f"/admin/registrations/delivery/{Delivery.objects.get().pk}/change/"]
    assert all(token not in organisation.get(page).text for page in pages)
    assert token not in str(list(Delivery.objects.values())) + str(list(AuditEntry.objects.values()))


def test_the_list_says_who_has_which_role_and_a_second_factor(organisation: Client) -> None:
    account = invited(organisation, role=PER_EVENT, events=[make_event(short_title="Emploi").pk])
    TOTPDevice.objects.create(user=account, confirmed=True)
    lines = {line.account: line for line in organisation.get(LIST).context["lines"]}
    line = lines[account]
    assert (line.role, line.state, line.has_phone) == ("Par webinaire", "Invitation envoyée", True)
    assert "Emploi" in line.events[0]


def test_the_list_costs_the_same_with_many_colleagues(
    organisation: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        invited(organisation, email=f"collegue{number}@example.org", role=PER_EVENT, events=[make_event().pk])
    with django_assert_max_num_queries(12):
        organisation.get(LIST)


def test_a_changed_role_holds_at_once(organisation: Client) -> None:
    account = invited(organisation)
    organisation.post(f"{LIST}{account.pk}/", {"role": ORGANISATION})
    assert [group.name for group in account.groups.all()] == [ORGANISATION]


def test_a_deactivated_colleague_is_out_at_once_and_stays_in_the_log(organisation: Client) -> None:
    account = invited(organisation)
    Invitation.objects.update(accepted_at=timezone.now())
    inside = Client()
    inside.force_login(account)
    organisation.post(f"{LIST}{account.pk}/deactivate/", {"confirmed": "yes"})
    assert inside.get("/admin/").status_code == 302
    assert AuditEntry.objects.filter(action="rights_changed", about=f"auth.user {account.pk}", detail__is_active=False)
    assert User.objects.filter(pk=account.pk).exists()


def test_a_lost_phone_is_reset_by_the_organisation_and_the_log_says_who(organisation: Client) -> None:
    account = invited(organisation)
    TOTPDevice.objects.create(user=account, confirmed=True)
    organisation.post(f"{LIST}{account.pk}/reset-phone/", {"confirmed": "yes"})
    assert not TOTPDevice.objects.filter(user=account).exists()
    entry = AuditEntry.objects.get(action="otp_reset")
    assert entry.actor == User.objects.get(username="guillaume").pk


@pytest.mark.parametrize("page", ["", "reset-phone/", "deactivate/", "send-again/"])
def test_an_operator_and_oneself_are_out_of_reach(organisation: Client, page: str) -> None:
    operator = User.objects.create_superuser("operateur")
    oneself = User.objects.get(username="guillaume")
    for account in (operator, oneself):
        TOTPDevice.objects.create(user=account, confirmed=True)
        answer = organisation.post(f"{LIST}{account.pk}/{page}", {"role": READING, "confirmed": "yes"})
        assert answer.status_code == 403
    assert TOTPDevice.objects.count() == 2


def test_nothing_happens_before_the_question_is_answered(organisation: Client) -> None:
    account = invited(organisation)
    page = organisation.post(f"{LIST}{account.pk}/withdraw/")
    assert page.status_code == 200
    assert Invitation.objects.get().is_pending
