"""What the document of an event is called: a presentation is no report."""

from django.utils.translation import gettext as _

from registrations.models import Event


def the_report(event: Event) -> str:
    """« le rapport d’étude » once the organiser has uploaded one; until then « la présentation de l’étude »."""
    return _("the study report") if event.report_file else _("the presentation of the study")


def the_report_title(event: Event) -> str:
    """The same at the beginning of a sentence."""
    return _("The study report") if event.report_file else _("The presentation of the study")
