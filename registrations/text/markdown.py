"""Markdown typed by organisers, as safe HTML and as plain text, in French typography.

An address that begins with https:// is a link, and a line break is a line break.
"""

import functools
from collections.abc import Sequence, Set
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from registrations.text.typography import TEXTS_KEPT, french

HEADING_LEVELS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
ALLOWED_TAGS = {"h2", "h3", "h4", "p", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "hr"}
SCHEMES = frozenset({"https", "mailto"})


def _typeset(state: StateCore) -> None:
    for token in state.tokens:
        token.tag = HEADING_LEVELS.get(token.tag, token.tag)
        for child in token.children or []:
            if child.type == "text":
                child.content = french(child.content)


PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": True}).enable("linkify")
PARSER.linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_ip": False, "fuzzy_email": False})
PARSER.core.ruler.push("typeset", _typeset)


def safe_html(text: str, *, schemes: Set[str] = SCHEMES) -> SafeString:
    """HTML of an organiser's Markdown: no raw HTML, no images, only links of these schemes, headings from h2 down."""
    html = PARSER.render(text)
    clean = nh3.clean(html, tags=ALLOWED_TAGS, attributes={"a": {"href"}}, url_schemes=set(schemes))
    return mark_safe(clean)  # noqa: S308 - nh3 has just cleaned it


@functools.lru_cache(maxsize=TEXTS_KEPT)
def rendered(text: str) -> SafeString:
    """`safe_html` of a text that many pages and mails contain, cached."""
    return safe_html(text)


def plain(text: str, *, schemes: Set[str] = SCHEMES) -> str:
    """The same Markdown as plain text, with the addresses of its links."""
    writer = _PlainWriter(schemes)
    for token in PARSER.parse(text):
        writer.take(token)
    return "\n".join(writer.lines).strip("\n")


class _PlainWriter:
    """Writes one block after the other. Each line begins with the marks of the lists and quotations that hold it."""

    def __init__(self, schemes: Set[str]) -> None:
        self.schemes, self.lines = schemes, list[str]()
        self.margins = list[list[str]]()  # before the first line of each item or quotation, and before the others
        self.numbers = list[int | None]()  # of the next item of each list
        self.is_tight = self.begins_list = False

    def take(self, token: Token) -> None:
        match token.type:
            case "paragraph_open":
                self.is_tight = token.hidden and not self.begins_list
            case "inline":
                self._write(_plain_inline(token.children or [], self.schemes))
            case "fence" | "code_block":
                self._write(token.content.rstrip("\n"))
            case "hr":
                self._write("* * *")
            case "blockquote_open":
                self.margins.append(["> ", "> "])
            case "bullet_list_open" | "ordered_list_open":
                is_numbered = token.type == "ordered_list_open"
                self.numbers.append(int(token.attrs.get("start", 1)) if is_numbered else None)
                self.begins_list = len(self.numbers) == 1
            case "list_item_open":
                self._open_item()
            case "blockquote_close" | "list_item_close":
                self.margins.pop()
            case "bullet_list_close" | "ordered_list_close":
                self.numbers.pop()

    def _open_item(self) -> None:
        number = self.numbers[-1]
        mark = "- " if number is None else f"{number}. "
        self.numbers[-1] = None if number is None else number + 1
        self.margins.append([mark, " " * len(mark)])

    def _write(self, words: str) -> None:
        if self.lines and not self.is_tight:
            self.lines.append("")
        for line in words.split("\n"):
            margin = "".join(first for first, _others in self.margins)
            self.lines.append((margin + line).rstrip(" "))
            self.margins = [[others, others] for _first, others in self.margins]
        self.is_tight = self.begins_list = False


def _plain_inline(tokens: Sequence[Token], schemes: Set[str]) -> str:
    words, links = "", list[tuple[str, int]]()
    for number, token in enumerate(tokens):
        match token.type:
            case "text" | "code_inline":
                words += token.content
            case "softbreak" | "hardbreak":
                words += "\n"
            case "link_open":
                links.append((str(token.attrs["href"]), len(words)))
            case "link_close":
                href, start = links.pop()
                if words[start:] in {href, href.removeprefix("mailto:")}:
                    if _goes_on(tokens[number + 1 :]):
                        words = f"{words[:start]}<{words[start:]}>"
                elif urlsplit(href).scheme in schemes:
                    words += f" <{href}>"
    return words


def _goes_on(tokens: Sequence[Token]) -> bool:
    """Whether a sign comes right after an address: mail clients would take it for a part of the link."""
    for token in tokens:
        if token.content or token.type in {"softbreak", "hardbreak"}:
            return bool(token.content[:1].strip())
    return False
