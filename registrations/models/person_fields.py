"""The fields of a person, declared once.

The form, the self-service page, corrections, the back office, exports, imports, « mes-donnees.json », erasure, the
figures and the placeholders of messages read this table. Its order is the order of forms and pages. A column of
Registration that is not about the person is listed in NOT_ABOUT_THE_PERSON, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event
from registrations.models.purged_count import PurgedCount


class Kind(Enum):
    """The input of the public form. What each accepts: `web.fields.person_field`."""

    NAME = auto()
    ADDRESS = auto()
    TEXT = auto()
    LONG_TEXT = auto()
    LIST = auto()  # a drop-down list of the event's own choices
    RADIO = auto()  # the event's own choices, all visible
    BOX = auto()  # a box to tick, with the event's own words


class Group(Enum):
    """The fieldset of the public form."""

    CONTACT = auto()
    WORK = auto()
    WEBINAR = auto()
    TOUCH = auto()


@dataclass(frozen=True)
class Question:
    """How the public form asks for a field."""

    group: Group
    kind: Kind = Kind.TEXT
    label: Any = ""  # empty: the model's
    help_text: Any = ""
    missing: Any = ""  # the error of an empty answer; empty: the field is optional
    too_long: Any = ""  # names %(limit)s and %(length)s; empty: in general words
    not_offered: Any = ""  # the error of an answer that is no choice
    no_choice: Any = ""  # the first line of a drop-down list
    autocomplete: str = ""  # a token of HTML, section "Autofill"
    offers: Callable[[Event], Any] | None = None  # choices, or the words of a box; the event offers none: not asked

    @property
    def is_required(self) -> bool:
        return bool(self.missing)


@dataclass(frozen=True)
class PersonField:
    """What happens to a field. The defaults suit an optional text: corrected, exported, shown, erased on request."""

    name: str  # of the model's field, of the form's field, of the column of an export
    asked: Question | None = None
    corrected_by_person: bool = True
    corrected_by_organiser: bool = True
    shown: bool = True  # under "Your answers" of the self-service page; an optional one only when it has a value
    shown_label: Any = ""  # empty: as in the form
    exported: bool = True
    export_heading: Any = ""  # empty: the model's label
    is_usual_column: bool = False  # ticked in a first export
    headings: frozenset[str] = frozenset()  # folded names of its column in an imported list; none: not imported
    my_data_key: str = ""  # in mes-donnees.json; empty: the name
    erased_at_once: bool = True  # when a person asks for erasure; the rest goes once the mail that says so has left
    is_kept_in_figures: bool = False  # in AnonymousRegistration, after the purge
    counted_as: PurgedCount.Dimension | None = None  # the purge adds its kind to these figures
    is_searched: bool = False  # by the search of the admin
    placeholder: str = ""  # {prenom} in the text of a message

    @property
    def label(self) -> Any:
        return capfirst(self.column.verbose_name)

    @property
    def form_label(self) -> Any:
        return (self.asked and self.asked.label) or self.label

    @property
    def is_required(self) -> bool:
        return self.asked is not None and self.asked.is_required

    @property
    def column(self) -> Any:
        """The field of the model, looked up late: the model reads this table too."""
        return apps.get_model("registrations", "Registration")._meta.get_field(self.name)


PERSON_FIELDS = (
    PersonField(
        "first_name",
        Question(
            Group.CONTACT,
            Kind.NAME,
            missing=_("Enter your first name."),
            too_long=_("The first name must not exceed %(limit)s characters; you typed %(length)s."),
            autocomplete="given-name",
        ),
        is_usual_column=True,
        headings=frozenset({"first name", "firstname", "given name", "prenom", "prenoms"}),
        erased_at_once=False,
        is_searched=True,
        placeholder="prenom",
    ),
    PersonField(
        "last_name",
        Question(
            Group.CONTACT,
            Kind.NAME,
            missing=_("Enter your last name."),
            too_long=_("The last name must not exceed %(limit)s characters; you typed %(length)s."),
            autocomplete="family-name",
        ),
        is_usual_column=True,
        headings=frozenset({"last name", "lastname", "surname", "family name", "nom de famille", "nom"}),
        erased_at_once=False,
        is_searched=True,
        placeholder="nom",
    ),
    PersonField(
        "email",
        Question(Group.CONTACT, Kind.ADDRESS, missing=_("Enter your email address."), autocomplete="email"),
        corrected_by_person=False,  # on a page of its own: the new address has to be confirmed
        is_usual_column=True,
        headings=frozenset(
            {
                *["email", "e mail", "mail", "courriel", "user email", "user e mail", "email address"],
                *["e mail address", "participant email", "attendee email", "adresse e mail", "adresse email"],
                *["adresse mail", "adresse de courriel", "adresse electronique", "adresse de messagerie"],
                *["courrier electronique", "messagerie", "e mail de l utilisateur"],
                *["adresse e mail de l utilisateur", "email de l utilisateur"],
            }
        ),
        erased_at_once=False,
        is_searched=True,
    ),
    PersonField(
        "new_email",
        corrected_by_person=False,
        corrected_by_organiser=False,
        shown=False,  # beside the address
        exported=False,
        my_data_key="new_email_to_confirm",
    ),
    PersonField(
        "first_email",
        corrected_by_person=False,
        corrected_by_organiser=False,
        shown=False,
        exported=False,
        erased_at_once=False,  # names the calendar entry that the last mail takes out
    ),
    PersonField(
        "organisation",
        Question(
            Group.WORK,
            help_text=_("Town, local authority, family benefits office, association, State service…"),
            missing=_("Enter the name of your organisation."),
            too_long=_("The organisation must not exceed %(limit)s characters; you typed %(length)s."),
            autocomplete="organization",
        ),
        is_usual_column=True,
        headings=frozenset(
            {
                *["organisation", "organization", "organisme", "structure", "collectivite", "company", "employeur"],
                *[
                    "employer",
                    "association",
                    "entreprise",
                    "societe",
                    "etablissement",
                    "institution",
                    "raison sociale",
                ],
            }
        ),
        counted_as=PurgedCount.Dimension.ORGANISATION,
        is_searched=True,
    ),
    PersonField(
        "job_title",
        Question(
            Group.WORK,
            help_text=_("For example: project manager, elected representative, coordinator"),
            missing=_("Enter your job title."),
            too_long=_("The job title must not exceed %(limit)s characters; you typed %(length)s."),
            autocomplete="organization-title",
        ),
        is_usual_column=True,
        headings=frozenset({"job title", "title", "fonction", "poste", "metier", "profession", "role", "qualite"}),
        counted_as=PurgedCount.Dimension.FUNCTION,
    ),
    PersonField(
        "territory",
        Question(
            Group.WORK,
            Kind.LIST,
            label=_("Department where you work"),
            not_offered=_("Choose a department from the list."),
            no_choice=_("Choose a department"),
            offers=lambda event: event.territory_choices,
        ),
        is_usual_column=True,
        headings=frozenset({"territory", "territoire", "department", "departement"}),
        is_kept_in_figures=True,
    ),
    PersonField(
        "heard_from",
        Question(
            Group.WEBINAR,
            Kind.RADIO,
            label=_("How did you hear about this webinar?"),
            not_offered=_("Choose an answer from the list."),
            offers=lambda event: event.origin_labels,
        ),
        export_heading=_("Heard of it by"),
        is_kept_in_figures=True,
    ),
    PersonField(
        "question",
        Question(
            Group.WEBINAR,
            Kind.LONG_TEXT,
            label=_("A question to ask during the webinar?"),
            help_text=_("1,000 characters at most. It may be read out during the webinar, without your name."),
            too_long=_("Your question must not exceed %(limit)s characters; you typed %(length)s."),
        ),
        shown_label=_("Your question"),
        headings=frozenset({"question"}),
    ),
    PersonField(
        "own_answers",  # inputs, lines and columns of its own, one for each question: domain/custom_questions.py
        shown=False,
        exported=False,
        corrected_by_organiser=False,
    ),
    PersonField(
        "newsletter",  # a consent is given, not imported
        Question(
            Group.TOUCH,
            Kind.BOX,
            help_text=_("Optional. No effect on your registration. You can unsubscribe at any time."),
            offers=lambda event: event.texts.newsletter_label,
        ),
    ),
    *(
        PersonField(
            name,  # written and emptied with the consent: domain/decisions.py
            corrected_by_person=False,
            corrected_by_organiser=False,
            shown=False,
            exported=False,  # the list of the newsletter has it
            erased_at_once=False,
        )
        for name in ("newsletter_at", "newsletter_words")
    ),
    PersonField("language", corrected_by_person=False, shown=False, erased_at_once=False),
)

NOT_ABOUT_THE_PERSON = {
    "id": "the row's number",
    "event": "which list the person is on",
    "wants_messages": "chosen on the personal page; mes-donnees.json has it",
    "wants_reminders": "chosen on the personal page; mes-donnees.json has it",
    "status": "changed by actions; mes-donnees.json has it, the figures count it",
    "uid": "of the first calendar entry, random; mes-donnees.json has the present one",
    "sequence": "counts the versions of the calendar entry",
    "join_code": "random, the secret of a link",
    "manage_code": "random, the secret of a link",
    "created_at": "written by the site; mes-donnees.json has it",
    "waiting_since": "written by the site; mes-donnees.json has it",
    "cancelled_at": "written by the site; mes-donnees.json has it",
    "erase_by": "written by the site, for an hour or a day",
    "figures": "what the figures keep of who asked for erasure, for a day",
    "new_email_code": "random, the secret of a link",
    "link_was_used": "noted by the site, only within half an hour of the sign-up",
    "is_dry_run": "an organiser's trial, which counts nowhere",
    "certificate_number": "random; mes-donnees.json has it",
    "came": "read by an older version only, during an upgrade",
    "search": "computed from the fields that are searched whenever the row is saved",
}

BY_NAME = {one.name: one for one in PERSON_FIELDS}


def names(is_wanted: Callable[[PersonField], Any]) -> list[str]:
    """Names of the fields that fulfil a condition, in the order of the table."""
    return [one.name for one in PERSON_FIELDS if is_wanted(one)]


def in_lists() -> list[PersonField]:
    """All fields in the order of spreadsheets: the last name comes first."""
    return sorted(PERSON_FIELDS, key=lambda one: one.name != "last_name")
