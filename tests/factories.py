"""Make events and registrations for tests. By default, an event is in a week."""

import itertools
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from registrations.models import (
    Appearance,
    Event,
    EventDocument,
    EventPage,
    EventQuestion,
    Partner,
    Picture,
    PictureFile,
    ProgrammeItem,
    Registration,
    ReportSection,
    Speaker,
)

ROOM = "https://visio.example.net/salle-secrete-42"
numbers = itertools.count(1)


def make_event(*, report: bool = True, starts_in: timedelta = timedelta(days=7), **fields: Any) -> Event:
    starts_at = fields.get("starts_at", timezone.now().replace(second=0, microsecond=0) + starts_in)
    defaults = {
        "slug": f"webinaire-{next(numbers)}",
        "title": "Faire vivre un réseau d’acteurs",
        "short_title": "Webinaire réseau",
        "summary": "Une heure et demie pour comparer des pratiques.",
        "description": "## Pourquoi ?\n\nParce que.",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=90),
        "connection_url": ROOM,
        "status": Event.Status.PUBLISHED,
        "contact_name": "Ada Contact",
        "contact_email": "contact@example.org",
        "organiser_name": "Le Pôle ressources",
        "territories": "Yvelines (78)\nVal-d’Oise (95)",
        "origins": "Par un ou une collègue\nAutrement",
        "newsletter_label": "Je souhaite recevoir la lettre",
        "report_title": "L’étude",
    }
    event = Event.objects.create(**{**defaults, **fields})
    if report:
        ReportSection.objects.create(event=event, position=1, heading="La méthode", body="Des **entretiens**.")
    return event


def make_past_event(**fields: Any) -> Event:
    return make_event(starts_in=timedelta(days=-30), **fields)


def answers(**fields: Any) -> dict[str, Any]:
    """Answers in the sign-up form."""
    defaults = {
        "first_name": "Zoë",
        "last_name": "D’Arcy-Ó Súilleabháin",
        "email": f"zoe{next(numbers)}@example.org",
        "organisation": "Ville de Nulle-Part",
        "job_title": "Cheffe de projet",
    }
    return {**defaults, **fields}


def make_registration(event: Event | None = None, **fields: Any) -> Registration:
    if fields.get("status") == Registration.Status.WAITLISTED:
        fields.setdefault("waiting_since", timezone.now())
    return Registration.objects.create(event=event or make_event(), **answers(**fields))


def make_document(event: Event, audience: str = "everybody", **fields: Any) -> EventDocument:
    """A PDF, or a link where one is given."""
    file = {} if "link" in fields else {"file": ContentFile(fields.pop("content", b"%PDF-1.7 guide"), "guide.pdf")}
    return EventDocument.objects.create(event=event, audience=audience, **{"name": "Le guide", **file, **fields})


CHOICES = "Finances\nHabitat\nÉcole"


def make_question(event: Event, kind: str = "text", **fields: Any) -> EventQuestion:
    """A custom question, after the others of the event."""
    defaults = {"label": "Qu'attendez-vous ?", "position": next(numbers), "choices": CHOICES}
    return EventQuestion.objects.create(event=event, kind=kind, **{**defaults, **fields})


def make_questions(event: Event, **fields: Any) -> list[EventQuestion]:
    """One of each kind: text, one choice, several, yes or no."""
    return [make_question(event, kind, label=f"Question {kind} ?", **fields) for kind in EventQuestion.Kind.values]


def make_speaker(event: Event | None = None, **fields: Any) -> Speaker:
    defaults = {
        "name": "Ada Oratrice",
        "role": "Médiatrice",
        "organisation": "Ville de Nulle-Part",
        "bio": "Elle écoute.",
    }
    speaker = Speaker.objects.create(**{**defaults, **fields})
    if event:
        Appearance.objects.create(event=event, speaker=speaker, position=next(numbers))
    return speaker


def make_faces(event: Event) -> None:
    """One of everything that a page may show besides its texts, but for pictures."""
    EventPage.objects.create(
        event=event,
        audience="Élu·es et associations",
        audience_en="Elected representatives and charities",
        language="de",
        subtitles=True,
        sign_language=True,
        telephone=True,
        accessibility="documents en gros caractères",
        accessibility_en="documents in large print",
    )
    make_speaker(event)
    start = event.starts_at.astimezone(event.zone)
    ProgrammeItem.objects.create(
        event=event, starts_at=start.time(), title="Accueil", title_en="Welcome", speakers="Ada Oratrice"
    )
    Partner.objects.create(event=event, name="Réseau Rives", link="https://rives.example.org/", position=1)


def make_picture(*, width: int = 160, height: int = 160) -> Picture:
    """A row whose file is no true picture."""
    picture = Picture.objects.create(digest=f"{next(numbers):032}", sizes=[[width, height]])
    PictureFile.objects.create(picture=picture, width=width, content=b"RIFF")
    return picture
