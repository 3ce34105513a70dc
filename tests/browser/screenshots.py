"""Pictures of every page of the table: `uv run python -m tests.browser.screenshots [folder] [--only event-]`.

Each page is taken in its languages, light and dark, at 320, 375 and 1280 px, a mail at 320, 375 and 700;
in French also as it is printed and in forced colours. The HTML that the site sent lies beside the pictures, for a
checker such as Nu.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, Visitor, start_stage
from tests.browser.pages import PAGES
from tests.browser.scenes import SitePage
from tests.site import ROOT, RunningSite

WIDTHS = [320, 375, 1280]
WIDTHS_OF_MAILS = [320, 375, 700]
ON_PAPER: dict[str, Any] = {"media": "print", "color_scheme": "light", "forced_colors": "none"}
FORCED: dict[str, Any] = {"media": "screen", "color_scheme": "dark", "forced_colors": "active"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--only", default="", help="Only pages whose name begins so.")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, RunningSite(Path(data), "") as site:
        site.run("demo", "--setup-only")
        take_all(site, options.folder, options.only)


def take_all(site: RunningSite, folder: Path, only: str) -> None:
    start_stage(site)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        visitor = Visitor(browser.new_context(reduced_motion="reduce"), site)
        for page in PAGES:
            if page.name.startswith(only):
                take(visitor, page, folder)
        browser.close()


def take(visitor: Visitor, page: SitePage, folder: Path) -> None:
    for language in page.languages:
        shown = visitor.visit(page, language)
        name = f"{page.name}.{language}"
        (folder / f"{name}.html").write_bytes(visitor.sent)
        for width in WIDTHS_OF_MAILS if page.mail else WIDTHS:
            for scheme in ("light", "dark"):
                picture(shown, folder / f"{name}.{scheme}.{width}.png", width, color_scheme=scheme)
        if language == "fr":
            picture(shown, folder / f"{name}.print.png", 794, **ON_PAPER)
            picture(shown, folder / f"{name}.forced.png", 375, **FORCED)
        shown.emulate_media(media="screen", color_scheme="light", forced_colors="none")
        print(name)  # noqa: T201 - the command's progress


def picture(shown: Page, path: Path, width: int, **media: Any) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    shown.emulate_media(**media)
    shown.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main()
