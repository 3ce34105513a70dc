"""The last part of an event's address."""

import re

from django.utils.text import slugify

from registrations.models import Event

LENGTH_MAX = 42  # Django's SlugField has 50: room for the year and for a number
ENDS_WITH_A_YEAR = re.compile(r"-(19|20)\d\d(-\d+)?$")


def for_title(title: str, year: int) -> str:
    """`articuler-ctg-et-ceq-2025`, or with a number behind it when that one is taken."""
    return for_year(slugify(title) or "webinaire", year)


def for_year(slug: str, year: int) -> str:
    """The same slug for another year."""
    wanted = f"{ENDS_WITH_A_YEAR.sub('', slug)[:LENGTH_MAX].strip('-')}-{year}"
    taken = set(Event.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    candidates = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 2))]
    return next(slug for slug in candidates if slug not in taken)
