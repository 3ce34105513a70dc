"""What the pages of a message show: for whom it is, the mail as it will arrive, and how many mails were sent."""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registrations.admin_site.pages import list_path
from registrations.domain import broadcasts
from registrations.mailing import placeholders
from registrations.mailing.failures import NotComposed, in_words
from registrations.models import Broadcast, Delivery, Registration
from registrations.models.registration import RegistrationQuerySet

LETTERS = 3
CHOSEN_SHOWN = 20


class Letter(NamedTuple):
    person: Registration
    title: str
    subject: str
    text: str
    address: str  # empty when the mail cannot be composed: `text` says why


def address(page: str, broadcast: Broadcast, *args: int) -> str:
    return reverse(f"admin:registrations_event_{page}", args=[broadcast.event.pk, broadcast.pk, *args])


def subject(broadcast: Broadcast) -> str:
    """As registrants read it: placeholders are filled in."""
    filled = placeholders.filled(broadcast.subject, placeholders.plain_values(broadcast.event))
    return filled or _("Message without a subject")


def fingerprint(broadcast: Broadcast) -> str:
    """A digest of what the second page shows: it differs once someone has changed it."""
    event = broadcast.event
    written = [getattr(broadcast, name) for name in broadcasts.WRITTEN if name != "answered_question"]
    chosen = list(broadcast.people_chosen().order_by("pk").values_list("pk", flat=True))
    seen = (*written, broadcast.answered_question_id, chosen, event.title, event.starts_at, event.status)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def facts(broadcast: Broadcast) -> Iterator[tuple[str, str]]:
    yield _("To whom"), broadcast.audience_words
    if Broadcast.Audience.CHOSEN in broadcast.audiences:
        yield _("Chosen"), ", ".join(chosen_names(*first_chosen(broadcast.people_chosen())))
    if broadcast.territory:
        yield _("Only of this territory"), broadcast.territory
    if broadcast.newsletter_only:
        yield _("Newsletter"), _("only who asked for it")
    if count := broadcast.chosen().filter(wants_messages=False).count():
        words = ngettext(
            "%(count)s person wants no messages, and receives none",
            "%(count)s people want no messages, and receive none",
            count,
        )
        yield _("Not written to"), words % {"count": count}


def first_chosen(people: RegistrationQuerySet) -> tuple[list[Registration], int]:
    """The first of them by name, and how many they are: one query when they are few."""
    found = list(people.order_by("last_name", "first_name", "pk")[: CHOSEN_SHOWN + 1])
    return found[:CHOSEN_SHOWN], len(found) if len(found) <= CHOSEN_SHOWN else people.count()


def chosen_names(first: list[Registration], number: int) -> Iterator[str]:
    yield from map(str, first)
    if (more := number - len(first)) > 0:
        yield ngettext("and %(count)s other", "and %(count)s others", more) % {"count": more}


def readers(broadcast: Broadcast) -> list[Registration]:
    """One of each language first, then the latest recipients, whom an index finds fast."""
    people = broadcast.recipients().order_by("-created_at")
    of_languages = [people.filter(language=code).first() for code, _name in settings.LANGUAGES]
    chosen = {person.pk: person for person in [*filter(None, of_languages), *people[:LETTERS]]}
    return list(chosen.values())[:LETTERS]


def letters(broadcast: Broadcast) -> Iterator[Letter]:
    """As they will arrive, but without personal links: they would open the registrations of other people."""
    for person in readers(broadcast):
        title = f"{person} ({person.get_language_display()})"
        try:
            message = composed(broadcast, person)
        except NotComposed as error:
            yield Letter(person, title, "", in_words(error), "")
            continue
        frame = address("letter", broadcast, person.pk)
        yield Letter(person, title, str(message.subject), str(message.body), frame)


def composed(broadcast: Broadcast, person: Registration) -> Any:
    from registrations.mailing import composer  # here: every web process loads the admin, but should not load this

    person.event, person.join_code, person.manage_code = broadcast.event, "", ""
    return composer.compose(Delivery(registration=person, kind=Delivery.Kind.BROADCAST, broadcast=broadcast))


def html_of(broadcast: Broadcast, person: Registration) -> str:
    try:
        parts = composed(broadcast, person).alternatives
    except NotComposed as error:
        raise Http404 from error
    html = next((str(content) for content, mimetype in parts if mimetype == "text/html"), None)
    if html is None:
        raise Http404
    # the sandbox forbids new windows: links do nothing
    return html.replace("<head>", '<head><base target="_blank">', 1)


class Figure(NamedTuple):
    label: str
    number: int
    address: str


def figures(request: HttpRequest, broadcast: Broadcast, progress: dict[str, int]) -> Iterator[Figure]:
    """Each with a link to the list of its mails, for accounts that may see mails."""
    queries = {
        "waiting": (_("To be sent"), {"state__in": "pending,sending,broken"}),
        "sent": (str(Delivery.State.SENT.label), {"state__exact": "sent"}),
        "failed": (_("Failed"), {"state__exact": "failed"}),
        "dropped": (_("Not sent"), {"state__in": "cancelled,expired"}),
        "returned": (_("Came back or reported as unwanted"), {"provider_status__in": "bounced,complained"}),
    }
    sees_mails = request.user.has_perm("registrations.view_delivery")
    for name, (label, query) in queries.items():
        of_broadcast = {"broadcast__id__exact": broadcast.pk, "kind__exact": Delivery.Kind.BROADCAST.value, **query}
        mails = list_path(Delivery, **of_broadcast)
        yield Figure(label, progress[name], mails if sees_mails else "")
