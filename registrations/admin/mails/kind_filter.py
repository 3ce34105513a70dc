"""The filter of the list of mails by kind: the kinds in the groups of their moments."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList

from registrations.models.mail_kinds import by_moment


class KindFilter(admin.ChoicesFieldListFilter):
    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """As Django yields them, « all » first, then each kind with its moment."""
        everything, *named = super().choices(changelist)
        by_kind = dict(zip((value for value, _label in self.field.flatchoices), named, strict=True))
        yield everything
        for moment, kinds in by_moment():
            yield from ({**by_kind[kind], "moment": moment.label} for kind in kinds)
