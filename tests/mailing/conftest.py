"""What the tests of mails share."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.smtp import Handler, smtp_server


@pytest.fixture
def server(settings: Settings) -> Iterator[Handler]:
    with smtp_server() as (handler, mailers):
        settings.MAILERS = mailers
        yield handler
