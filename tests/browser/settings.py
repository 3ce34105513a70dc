"""The site as it is, with addresses that make what a page shows, and faults that can be asked for."""

from webinar.settings import *  # noqa: F403

STAFF_OTP = "off"  # the pages behind the login are checked here; the login has tests of its own
ROOT_URLCONF = "tests.browser.urls"
MIDDLEWARE.append("tests.browser.stage.Faults")  # noqa: F405
STAFF_OTP = "off"  # else every page of the admin would show the setting up of a phone
