"""What the tests of the admin share."""

import pytest
from django.test import Client

from tests.admin_client import logged_in


@pytest.fixture
def organiser() -> Client:
    return logged_in()
