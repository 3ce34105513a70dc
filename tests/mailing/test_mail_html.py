"""The HTML of mails: style stands inline, text keeps its contrast in both schemes, what is typed is escaped."""

import re
from collections.abc import Callable

import pytest
from django.template import engines
from django.template.loader import render_to_string

from registrations.mailing import composer
from registrations.models import Delivery, SiteIdentity, colours
from tests.factories import make_event, make_registration

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


def letter(accent: str = "") -> str:
    context = {
        "typed": TYPED,
        "url": URL,
        "site": "example.org",
        "kicker": "À 16 h",
        "accent": colours.accents(accent),
    }
    return engines["django"].from_string(LETTER).render(context)


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


def dark_colours(html: str) -> dict[str, str]:
    """Of each class, in the dark scheme."""
    return dict(re.findall(r"\.([a-z-]+) \{ (?:background-)?color: (#[0-9a-f]{6}) !important", html))


def light_colours(html: str) -> dict[str, str]:
    colours = {}
    for classes, style in re.findall(r'class="([a-z -]+)"[^>]*?style="([^"]*)"', html):
        for name in classes.split():
            wanted = "background-color" if name in {"bg", "sand", "btn"} else "color"
            if found := re.search(rf"(?:^|;)\s*{wanted}:(#[0-9a-f]{{6}})", style):
                colours[name] = found[1]
    return colours


@pytest.mark.parametrize("accent", ["", "#5b2a86", "#b04600", "#111111"])
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
def test_text_keeps_its_contrast(scheme: Callable[[str], dict[str, str]], text: str, paper: str, accent: str) -> None:
    found = scheme(letter(accent))
    assert contrast(found[text], found[paper]) >= 4.5


@pytest.mark.django_db
def test_a_mail_has_the_colour_of_the_organisation_in_light_and_dark() -> None:
    registration = make_registration(make_event())
    delivery = Delivery.objects.create(registration=registration, kind=Delivery.Kind.CONFIRMATION)
    site = html_of(delivery)
    SiteIdentity.objects.create(accent="#17504a", dark_accent="#8fd0c5")
    own = html_of(delivery)
    for was, now in [("#9c3a1b", "#17504a"), ("#f0a07e", "#8fd0c5")]:
        assert was in site
        assert was not in own
        assert now in own


def html_of(delivery: Delivery) -> str:
    return next(
        str(content) for content, mimetype in composer.compose(delivery).alternatives if mimetype == "text/html"
    )


def test_the_alert_is_a_letter_too() -> None:
    context = {
        "count": 2,
        "reasons": ["554 <refused>"],
        "admin_url": URL,
        "site": "example.org",
        "accent": colours.accents(),
    }
    html = render_to_string("mail/alert.html", context)
    assert "554 &lt;refused&gt;" in html
    assert "2 courriels" in html or "2 messages" in html
