"""French typography for text typed in the admin.

The rules replace existing spaces with no-break spaces, straight apostrophes and three dots. All else stays as it is.
"""

import functools
import re
import unicodedata

from django.utils import translation

NBSP = "\u00a0"
MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
FRENCH_RULES = [
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(r"\.\.\."), "…"),
    (re.compile(r" (?=[:;!?»](?:\s|$|[).,»]))"), NBSP),
    (re.compile(r"(?<=«) "), NBSP),
    (re.compile(rf"(?:(?<=\d)|(?<=1er)) (?=(?:{MONTHS})\b)"), NBSP),
    (re.compile(r"(?<=\d) (?=(?:h|%|€)(?:\W|$))"), NBSP),
    (re.compile(r"(?<=\dNBSPh) (?=\d)".replace("NBSP", NBSP)), NBSP),
    (re.compile(r"\b([A-ZÉ]{2,}) (?=\d)"), rf"\1{NBSP}"),
    (re.compile(r"\b(MM?\.|Mme) (?=[A-ZÉÈ])"), rf"\1{NBSP}"),
]
URL_OR_ADDRESS = re.compile(r"(https?://\S+|\S+@\S+\.\S+)")
TEXTS_KEPT = 256  # every mail and every page contains an organiser's words
VOWELS = "aeiouœ"
CONTRACTIONS_OF_LE = [("Le ", "du "), ("Les ", "des ")]
ARTICLES = {  # places that need one in French, and are listed without it
    "des ": "Açores|Bermudes|Caïmans|Chagos|Cocos|Comores|Fidji|Galápagos|Maldives|Marquises|Palaos|"
    "Îles Canaries|Îles Féroé",
    "de l’": "Île de Man|Île de Pâques",
    "du ": "Cap-Vert|Guyana|Kamtchatka|Qatar",
    "de la ": "Dominique|Grenade",
}
WITH_ARTICLE = {name: article for article, names in ARTICLES.items() for name in names.split("|")}
CONTRACTIONS = [*CONTRACTIONS_OF_LE, ("La ", "de la "), ("L’", "de l’"), ("L'", "de l’")]


@functools.lru_cache(maxsize=TEXTS_KEPT)
def french(text: str) -> str:
    """Typeset French text; idempotent."""
    parts = URL_OR_ADDRESS.split(text)
    for index in range(0, len(parts), 2):
        for pattern, replacement in FRENCH_RULES:
            parts[index] = pattern.sub(replacement, parts[index])
    return "".join(parts)


def of(name: str) -> str:
    """« du Pôle ressources », « d’Emmaüs », « de la Ligue »; “of Le Pôle ressources” in English."""
    if translation.get_language() != "fr":
        return f"of {name}"
    for article, contracted in CONTRACTIONS:
        if name.startswith(article):
            return contracted + name.removeprefix(article)
    return f"d’{name}" if name[:1].lower() in "aâàeéèêiîoôuyh" else f"de {name}"


def of_city(name: str) -> str:
    """« de Paris », « d’Athènes », « du Caire », « de La Réunion », « des Açores »; the name itself in English."""
    if translation.get_language() != "fr":
        return name
    if name in WITH_ARTICLE:
        return WITH_ARTICLE[name] + name
    for article, contracted in CONTRACTIONS_OF_LE:
        if name.startswith(article):
            return contracted + name.removeprefix(article)
    return f"d’{name}" if unicodedata.normalize("NFD", name)[:1].lower() in VOWELS else f"de {name}"
