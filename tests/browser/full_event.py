"""An event with everything that a page may show: pictures, people, a programme, documents, partners."""

from datetime import timedelta
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from registrations.documents import uploaded_picture
from registrations.documents.uploaded_picture import Use
from registrations.models import (
    Appearance,
    Event,
    EventPage,
    Partner,
    Picture,
    ProgrammeItem,
    SiteIdentity,
    Speaker,
)
from tests.documents.pictures import busy_photograph
from tests.factories import make_document, make_event

TITLE = "Grandir ici : comment les quartiers et leurs habitant·es réinventent la place des enfants dans la ville"
PEOPLE = [
    ("Inès Marchetti", "Directrice de l’enfance", "Ville de Nulle-Part", "Elle ouvre des cours d’école le samedi."),
    ("Souleymane Diarra", "Médiateur social", "Régie de quartier des Aulnes", "Il écoute les familles, et il le dit."),
    ("Maëlle Le Goff", "Sociologue", "Université de Bout-du-Monde", ""),
    ("Thomas Weiss-Kaltenbrunner", "Chargé de mission", "", "Il suit douze communes depuis dix ans."),
]
PROGRAMME = [(0, "Accueil", ""), (10, "Ce que disent les enfants", "Inès Marchetti"), (50, "Questions", "")]


@cache
def picture(use: Use, width: int, height: int, seed: int) -> Picture:
    """Uploaded once in a process: a busy photograph is the heaviest."""
    file = SimpleUploadedFile("image.jpg", busy_photograph(width, height, seed=seed))
    return uploaded_picture.rewritten(file, use).keep()


def full_event(**fields: Any) -> Event:
    defaults: dict[str, Any] = {
        "title": TITLE,
        "short_title": "Grandir ici",
        "summary": "Une heure et demie pour comparer des pratiques, et pour repartir avec des idées.",
        "description": "## Pourquoi ?\n\nLa ville se joue à hauteur d’enfant.\n\n- des cours ouvertes ;\n- des rues.",
    }
    event = make_event(**{**defaults, **fields})
    EventPage.objects.create(
        event=event,
        audience="Élu·es, associations, agent·es des communes et des CAF.",
        language="fr",
        subtitles=True,
        sign_language=True,
        telephone=True,
        accessibility="documents en gros caractères",
        picture=picture(Use.COVER, 2000, 1000, 1),
        picture_description="Des enfants jouent dans une rue fermée aux voitures",
    )
    for place, (name, role, organisation, bio) in enumerate(PEOPLE):
        portrait = picture(Use.PORTRAIT, 800, 1000, 10 + place)
        known = {"role": role, "organisation": organisation, "bio": bio, "picture": portrait}
        speaker = Speaker.objects.create(name=name, picture_description=f"Portrait de {name}", **known)
        Appearance.objects.create(event=event, speaker=speaker, position=place)
    start = event.starts_at.astimezone(event.zone)
    for minutes, title, speakers in PROGRAMME:
        hour = (start + timedelta(minutes=minutes)).time()
        ProgrammeItem.objects.create(event=event, starts_at=hour, title=title, speakers=speakers)
    make_document(event, name="Le guide des rues aux enfants", audience="everybody", size=420_000)
    make_document(event, name="La bibliographie", audience="registrants", link="https://biblio.example.org/")
    make_document(event, name="Les diapositives", audience="afterwards", size=1_200_000)
    Partner.objects.create(event=event, name="Réseau Rives", link="https://rives.example.org/", position=1)
    Partner.objects.create(event=event, name="Fondation des Aulnes", position=2)
    return event


def show_identity(**fields: Any) -> None:
    """A logo and a colour of the organisation's own, which is no longer the site's brick."""
    logo = picture(Use.LOGO, 600, 200, 20)
    SiteIdentity.objects.all().delete()
    SiteIdentity.objects.create(**{"logo": logo, "accent": "#5b2a86", **fields})


def with_identity(**fields: Any) -> Event:
    show_identity()
    return full_event(**fields)
