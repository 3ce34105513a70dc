"""« Cette adresse ne fonctionne pas »: what the team learns from a returned mail, noted on the person."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from registrations.admin.people.actions import EVERYWHERE, Question, admin_action
from registrations.admin.people.bulk_actions import BULK_ACTIONS, BulkAction
from registrations.domain import returned_mails
from registrations.models import Delivery
from registrations.security import audit


def _with(mails: QuerySet[Delivery], people: QuerySet[Any]) -> QuerySet[Any]:
    """Those with such a mail that went to their present address."""
    of_person = mails.alias(to=Lower("sent_to")).filter(registration=OuterRef("pk"), to=Lower(OuterRef("email")))
    return people.filter(Exists(of_person))


def _written_to(people: QuerySet[Any]) -> QuerySet[Any]:
    return _with(returned_mails.may_have_returned(Delivery.objects.all()), people)


def _returned(people: QuerySet[Any]) -> QuerySet[Any]:
    return _with(Delivery.objects.filter(provider_status=Delivery.ProviderStatus.BOUNCED), people)


BULK_ACTIONS["address_fails"] = BulkAction(
    title=_("Note that the address does not work"),
    chosen=_written_to,
    do=returned_mails.note_address,
    done=ngettext_lazy(
        "%(count)s address is noted as not working.", "%(count)s addresses are noted as not working.", "count"
    ),
    action=audit.Action.ON_BEHALF,
)
ADDRESS_FAILS = Question(
    name="address_fails",
    question=ngettext_lazy(
        "A mail to %(count)s person came back: no further mail goes to this address until it is corrected.",
        "Mails to %(count)s people came back: no further mail goes to these addresses until they are corrected.",
        "count",
    ),
    button=ngettext_lazy(
        "Note that %(count)s address does not work", "Note that %(count)s addresses do not work", "count"
    ),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: no mail has left for its address, or a return is noted already.",
        "%(count)s registrations are left out: no mail has left for their addresses, or a return is noted already.",
        "count",
    ),
    is_feared=True,
)
BULK_ACTIONS["address_works"] = BulkAction(
    title=_("Note that the address works after all"),
    chosen=_returned,
    do=returned_mails.take_back,
    done=ngettext_lazy("Mails go to %(count)s address again.", "Mails go to %(count)s addresses again.", "count"),
    action=audit.Action.ON_BEHALF,
)
ADDRESS_WORKS = Question(
    name="address_works",
    question=ngettext_lazy(
        "The returns of %(count)s person are forgotten. Mails that were not sent meanwhile are not made up for.",
        "The returns of %(count)s people are forgotten. Mails that were not sent meanwhile are not made up for.",
        "count",
    ),
    button=ngettext_lazy("Write to %(count)s address again", "Write to %(count)s addresses again", "count"),
    left_out=ngettext_lazy(
        "%(count)s registration is left out: no return is noted.",
        "%(count)s registrations are left out: no return is noted.",
        "count",
    ),
)

address_fails = admin_action(ADDRESS_FAILS, location=EVERYWHERE)
address_works = admin_action(ADDRESS_WORKS, location=EVERYWHERE)
