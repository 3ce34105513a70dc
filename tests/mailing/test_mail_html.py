"""The HTML of mails: style stands inline, text keeps its contrast in both schemes, what is typed is escaped."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.template import engines
from django.template.loader import render_to_string

BASE = (settings.BASE_DIR / "templates/mail/base.html").read_text("utf-8")
PIECES = (settings.BASE_DIR / "templates/mail/pieces.html").read_text("utf-8")
LETTER = """{% extends "mail/base.html" %}{% load mail %}{% block content %}
{% heading %}{{ typed }}{% endheading %}
{% paragraph %}{{ typed }}<br>{% link url %}{% endparagraph %}
{% panel %}{{ typed }}{% endpanel %}
{% quote %}{{ typed }}{% endquote %}
{% button url %}{{ typed }}{% endbutton %}
{% note %}{{ typed }} {% link url "ici" %}{% endnote %}
{% endblock %}"""
TYPED = "<b>Zoë</b> & co"
URL = "https://example.org/?a=1&b=2"


def letter() -> str:
    return engines["django"].from_string(LETTER).render({"typed": TYPED, "url": URL, "site": "example.org"})


def test_the_pieces_escape_what_is_typed_and_show_an_address_as_its_own_words() -> None:
    html = letter()
    assert html.count("&lt;b&gt;Zoë&lt;/b&gt; &amp; co") == 6
    assert "<b>" not in html
    assert html.count('href="https://example.org/?a=1&amp;b=2"') == 3
    assert 'word-break:break-all">https://example.org/?a=1&amp;b=2</a>' in html
    assert ">ici</a>" in html


def test_every_text_says_inline_how_it_looks() -> None:
    """Clients that drop <style>, and Outlook, whose cells inherit nothing, must see the same letter."""
    body = letter().split("</head>")[1]
    for tag, attributes in re.findall(r"<(p|h1|a|td)\b([^>]*)>", body):
        assert "style=" in attributes or tag == "td", (tag, attributes)
    for cell in re.findall(r"<td class=[^>]*>", body):
        assert "font-family" in cell or "mso-padding-alt" in cell, cell
    assert "<img" not in body
    assert "url(" not in body
    assert 'lang="fr"' in body


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2, 1.4.3."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def dark_colours() -> dict[str, str]:
    """Of each class, in the dark scheme."""
    return dict(re.findall(r"\.([a-z-]+) \{ (?:background-)?color: (#[0-9a-f]{6}) !important", BASE))


def light_colours() -> dict[str, str]:
    colours = {}
    for classes, style in re.findall(r'class="([a-z -]+)"[^>]*?style="([^"]*)"', BASE + PIECES):
        for name in classes.split():
            wanted = "background-color" if name in {"bg", "sand", "btn"} else "color"
            if found := re.search(rf"(?:^|;){wanted}:(#[0-9a-f]{{6}})", style):
                colours[name] = found[1]
    return colours


@pytest.mark.parametrize("scheme", [light_colours, dark_colours])
@pytest.mark.parametrize(
    ("text", "paper"),
    [
        ("ink", "bg"),
        ("ink", "sand"),
        ("soft", "bg"),
        ("lnk", "bg"),
        ("lnk", "sand"),
        ("accent", "bg"),
        ("on-btn", "btn"),
    ],
)
def test_text_keeps_its_contrast(scheme: Callable[[], dict[str, str]], text: str, paper: str) -> None:
    colours = scheme()
    assert contrast(colours[text], colours[paper]) >= 4.5


def test_the_alert_is_a_letter_too() -> None:
    context = {"count": 2, "reasons": ["554 <refused>"], "admin_url": URL, "site": "example.org"}
    html = render_to_string("mail/alert.html", context)
    assert "554 &lt;refused&gt;" in html
    assert "2 courriels" in html or "2 messages" in html
