"""What visitors are served as style sheets, once the static files are collected."""

import json
import re
from pathlib import Path

from django.conf import settings as site
from django.core.management import call_command
from pytest_django import Settings

COLOUR = re.compile(r"#[0-9a-fA-F]{3,6}\b")


def test_a_collected_style_sheet_holds_what_it_imports(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "registrations.web.static_storage.StaticStorage"},
    }
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]  # our own files alone
    call_command("collectstatic", verbosity=0, interactive=False)
    palette = (Path(site.BASE_DIR) / "static" / "css" / "palette.css").read_text("utf-8")
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    for name in ("css/site.css", "css/desk.css"):
        served = (tmp_path / names[name]).read_text("utf-8")
        assert palette in served
        assert "@import" not in served


def test_each_colour_of_the_screen_stands_once() -> None:
    folder = Path(site.BASE_DIR) / "static" / "css"
    colours = [
        colour.lower()
        for path in sorted(folder.glob("*.css"))
        for line in path.read_text("utf-8").partition("@media print")[0].splitlines()
        if line.lstrip().startswith("--")
        for colour in COLOUR.findall(line)
    ]
    assert sorted(set(colours)) == sorted(colours)
