"""Fault tests and measurements with the real processes. Full-size runs are started by hand (see README.md here)."""

import os

import django
from django.apps import apps

if not apps.ready:  # run by hand: under pytest, pytest-django has done it
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
