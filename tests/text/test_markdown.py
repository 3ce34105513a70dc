"""Markdown of organisers: safe HTML, headings that fit the page, French typography."""

import pytest

from registrations.text import markdown


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("# Un", "<h2>Un</h2>\n"),
        ("## Deux ?", "<h2>Deux&nbsp;?</h2>\n"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("[a](https://example.org)", '<p><a href="https://example.org" rel="noopener noreferrer">a</a></p>\n'),
        ("[a](http://example.org)", '<p><a rel="noopener noreferrer">a</a></p>\n'),
        ("![x](https://example.org/x.png)", "<p></p>\n"),
        ("`a`", "<p>a</p>\n"),
    ],
)
def test_markdown_gives_only_harmless_html(typed: str, html: str) -> None:
    assert html in markdown.rendered(typed)
    assert markdown.rendered(typed).replace("&lt;", "").count("<script") == 0
