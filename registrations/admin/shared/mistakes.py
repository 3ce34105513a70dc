"""What is to be corrected in a form, for the summary above it (templates/admin/mistakes.html)."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Mistake(NamedTuple):
    label: str
    error: str
    id: str


def mistakes(form: Any, formsets: Iterable[Any] = (), *, form_id: str = "event_form") -> list[Mistake]:
    """Each wrong answer, for the summary above the form that leads to it."""
    forms = [form, *(row for inline in formsets for row in inline.formset.forms)]
    return [
        Mistake(str(bound.label), str(error), bound.id_for_label or f"{bound.auto_id}_0")
        for one in forms
        for bound in one
        for error in bound.errors
    ] + [Mistake(str(form.instance._meta.verbose_name), str(error), form_id) for error in form.non_field_errors()]
