"""Participant reports of meeting rooms are read without changes; other files are refused with an explanation."""

import codecs
import zipfile
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.utils import translation

from registrations.spreadsheets import attendance_report
from registrations.spreadsheets.attendance_report import Participant, participants
from registrations.spreadsheets.reader import FileNotUnderstood


@pytest.fixture(autouse=True)
def _in_french() -> Iterator[None]:
    with translation.override("fr"):
        yield


ZOE, ALI = ("Zoë Durand", "zoe@example.org"), ("Ali Ben", "ali@example.org")

ZOOM_MEETING = """\
Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest
Zoë Durand,zoe@example.org,05/13/2025 04:28:10 PM,05/13/2025 05:00:10 PM,32,Yes
Ali Ben,ali@example.org,05/13/2025 04:30:00 PM,05/13/2025 06:00:00 PM,90,No
Zoë Durand,zoe@example.org,05/13/2025 05:10:00 PM,05/13/2025 05:53:00 PM,43,Yes
"""
ZOOM_MEETING_WITH_ITS_BLOCK = (
    """\
Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants
812 3456 7890,Faire vivre un réseau,05/13/2025 04:15:00 PM,05/13/2025 06:02:00 PM,hote@example.org,107,2

"""
    + ZOOM_MEETING
)
ZOOM_IN_FRENCH = """\
Nom (nom original),Adresse e-mail,Durée totale (minutes),Invité
Zoë Durand,zoe@example.org,75,Oui
Ali Ben,ali@example.org,90,Non
"""
ZOOM_WEBINAR = """\
Attendee Report
Report Generated:,"05/13/2025 07:00:00 PM"
Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered,# Cancelled
Faire vivre un réseau,812 3456 7890,"05/13/2025 04:15:00 PM",107,3,0
Host Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest,Country/Region Name
Yes,Ali Ben,ali@example.org,"05/13/2025 04:30:00 PM","05/13/2025 06:00:00 PM",90,No,France
Attendee Details,
Attended,User Name (Original Name),First Name,Last Name,Email,Join Time,Leave Time,Time in Session (minutes),Is Guest
Yes,Zoé de la ville,Zoë,Durand,zoe@example.org,"05/13/2025 04:28:10 PM","05/13/2025 05:00:10 PM",32,Yes
Yes,Zoé de la ville,Zoë,Durand,zoe@example.org,"05/13/2025 05:10:00 PM","05/13/2025 05:53:00 PM",43,Yes
No,Léa,Léa,Absente,lea@example.org,--,--,--,--
"""
TEAMS = """\
1. Summary
Meeting title\tFaire vivre un réseau
Attended participants\t2
Start time\t5/13/25, 4:15:11 PM
Meeting duration\t1h 46m 51s

2. Participants
Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole
Zoë Durand\t5/13/25, 4:28:10 PM\t5/13/25, 5:53:00 PM\t1h 15m 30s\tzoe@example.org\t\tAttendee
Ali Ben\t5/13/25, 4:30:00 PM\t5/13/25, 6:00:00 PM\t1h 30m\t\tali@example.org\tOrganizer

3. In-Meeting Activities
Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole
Zoë Durand\t5/13/25, 4:28:10 PM\t5/13/25, 5:00:10 PM\t32m\tzoe@example.org\tAttendee
Zoë Durand\t5/13/25, 5:10:00 PM\t5/13/25, 5:53:30 PM\t43m 30s\tzoe@example.org\tAttendee
Ali Ben\t5/13/25, 4:30:00 PM\t5/13/25, 6:00:00 PM\t1h 30m\tali@example.org\tOrganizer
"""
TEAMS_IN_FRENCH = """\
1. Résumé
Titre de la réunion\tFaire vivre un réseau
Participants présents\t2
Durée de la réunion\t1 h 46 min 51 s

2. Participants
Nom\tPremière participation\tDernier départ\tDurée de la réunion\tE-mail\tID du participant (UPN)\tRôle
Zoë Durand\t13/05/2025 16:28:10\t13/05/2025 17:53:00\t1 h 15 min 30 s\tzoe@example.org\t\tParticipant
Ali Ben\t13/05/2025 16:30:00\t13/05/2025 18:00:00\t1 h 30 min\tali@example.org\t\tOrganisateur

3. Activités au cours de la réunion
Nom\tHeure d’arrivée\tHeure de départ\tDurée\tE-mail\tRôle
Zoë Durand\t13/05/2025 16:28:10\t13/05/2025 17:53:00\t1 h 15 min\tzoe@example.org\tParticipant
"""
BIGBLUEBUTTON = """\
Name,Moderator,Activity Score,Talk Time,Webcam Time,Messages,Poll Votes,Raise Hands,Join,Left,Duration,On vote\u00a0?
"Zoë Durand","FALSE","2,5","00:01:10","-","3","1","0","13/05/2025 16:28:10","13/05/2025 17:53","01:15:40","Oui"
"Ali Ben","TRUE","0","00:30:00","01:00:00","3","1","0","13/05/2025 16:30:00","-","01:30:00","-"
""".replace("\n", "\r\n")


