"""The documents: one page to start with, and links that lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.site import ROOT

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]*)#?([^)\s]*)\)")
OTHERS = {"tests/browser/axe/README.md"}


def documents() -> list[str]:
    patterns = ["*.md", "deploy/**/*.md", "registrations/**/*.md", "tests/**/*.md"]
    found = {str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(found - OTHERS)


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """The headings, as a Git host makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_one_page() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("name", documents())
def test_every_link_of_a_document_leads_to_a_file_and_a_heading(name: str) -> None:
    source = ROOT / name
    broken = []
    for path, anchor in LINK.findall(prose(source)):
        if ":" in path:
            continue
        target = source.parent / path if path else source
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []
