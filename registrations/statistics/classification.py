"""Estimate the type of an organisation from its name, and the function of a person from a job title, by rules.

The words of each group are in words.toml. When several groups match, the earliest match in the text wins, since French
puts the main noun first (« Association de la ville de … », « CCAS, ville de … »); at the same position, the first
group of the file.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models.search import folded

INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")  # « C.C.A.S. »
SPACED_INITIALS = re.compile(r"\b(?:[a-z] ){2,}[a-z]\b")  # « c c a s »
ENDINGS = {
    "e",
    "es",
    "s",
    "fe",
    "fes",
    "ne",
    "ice",
    "rice",
    "trice",
    "euse",
    "ere",
    "iere",
}  # « chargé·e », « élu(e)s »


def plain(text: str) -> str:
    """Normalise a text: « C.C.A.S. – Chargé·e d’Évaluation » becomes « ccas charge d evaluation »."""
    normalised = folded(INITIALS.sub(lambda found: found[0].replace(".", ""), text))
    joined = SPACED_INITIALS.sub(lambda found: found[0].replace(" ", ""), normalised)
    return " ".join(word for word in joined.split() if word not in ENDINGS)


class OrganisationType(models.TextChoices):
    PERSONAL = "personal", _("In a personal capacity")
    PROTECTION = "protection", _("Social protection, employment")
    STATE = "state", _("State services and agencies")
    EDUCATION = "education", _("Education and research")
    INTERCOMMUNAL = "intercommunal", _("Intercommunal bodies")
    COMMUNE = "commune", _("Communes and CCAS")
    DEPARTMENT = "department", _("Departments")
    REGION = "region", _("Regions")
    ASSOCIATION = "association", _("Associations and foundations")
    HOUSING = "housing", _("Social housing")
    HEALTH = "health", _("Health and care")
    COMPANY = "company", _("Companies, cooperatives")
    UNRECOGNISED = "unrecognised", pgettext_lazy("group", "Not recognised")


class Function(models.TextChoices):
    FIELD = "field", _("Social work, mediation, care")
    ELECTED = "elected", _("Elected representatives")
    VOLUNTEER = "volunteer", _("Volunteers, residents")
    STUDY = "study", _("Teaching, research, studies")
    SUPPORT = "support", _("Assistance, administration")
    DIRECTION = "direction", _("Direction")
    HEAD = "head", _("Heads of service")
    PROJECT = "project", _("Projects, coordination")
    ADVICE = "advice", _("Consulting, expertise")
    UNRECOGNISED = "unrecognised", pgettext_lazy("group", "Not recognised")


def _compiled(table: Mapping[str, str]) -> re.Pattern[str]:
    """One expression for the whole table, with a named group per row, so that a text is read once."""
    groups = (f"(?P<{group}>{_alternatives(words)})" for group, words in table.items())
    return re.compile(rf"\b(?:{'|'.join(groups)})(?!\w)")


def _alternatives(words: str) -> str:
    return "|".join(re.split(r"\s+\|\s+|\n\s*", words.strip())).replace("(", "(?:").replace("(?:?", "(?")


WORDS: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
ORGANISATION_RULES, FUNCTION_RULES = _compiled(WORDS["organisation"]), _compiled(WORDS["function"])


def organisation_type(name: str) -> str:
    """A value of OrganisationType; `unrecognised` for an empty name."""
    return _first(ORGANISATION_RULES, name)


def function(job_title: str) -> str:
    """A value of Function."""
    return _first(FUNCTION_RULES, job_title)


def _first(rules: re.Pattern[str], text: str) -> str:
    found = rules.search(plain(text))
    return str(found.lastgroup) if found else OrganisationType.UNRECOGNISED.value
