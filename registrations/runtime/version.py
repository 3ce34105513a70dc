"""The version of the product, read from pyproject.toml."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])
