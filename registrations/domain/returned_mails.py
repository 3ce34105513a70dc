"""Mails that came back, as the team notes them. A provider that sends events tells the site by itself (`tracking`)."""

from django.db import transaction

from registrations.models import Delivery, Registration
from registrations.models.delivery import DeliveryQuerySet

Status = Delivery.ProviderStatus


def may_have_returned(mails: DeliveryQuerySet) -> DeliveryQuerySet:
    """Those that were handed over, and are not known to have come back."""
    return mails.filter(state=Delivery.State.SENT, provider_status__in=["", *Status.BOUNCED.earlier()])


def note(mails: DeliveryQuerySet) -> None:
    """These mails came back: nothing more of their registrations goes to the addresses that they went to."""
    mails.note_event(Status.BOUNCED)


@transaction.atomic
def note_address(registration: Registration) -> bool:
    """The address of this person does not work. Returns False if no mail went there that could have come back."""
    registration = Registration.objects.locked(registration)
    last = may_have_returned(_to_address(registration)).order_by("-sent_at").first()
    if last is not None:
        note(Delivery.objects.filter(pk=last.pk))
    return last is not None


@transaction.atomic
def take_back(registration: Registration) -> bool:
    """The address works after all: mails go there again. Returns False if none was noted as returned."""
    registration = Registration.objects.locked(registration)
    return bool(_to_address(registration).filter(provider_status=Status.BOUNCED).update(provider_status=""))


def _to_address(registration: Registration) -> DeliveryQuerySet:
    return Delivery.objects.filter(registration=registration, sent_to__iexact=registration.email)
