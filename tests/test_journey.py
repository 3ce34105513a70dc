"""The whole story, told once: from the page of a webinar to the mail in the inbox, and behind its links."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from registrations.models import Delivery, Registration
from tests import mailbox
from tests.factories import ROOM, make_event, make_past_event
from tests.journey import Journey


@pytest.mark.typesetting
def test_someone_signs_up_receives_everything_in_one_mail_and_joins(journey: Journey, client: Client) -> None:
    event = make_event(starts_in=timedelta(days=7))

    assert f'href="/evenements/{event.slug}/"' in client.get("/").text
    page = client.get(event.get_absolute_url())
    assert f'href="/evenements/{event.slug}/inscription/"' in page.text

    thanks = journey.sign_up(event, email="zoe@example.org", first_name="Zoë")
    assert thanks.redirect_chain == [(f"/evenements/{event.slug}/merci/", 303)]
    assert "Votre inscription est enregistrée" in thanks.text
    assert "zoe@example.org" in thanks.text

    registration = Registration.objects.get()
    assert (registration.status, registration.language) == ("confirmed", "fr")

    [mail] = journey.mails()
    assert mail["To"] == "zoe@example.org"
    assert mailbox.attachment_names(mail) == ["invitation.ics", "presentation-etude.pdf"]
    assert mailbox.part(mail, "application/pdf").startswith(b"%PDF-1.7")
    assert b"METHOD:REQUEST" in mailbox.part(mail, "application/ics")
    assert Delivery.objects.get(kind="confirmation").state == Delivery.State.SENT

    words = mailbox.text(mail)
    join = next(link for link in mailbox.links(words) if link.endswith("/") and "/rejoindre/" in link)
    join_path = join.removeprefix("https://webinaires.example.org")

    visitor = Client()  # logged out, another browser: the link is enough
    assert "La salle ouvre" in visitor.get(join_path).text
    assert ROOM not in visitor.get(join_path).text

    event.starts_at = timezone.now() + timedelta(minutes=10)
    event.ends_at = timezone.now() + timedelta(minutes=100)
    event.save()
    assert "Entrer dans la salle" in visitor.get(join_path).text
    room = visitor.post(join_path)
    assert (room.status_code, room["Location"]) == (303, ROOM)


@pytest.mark.typesetting
def test_someone_signs_up_after_the_date_and_still_receives_all_but_an_invitation_into_the_past(
    journey: Journey, client: Client
) -> None:
    event = make_past_event(open_after_session=True)

    assert "Ce webinaire a eu lieu" in client.get(f"/evenements/{event.slug}/").text
    journey.sign_up(event, email="anne@example.org")

    [mail] = journey.mails()
    assert mail["Subject"].startswith("Inscription enregistrée\u00a0: webinaire du ")
    assert "qui a eu lieu le" in mailbox.text(mail)
    assert "Voir les documents" in mailbox.text(mail)
    assert mailbox.attachment_names(mail) == ["presentation-etude.pdf"]


@pytest.mark.typesetting
def test_every_link_of_the_mail_opens_for_someone_who_is_logged_out(journey: Journey) -> None:
    event = make_event()
    journey.sign_up(event)
    [mail] = journey.mails()

    for words in (mailbox.text(mail), mailbox.html(mail)):
        links = set(mailbox.links(words))
        answers = {
            link: Client().get(link.removeprefix("https://webinaires.example.org")).status_code for link in links
        }
        assert len(links) == 5
        assert set(answers.values()) == {200}, answers


def test_the_same_address_again_gets_its_confirmation_again_and_nothing_else_changes(journey: Journey) -> None:
    event = make_event()
    first = journey.sign_up(event, email="zoe@example.org", organisation="La première")
    second = journey.sign_up(event, email="  ZOE@Example.ORG ", organisation="La seconde")

    assert first.redirect_chain == second.redirect_chain
    assert Registration.objects.get().organisation == "La première"
    subjects = [mail["Subject"] for mail in journey.mails()]
    assert subjects[0].startswith("Inscription confirmée\u00a0: ")
    assert subjects[1].startswith("Votre inscription au webinaire du ")
