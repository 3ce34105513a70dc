"""What a mail server or a provider told us. It may quote a link of the mail, with its code."""

from typing import Any

from django.db import models

from registrations.runtime.logs import without_codes


class ToldField(models.TextField[str, str]):
    """A text that is read without codes, whenever and by which version it was stored."""

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options

    def from_db_value(self, value: str, *_args: Any) -> str:
        return without_codes(value)
