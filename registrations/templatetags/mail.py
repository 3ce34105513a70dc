"""Tags for the HTML of mails, so that no template repeats inline styles.

{% paragraph %}{% translate "Your link:" %}<br>{% link registration.join_url %}{% endparagraph %}
{% button registration.join_url %}{% translate "Go to the webinar" %}{% endbutton %}
"""

import re
from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from registrations.models import Event
from registrations.text import dates, names, typography

PIECES = "mail/pieces.html"
TAG = re.compile(r"<(p|h[234]|ul|ol|li|blockquote|a|hr)\b")

register = template.Library()
register.filter(names.may_be_greeted)


def _piece(name: str, words: str, url: str = "", **values: Any) -> SafeString:
    return render_to_string(f"{PIECES}#{name}", {"words": words, "url": url, **values})


@register.simple_block_tag
def heading(content: SafeString) -> SafeString:
    return _piece("heading", content)


@register.simple_block_tag(takes_context=True)
def kicker_line(context: Context, content: SafeString) -> SafeString:
    """What the mail is about, in a few words above its title."""
    return _piece("kicker", content, accent=context["accent"])


@register.simple_block_tag
def section(content: SafeString) -> SafeString:
    """The title of a part of the mail."""
    return _piece("section", content)


@register.simple_block_tag
def paragraph(content: SafeString) -> SafeString:
    return _piece("paragraph", content)


@register.simple_block_tag
def note(content: SafeString) -> SafeString:
    """Grey text: a remark below the button."""
    return _piece("note", content)


@register.simple_block_tag
def small(content: SafeString) -> SafeString:
    """A line of the footer."""
    return _piece("small", content)


@register.simple_block_tag
def row(content: SafeString) -> SafeString:
    """A document or a fact between hairlines."""
    return _piece("row", content)


@register.simple_block_tag
def below(content: SafeString) -> SafeString:
    """The second, grey line of a row."""
    return _piece("below", content)


@register.simple_block_tag(takes_context=True)
def leaf(context: Context, content: SafeString, moment: datetime, event: Event) -> SafeString:
    """A leaf of a calendar; the sentence beside it says it all."""
    number, month = dates.leaf(moment, event)
    return _piece("leaf", content, number=number, month=month, accent=context["accent"])


@register.simple_block_tag
def panel(content: SafeString) -> SafeString:
    """A box for a notice."""
    return _piece("panel", content)


@register.simple_block_tag
def quote(content: SafeString) -> SafeString:
    """A quotation: text of an organiser or of a mail server."""
    return _piece("quote", content)


@register.simple_block_tag(takes_context=True)
def button(context: Context, content: SafeString, url: str) -> SafeString:
    return _piece("button", content, url, accent=context["accent"])


@register.filter
def team(organiser: str) -> str:
    """« L’équipe du Pôle ressources »; “The Le Pôle ressources team”."""
    name = typography.of(organiser) if translation.get_language() == "fr" else organiser
    return _("The %(organiser)s team") % {"organiser": name}


@register.simple_tag
def link(url: str, words: str = "") -> SafeString:
    """A link; without `words`, its text is the URL, which may break at any character."""
    return _piece("link", words, url)


@register.simple_tag
def prose(html: SafeString) -> SafeString:
    """Add inline styles to each tag of HTML made from an organiser's Markdown by `text.markdown`."""
    styled = TAG.sub(lambda match: match[0] + render_to_string(f"{PIECES}#style_of_{match[1]}"), html)
    return mark_safe(styled)  # noqa: S308 - safe before, and only attributes of ours are added
