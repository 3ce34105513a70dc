"""French typography for text typed in the admin, and Markdown made safe.

The rules only turn spaces that are there into no-break spaces, and straight signs into curved ones: an address, a
time such as 16:30 or a text already typeset comes out as it went in.
"""

import functools
import re

import nh3
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

NBSP = "\u00a0"
MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
FRENCH_RULES = [
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(r"\.\.\."), "…"),
    (re.compile(r" (?=[:;!?»](?:\s|$|[).,»]))"), NBSP),
    (re.compile(r"(?<=«) "), NBSP),
    (re.compile(rf"(?<=\d) (?=(?:{MONTHS})\b)"), NBSP),
    (re.compile(rf"(?<=1er) (?=(?:{MONTHS})\b)"), NBSP),
    (re.compile(r"(?<=\d) (?=(?:h|%|€)(?:\W|$))"), NBSP),
    (re.compile(r"(?<=\dNBSPh) (?=\d)".replace("NBSP", NBSP)), NBSP),
    (re.compile(r"\b([A-ZÉ]{2,}) (?=\d)"), rf"\1{NBSP}"),
    (re.compile(r"\b(MM?\.|Mme) (?=[A-ZÉÈ])"), rf"\1{NBSP}"),
]
URL_OR_ADDRESS = re.compile(r"(https?://\S+|\S+@\S+\.\S+)")
HEADING_LEVELS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
ALLOWED_TAGS = {"h2", "h3", "h4", "p", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "hr"}
TEXTS_KEPT = 256  # an organiser's words stand in every mail and on every page
CONTRACTIONS = [("Le ", "du "), ("Les ", "des "), ("La ", "de la "), ("L’", "de l’"), ("L'", "de l’")]


@functools.lru_cache(maxsize=TEXTS_KEPT)
def french(text: str) -> str:
    """Typeset French text; idempotent."""
    parts = URL_OR_ADDRESS.split(text)
    for index in range(0, len(parts), 2):
        for pattern, replacement in FRENCH_RULES:
            parts[index] = pattern.sub(replacement, parts[index])
    return "".join(parts)


def _typeset(state: StateCore) -> None:
    for token in state.tokens:
        token.tag = HEADING_LEVELS.get(token.tag, token.tag)
        for child in token.children or []:
            if child.type == "text":
                child.content = french(child.content)


def of(name: str) -> str:
    """« du Pôle ressources », « d’Emmaüs », « de la Ligue »; “of Le Pôle ressources” in English."""
    if translation.get_language() != "fr":
        return f"of {name}"
    for article, contracted in CONTRACTIONS:
        if name.startswith(article):
            return contracted + name.removeprefix(article)
    return f"d’{name}" if name[:1].lower() in "aâàeéèêiîoôuyh" else f"de {name}"


PARSER = MarkdownIt("commonmark", {"html": False})
PARSER.core.ruler.push("typeset", _typeset)


@functools.lru_cache(maxsize=TEXTS_KEPT)
def markdown(text: str) -> SafeString:
    """HTML of an organiser's Markdown: no raw HTML, no image, links to https and mailto, headings from h2 down."""
    html = PARSER.render(text)
    clean = nh3.clean(html, tags=ALLOWED_TAGS, attributes={"a": {"href"}}, url_schemes={"https", "mailto"})
    return mark_safe(clean)  # noqa: S308 - nh3 has just cleaned it