def told(name: tuple[str, str], minutes: int | None) -> Participant:
    return Participant(*name, minutes)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ZOOM_MEETING.encode("utf-8-sig"), [told(ZOE, 75), told(ALI, 90)]),
        (ZOOM_MEETING_WITH_ITS_BLOCK.encode(), [told(ZOE, 75), told(ALI, 90)]),
        (ZOOM_IN_FRENCH.encode(), [told(ZOE, 75), told(ALI, 90)]),
        (ZOOM_WEBINAR.encode(), [told(ALI, 90), told(ZOE, 75)]),
        (TEAMS.encode("utf-16"), [told(ZOE, 75), told(ALI, 90)]),
        (TEAMS_IN_FRENCH.replace("\n", "\r\n").encode("utf-16"), [told(ZOE, 75), told(ALI, 90)]),
        (BIGBLUEBUTTON.encode(), [told(("Zoë Durand", ""), 75), told(("Ali Ben", ""), 90)]),
    ],
    ids=["zoom", "zoom with its block", "zoom in French", "zoom webinar", "teams", "teams in French", "bigbluebutton"],
)
def test_the_reports_of_the_usual_rooms_are_read_without_changes(content: bytes, expected: list[Participant]) -> None:
    assert participants(content) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_list_is_read_whatever_its_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    text = delimiter.join(["Prénom", "Nom", "Courriel"]) + "\n" + delimiter.join(["Zoë", "Durand", "zoe@example.org"])
    assert participants(text.encode(encoding)) == [told(ZOE, None)]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF16_LE])
def test_utf_16_is_recognised_without_a_byte_order_mark(mark: bytes) -> None:
    assert participants(mark + "Name\tEmail\nZoë Durand\tzoe@example.org".encode("utf-16-le")) == [told(ZOE, None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Email\nzoe@example.org\n", [Participant("", "zoe@example.org", None)]),
        ("Nom\nZoë Durand\n\nAli Ben\n", [Participant("Zoë Durand", "", None), Participant("Ali Ben", "", None)]),
        ("sep=;\nNom;Structure;Remarque\nZoë Durand;;\n", [Participant("Zoë Durand", "", None)]),
        (
            "Nom complet\tAction de l’utilisateur\tHorodatage\nZoë Durand\tA rejoint\tx\nZoë Durand\tA quitté\ty\n",
            [Participant("Zoë Durand", "", None)],
        ),
        ("Nom complet;E-mail\n;\nZoë Durand;pas d'adresse\n", [Participant("Zoë Durand", "", None)]),
    ],
)
def test_a_name_or_an_address_is_enough(text: str, expected: list[Participant]) -> None:
    assert participants(text.encode()) == expected


def test_lines_of_one_person_are_merged_by_address_or_by_name() -> None:
    text = "Name,Email,Duration\nZoë,zoe@example.org,10\nZ. D.,ZOE@example.org,20\nali ben,,5\nALI BEN,,7\n"
    assert participants(text.encode()) == [Participant("Zoë", "zoe@example.org", 30), Participant("ali ben", "", 12)]


def test_minutes_are_unknown_when_the_length_of_one_session_is() -> None:
    assert participants(b"Name,Duration\nZoe,10\nZoe,-\n") == [Participant("Zoe", "", None)]


def test_a_column_in_seconds_is_not_taken_for_minutes() -> None:
    assert participants(b"Name,Duration (seconds)\nZoe,4500\n") == [Participant("Zoe", "", 75)]


@pytest.mark.parametrize(
    ("heading", "minutes"),
    [("Durée (heures)", 90), ("Duration (hours)", 90), ("Durée (h)", 90), ("Durée (minutes)", 1), ("Durée", 1)],
)
def test_a_plain_number_is_in_the_unit_of_its_column(heading: str, minutes: int) -> None:
    assert participants(f"Nom;{heading}\nZoe;1,5\n".encode()) == [Participant("Zoe", "", minutes)]


def test_formulas_are_read_as_text_and_invisible_characters_removed() -> None:
    text = 'Name,Email\n"=HYPERLINK(""http://x"",""y"")",\u202e\u200bzoe@example.org\n"Zoë\r\nDurand\u00ad",\n'
    assert participants(text.encode()) == [
        Participant('=HYPERLINK("http://x","y")', "zoe@example.org", None),
        Participant("Zoë Durand", "", None),
    ]


def zipped() -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as folder:
        folder.writestr("xl/workbook.xml", "<workbook/>")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Aucune ligne de ce fichier ne nomme ses colonnes"),
        (b"\n\n\n", "Aucune ligne de ce fichier ne nomme ses colonnes"),
        (b"a,b\n1,2\n", "Aucune ligne de ce fichier ne nomme ses colonnes"),
        (b"<html><body>Connectez-vous</body></html>", "Aucune ligne de ce fichier ne nomme ses colonnes"),
        (b"Name,Email\n", "Ce fichier ne nomme aucun·e participant·e."),
        (zipped(), "Ce classeur ne peut pas être lu"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Ce classeur ne peut pas être lu"),
        (b"%PDF-1.7", "Ce n’est pas un fichier CSV mais un classeur"),
        (b"\xff\xfeN", "Aucune ligne de ce fichier ne nomme ses colonnes"),
        (b'Name,Email\n"' + b"x" * 200_000, "La ligne 2 ne peut pas être lue"),
        (b"Name\n" + b"Zoe\n" * 20_001, "Ce fichier a plus de 20 000 lignes"),
        (b"Name\n" * 400_001, "Ce fichier dépasse 2 Mo"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_an_explanation(content: bytes, sentence: str) -> None:
    with pytest.raises(FileNotUnderstood) as refused:
        participants(content)
    assert sentence in str(refused.value).replace("\u00a0", " ")


def test_a_full_report_is_read_quickly() -> None:
    rows = "".join(f"Nom {number},n{number}@example.org,75\n" for number in range(attendance_report.MAX_ROWS - 1))
    found = participants(f"Name,Email,Duration\n{rows}".encode())
    assert len(found) == attendance_report.MAX_ROWS - 1
