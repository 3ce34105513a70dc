"""What the documents of an event are called, and for whom they are; a presentation is no report."""

from django.utils.translation import gettext as _

from registrations.models import Event, EventDocument


def the_report(event: Event) -> str:
    """« le rapport d’étude » once the organiser has uploaded one; until then « la présentation de l’étude »."""
    return _("the study report") if event.report_file else _("the presentation of the study")


def the_report_title(event: Event) -> str:
    """The same at the beginning of a sentence."""
    return _("The study report") if event.report_file else _("The presentation of the study")


def for_whom(document: EventDocument) -> str:
    """The line below a document on the public page."""
    if document.is_for_everybody:
        return _("For everybody")
    if document.is_for_afterwards:
        return _("After the session, for the people registered")
    if document.attached:
        return _("Sent to the people registered, with the confirmation")
    return _("For the people registered, on their personal page")
