"""Tags for the HTML of mails, so that no template repeats inline styles.

{% paragraph %}{% translate "Your link:" %}<br>{% link registration.join_url %}{% endparagraph %}
{% button registration.join_url %}{% translate "Go to the webinar" %}{% endbutton %}
"""

import re

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from registrations.text import names

PIECES = "mail/pieces.html"
TAG = re.compile(r"<(p|h[234]|ul|ol|li|blockquote|a|hr)\b")

register = template.Library()
register.filter(names.may_be_greeted)


def _piece(name: str, words: str, url: str = "") -> SafeString:
    return render_to_string(f"{PIECES}#{name}", {"words": words, "url": url})


@register.simple_block_tag
def heading(content: SafeString) -> SafeString:
    return _piece("heading", content)


@register.simple_block_tag
def paragraph(content: SafeString) -> SafeString:
    return _piece("paragraph", content)


@register.simple_block_tag
def note(content: SafeString) -> SafeString:
    """Small and grey text: a remark, a line of the footer."""
    return _piece("note", content)


@register.simple_block_tag
def panel(content: SafeString) -> SafeString:
    """A box with the facts of the event, in the colours of the site."""
    return _piece("panel", content)


@register.simple_block_tag
def quote(content: SafeString) -> SafeString:
    """A quotation: text of an organiser or of a mail server."""
    return _piece("quote", content)


@register.simple_block_tag
def button(content: SafeString, url: str) -> SafeString:
    return _piece("button", content, url)


@register.simple_tag
def link(url: str, words: str = "") -> SafeString:
    """A link; without `words`, its text is the URL, which may break at any character."""
    return _piece("link", words, url)


@register.simple_tag
def prose(html: SafeString) -> SafeString:
    """Add inline styles to each tag of HTML made from an organiser's Markdown by `text.markdown`."""
    styled = TAG.sub(lambda match: match[0] + render_to_string(f"{PIECES}#style_of_{match[1]}"), html)
    return mark_safe(styled)  # noqa: S308 - safe before, and only attributes of ours are added
