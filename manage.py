#!/usr/bin/env python
"""Run a management command: `uv run manage.py demo` shows the whole site."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Not started. {error}")


if __name__ == "__main__":
    main()
