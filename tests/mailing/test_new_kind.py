"""Each kind of mail is declared whole: a failure names the place where a fact is missing."""

from collections.abc import Collection
from typing import Any

import pytest
from django.contrib.admin.utils import flatten_fieldsets
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import trans_real

from registrations.admin.events import parts
from registrations.mailing import previews, relevance
from registrations.models import Delivery, Event
from registrations.models.mail_kinds import KINDS, CalendarRule, Condition, Kind, MailKind, Recipient

TABLE = "KINDS in registrations/models/mail_kinds.py"
every_kind = pytest.mark.parametrize("kind", Kind, ids=str)


def declared(kind: Kind) -> MailKind:
    assert kind in KINDS, f"{kind} has no entry in {TABLE}"
    return KINDS[kind]


def french_lacks(words: object) -> str:
    """The text that has no French translation; empty when it has one."""
    with translation.override(None):
        text = str(words)
    french: Any = trans_real.translation("fr")
    return "" if text in french._catalog else text


@every_kind
def test_a_kind_has_an_entry_and_fits_its_column(kind: Kind) -> None:
    assert declared(kind)
    length = Delivery._meta.get_field("kind").max_length or 0
    assert len(kind) <= length, f"{kind} is longer than Delivery.kind in registrations/models/delivery.py"


@every_kind
@pytest.mark.parametrize("part", [".txt#subject", ".txt#kicker", ".txt#body", ".html"])
def test_a_kind_has_its_templates(kind: Kind, part: str) -> None:
    try:
        get_template(f"mail/{kind}{part}")
    except TemplateDoesNotExist:
        pytest.fail(f"{kind} needs templates/mail/{kind}{part}")


@every_kind
def test_a_kind_has_a_french_name(kind: Kind) -> None:
    assert not french_lacks(kind.label), f"{kind}: translate “{kind.label}” in registrations/locale/fr"


@every_kind
def test_a_kind_to_people_has_previews(kind: Kind) -> None:
    facts = declared(kind)
    has_no_words_of_its_own = facts.is_written_by_organiser or facts.recipient.is_internal
    assert facts.situations or has_no_words_of_its_own, f"{kind} needs `situations` in {TABLE}, to be previewed"
    keys = {sample.key for sample in previews.SAMPLES.values() if sample.kind == kind}
    assert len(keys) == len(facts.situations), f"{kind}: two of its `situations` in {TABLE} are the same"


@every_kind
def test_a_kind_says_what_makes_it_obsolete(kind: Kind) -> None:
    facts = declared(kind)
    if facts.recipient == Recipient.REGISTRANT:
        wanted = set(Condition)
        assert facts.conditions or kind == Kind.ADDRESS_CHANGED, f"{kind} needs `conditions` in {TABLE}"
    else:
        wanted = {*relevance.OF_EVENT, *relevance.OF_STAFF}
        assert facts.conditions or facts.recipient.is_internal, f"{kind} needs a condition of its event in {TABLE}"
    beside = set(facts.conditions) - wanted
    assert not beside, f"{kind}: {beside} in {TABLE} ask for a registration, and it has none"


OF_ALL: list[Collection[Condition]] = [relevance.OF_REGISTRATION, relevance.OF_EVENT, relevance.OF_STAFF]


@pytest.mark.parametrize("condition", Condition, ids=lambda condition: condition.name)
def test_a_condition_is_checked_in_one_place(condition: Condition) -> None:
    found = [condition in functions for functions in OF_ALL]
    assert found.count(True) == 1, f"{condition} needs a function in registrations/mailing/relevance.py"


@every_kind
def test_a_calendar_entry_belongs_to_a_registrant(kind: Kind) -> None:
    facts = declared(kind)
    goes_to_registrant = facts.recipient == Recipient.REGISTRANT
    assert goes_to_registrant or facts.calendar == CalendarRule.NONE, f"{kind}: no `calendar` in {TABLE}"


@every_kind
def test_a_scheduled_kind_names_its_hour_and_leaves_after_what_someone_waits_for(kind: Kind) -> None:
    facts = declared(kind)
    if (schedule := facts.schedule) is None:
        return
    assert facts.priority != 0, f"{kind} needs a `priority` in {TABLE}: 0 is for whoever waits at the screen"
    assert hasattr(Event, schedule.at), (
        f"{kind} needs the property Event.{schedule.at} in registrations/models/event.py"
    )
    columns = {field.name for field in Event._meta.get_fields()}
    missing = {*schedule.fields, *schedule.words} - columns
    assert not missing, f"{kind}: add {missing} to registrations/models/event.py"
    assert not french_lacks(schedule.audience), f"{kind}: translate “{schedule.audience}” in registrations/locale/fr"


@every_kind
def test_an_organiser_may_choose_the_hour_of_a_scheduled_kind(kind: Kind) -> None:
    facts = declared(kind)
    on_the_form = set(flatten_fieldsets(parts.fieldsets(told_elsewhere=False, zone="timezone")))
    missing = {*facts.schedule.fields, *facts.schedule.words} - on_the_form if facts.schedule else set()
    assert not missing, f"{kind}: put {missing} on the form in registrations/admin/events/parts.py"
