"""A real Chromium in front of the site: journeys, every page of a table, and a set of screenshots taken by hand."""

import os

import django
from django.apps import apps

if "DJANGO_SETTINGS_MODULE" not in os.environ and not apps.ready:  # run by hand
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
