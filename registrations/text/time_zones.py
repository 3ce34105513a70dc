"""Time zones by the names of their places in the active language, from the Unicode Consortium's CLDR through Babel.

Babel is imported when the first zone is named: it takes longer than a page.
"""

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from registrations.models.search import folded
from registrations.text import typography

if TYPE_CHECKING:
    from babel import Locale

FRANCE = {"FR", "GF", "GP", "MQ", "YT", "RE", "PM", "BL", "MF", "PF", "NC", "WF", "TF"}  # ISO 3166-1, overseas too
OFFICIAL_NAMES = {"GF": gettext_lazy("French Guiana")}  # « Guyane » in French, where CLDR says « Guyane française »


def spoken(zone: str) -> str:
    """heure de Nouméa, heure d’Athènes, heure UTC; Nouméa time."""
    if not _territory(zone):
        return pgettext("not of a place", "%(zone)s time") % {"zone": _city(zone)}
    return _("%(of_city)s time") % {"of_city": typography.of_city(_city(zone))}


def place(zone: str) -> str:
    """Nouméa (Nouvelle-Calédonie), La Réunion, UTC."""
    city, name = _city(zone), territory_name(zone)
    return city if name in {"", city} else f"{city} ({name})"


def territory_name(zone: str) -> str:
    """Nouvelle-Calédonie, Guyane; empty for UTC and the like."""
    code = _territory(zone)
    return str(OFFICIAL_NAMES.get(code) or _locale().territories.get(code, ""))


def choices(chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Zones by their places, those of France first. `chosen` is one of them, under the name by which it is stored."""
    others = [zone for zone in _of_places() if _canonical(zone) != _canonical(chosen)]
    named = sorted(((zone, place(zone)) for zone in [chosen, *others]), key=lambda choice: folded(choice[1]))
    french = [choice for choice in named if _territory(choice[0]) in FRANCE]
    return [(_("France"), french), (_("Elsewhere"), [choice for choice in named if choice not in french])]


def _city(zone: str) -> str:
    return _cities_in(_language()).get(_canonical(zone)) or zone.rpartition("/")[2].replace("_", " ")


@cache
def _cities_in(language: str) -> dict[str, str]:
    """By zone: CLDR lists some under the zone's first name only, as Atlantic/Faeroe for Atlantic/Faroe."""
    zones = _locale_of(language).time_zones.items()
    cities = {zone: str(words["city"]) for zone, words in zones if "city" in words}
    return {_canonical(zone): city for zone, city in cities.items()} | cities


def _locale() -> "Locale":
    return _locale_of(_language())


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


@cache
def _locale_of(language: str) -> "Locale":
    from babel import Locale

    return Locale.parse(language, sep="-")


@cache
def _canonical(zone: str) -> str:
    """The name by which CLDR knows it."""
    from babel.core import get_global

    return str(get_global("zone_aliases").get(zone, zone))


@cache
def _territory(zone: str) -> str:
    """ISO 3166-1; empty for UTC and the like."""
    from babel.core import get_global

    code = str(get_global("zone_territories").get(_canonical(zone), ""))
    return code if code.isalpha() and code != "ZZ" else ""


@cache
def _of_places() -> list[str]:
    from babel.core import get_global

    known = available_timezones()
    return sorted(zone for zone in get_global("zone_territories") if zone in known and _territory(zone))
