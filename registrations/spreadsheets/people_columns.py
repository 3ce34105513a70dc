"""Guess which column of a list of people is which, from headings and cells. The organiser sees it and corrects it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from registrations.models import person_fields
from registrations.models.search import folded
from registrations.spreadsheets.reader import Line

IMPORTED = [one for one in person_fields.in_lists() if one.headings]
REQUIRED = [one.name for one in IMPORTED if one.is_required]
LAST_FIRST, FIRST_LAST = "last_first", "first_last"  # both names in one column, in this order
FULL_NAMES = (LAST_FIRST, FIRST_LAST)
FULL_NAME_HEADINGS = {"name", "full name", "nom complet", "participant", "identite", "nom et prenom s"}
OF_ANOTHER_PERSON = {
    *["payeur", "payer", "acheteur", "buyer", "facturation", "billing", "organisateur", "organizer", "hote", "host"],
    *["utilisateur", "user", "commande", "order"],
}
OF_THE_PERSON = {"votre", "vos", "your", "participant", "participante", "inscrit", "inscrite", "attendee"}
ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
BRACKETS = re.compile(r"[(\[].*?[)\]]")
SAMPLE = 200  # lines that are looked at
EXACT, PHRASE, CONTENT = 100, 50, 20  # points


@dataclass(frozen=True)
class Guess:
    columns: dict[int, str]  # kind by the index of the column: the name of a field, LAST_FIRST or FIRST_LAST
    is_certain: bool  # all that is required has a heading that is well known


def is_address(cell: str) -> bool:
    return ADDRESS.fullmatch(cell) is not None


def known_headings(line: Line) -> int:
    """Number of fields that the cells of this line name."""
    if any(map(is_address, line.cells)):
        return 0
    named = [_named(cell) for cell in line.cells]
    kinds = {max(points, key=lambda kind: points[kind]) for points in named if points}
    return len(kinds - set(FULL_NAMES)) + 2 * bool(kinds & set(FULL_NAMES))


def guess(headings: Sequence[str], lines: Iterable[Line]) -> Guess:
    sample = [line.cells for _number, line in zip(range(SAMPLE), lines, strict=False)]
    columns = [[cells[at] for cells in sample if at < len(cells) and cells[at]] for at in range(len(headings))]
    points = {
        (kind, at): score
        for at, heading in enumerate(headings)
        for kind, score in _points(heading, columns[at])
        if score > 0
    }
    found: dict[str, int] = {}
    for kind, at in sorted(points, key=lambda one: -points[one]):
        if kind not in found and at not in found.values():
            found[kind] = at
    _settle_names(found, columns)
    exact = {kind for kind, at in found.items() if points.get((kind, at), 0) >= EXACT}
    return Guess({at: kind for kind, at in sorted(found.items(), key=lambda one: one[1])}, set(REQUIRED) <= exact)


def _settle_names(found: dict[str, int], columns: list[list[str]]) -> None:
    """Either a column for each name, or one column for both."""
    full = next((kind for kind in FULL_NAMES if kind in found), None)
    if full is None and "last_name" in found and "first_name" not in found:
        names = columns[found["last_name"]]
        if names and sum(len(name.split()) > 1 for name in names) > len(names) / 2:
            full = LAST_FIRST
            found[full] = found["last_name"]
    if full is None:
        return
    if "last_name" in found and "first_name" in found and found["last_name"] != found[full]:
        del found[full]
        return
    found.pop("last_name", None)
    found.pop("first_name", None)
    if full == FIRST_LAST and _begins_in_capitals(columns[found[full]]):
        found[LAST_FIRST] = found.pop(full)


def _begins_in_capitals(names: list[str]) -> bool:
    """« DUPONT Élodie »"""
    words = [name.split() for name in names]
    return sum(one[0].isupper() and not one[-1].isupper() for one in words) > len(words) / 2


def _points(heading: str, cells: list[str]) -> Iterator[tuple[str, int]]:
    addresses = sum(map(is_address, cells))
    holds_addresses = addresses > len(cells) / 2
    named = dict(_named(heading))
    if holds_addresses:
        named = {"email": named.get("email", CONTENT)}
    words = set(folded(heading).split())
    bonus = 5 * bool(words & OF_THE_PERSON) - 30 * bool(words & OF_ANOTHER_PERSON) - 60 * (not cells)
    for kind, score in named.items():
        if kind != "email" or holds_addresses or not cells:
            yield kind, score if score == EXACT and bonus > 0 else score + bonus


def _named(heading: str) -> dict[str, int]:
    """What a heading may name, with points: EXACT when all but words in brackets is well known."""
    text = folded(BRACKETS.sub(" ", heading)) or folded(heading)
    words = f" {text} "
    if not text:
        return {}
    if (order := _order_of_names(words)) or text in FULL_NAME_HEADINGS:
        return {order or FIRST_LAST: EXACT}
    exact = {one.name: EXACT for one in IMPORTED if text in one.headings}
    if exact:
        return exact
    places = {one.name: _place(words, one.headings) for one in IMPORTED}
    named = {kind: PHRASE - place for kind, place in places.items() if place is not None}
    if len(named) > 1:  # « Nom de la structure »
        named.pop("last_name", None)
    return named


def _order_of_names(words: str) -> str:
    first, last = words.find(" prenom"), words.find(" nom ")
    if first < 0:
        first, last = words.find(" first name "), words.find(" last name ")
    if first < 0 or last < 0:
        return ""
    return FIRST_LAST if first < last else LAST_FIRST


def _place(words: str, phrases: Iterable[str]) -> int | None:
    """How far from the beginning the first of these phrases stands, counted in words."""
    places = [words[:at].count(" ") for phrase in phrases if (at := words.find(f" {phrase} ")) >= 0]
    return min(places, default=None)
