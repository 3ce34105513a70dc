"""Participant reports that were refused, or in which someone was present, absent or counted wrongly."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from registrations.spreadsheets.attendance_report import Participant, participants
from tests.spreadsheets import workbooks
from tests.spreadsheets.test_attendance_report import ALI, ZOE, told

CASES = Path(__file__).parent / "cases"

ZOE_AT_EXAMPLE = ("Zoë Durand", "zoe.durand@example.org")
PAUL_AT_EXAMPLE = ("Paul Martin", "paul.martin@example.org")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("zoom_new_flat_waitingroom.csv", [told(ZOE_AT_EXAMPLE, 90)]),
        ("teams_registration_only.csv", [told(ZOE_AT_EXAMPLE, None)]),
        ("bbb_poll.csv", [told(('Zoë la fée" Durand"', ""), 82), told(("Paul Martin", ""), 82)]),
        ("dur_04.csv", [told(ZOE_AT_EXAMPLE, 83), told(PAUL_AT_EXAMPLE, 30)]),
        ("webex_fr.csv", [told(ZOE_AT_EXAMPLE, 83)]),
    ],
)
def test_reports_that_failed_are_read(file: str, expected: list[Participant]) -> None:
    assert participants((CASES / file).read_bytes()) == expected


ZOOM_BLOCKS = {
    "none": "",
    "en": "Topic,ID,Host name,Host email,Start time,End time,Participants,Duration (minutes)\n"
    "Un réseau,812,Ada,hote@example.org,12/15/2026 01:45:00 PM,12/15/2026 04:00:00 PM,2,135\n\n",
    "fr": "Sujet,ID de réunion,Nom de l’hôte,Adresse e-mail de l’hôte,Heure de début,Heure de fin,Durée (minutes)\n"
    "Un réseau,812,Ada,hote@example.org,15/12/2026 13:45:00,15/12/2026 16:00:00,135\n\n",
}
ZOOM_HEADERS = {
    "old, en": "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest,In Waiting Room",
    "new, en": "Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,In waiting room",
    "old, fr": "Nom (nom d’origine),Adresse e-mail,Heure d’arrivée,Heure de départ,Durée (minutes),Invité,"
    "Dans la salle d’attente",
    "new, fr": "Nom (nom original),E-mail,Heure d’entrée,Heure de sortie,Durée (minutes),Invité(e),En salle d’attente",
}


@pytest.mark.parametrize("block", ZOOM_BLOCKS)
@pytest.mark.parametrize("header", ZOOM_HEADERS)
@pytest.mark.parametrize(("yes", "no"), [("Yes", "No"), ("Oui", "Non"), ("TRUE", "FALSE")])
def test_who_only_sat_in_the_waiting_room_is_not_present(block: str, header: str, yes: str, no: str) -> None:
    rows = [
        f"Zoë Durand,zoe@example.org,12/15/2026 01:50:00 PM,12/15/2026 02:00:00 PM,10,Yes,{yes}",
        f"Zoë Durand,zoe@example.org,12/15/2026 02:00:00 PM,12/15/2026 03:30:00 PM,90,Yes,{no}",
        f"Ali Ben,ali@example.org,12/15/2026 02:05:00 PM,12/15/2026 02:45:00 PM,40,Yes,{yes}",
    ]
    content = ZOOM_BLOCKS[block] + "\n".join([ZOOM_HEADERS[header], *rows])
    assert participants(content.encode()) == [told(ZOE, 90)]


def test_columns_of_the_meeting_before_the_participants_are_not_theirs() -> None:
    header = "Topic,Meeting ID,User Email,Duration (Minutes),Name (Original Name),User Email,Duration (Minutes)"
    rows = (
        "Un réseau,812,hote@example.org,135,Zoë Durand,zoe@example.org,75\nUn réseau,812,hote@example.org,135,Ali,,9"
    )
    assert participants(f"{header}\n{rows}".encode()) == [told(ZOE, 75), told(("Ali", ""), 9)]


@pytest.mark.parametrize(
    ("lines", "minutes"),
    [
        (["14:00:00;15:00:00;60", "14:00:00;15:00:00;60"], 60),  # two devices at once
        (["14:00:00;15:00:00;60", "14:30:00;15:23:00;53"], 83),
        (["14:00:00;15:30:00;90", "14:10:00;14:20:00;10"], 90),
        (["14:00:00;14:30:00;30", "15:00:00;15:10:00;10"], 40),  # one after the other
        (["14:00:05;15:30:00;90", "14:10:00;15:00:00;50"], 90),  # the room rounds 89 min 55 s up
        (["14:00:00;14:00:20;1", "14:00:40;15:30:00;90"], 90),
        (["14:00:00;15:00:00;", "14:30:00;15:23:00;-"], 83),  # the hours tell the length
        (["14:00:00;-;01:00:00", "14:30:00;-;00:53:00"], 83),  # still in the room when the report was made
        (["-;15:00:00;60", "14:30:00;15:30:00;60"], 90),
        (["14:00:00;15:00:00;60", "-;-;20"], 60),  # may overlap: only the longest is certain
        (["-;-;30", "-;-;20"], 50),
        (["14:00:00;En cours;", "14:30:00;15:00:00;30"], None),
        (["15:00:00;14:00:00;En cours"], None),  # nobody leaves before arriving
        (["14:00:00;15:30:00;40"], 40),
        (["14:00:00;14:00:40;"], None),
    ],
)
@pytest.mark.parametrize("day", ["15/12/2026 ", "2026-12-15T"])
def test_minutes_are_at_most_those_between_arrival_and_departure(
    lines: list[str], minutes: int | None, day: str
) -> None:
    rows = "".join(f"Zoë Durand;{line}\n".replace("14:", f"{day}14:").replace("15:", f"{day}15:") for line in lines)
    content = f"Nom;Arrivée;Départ;Durée\n{rows}".encode()
    assert participants(content) == [told(("Zoë Durand", ""), minutes)]


@pytest.mark.parametrize(
    "text", ["En cours", "-", "?", "environ une heure", "999999999", "83:00", "1 an", "< 1 min", "0", "#REF!"]
)
def test_an_unknown_duration_is_unknown_and_refuses_nobody(text: str) -> None:
    content = f"Nom;Durée\nZoë Durand;{text}\nAli Ben;30\n".encode()
    assert participants(content) == [told(("Zoë Durand", ""), None), told(("Ali Ben", ""), 30)]


def test_a_moment_of_less_than_a_minute_does_not_hide_the_rest() -> None:
    assert participants(b"Nom;Dur\xe9e\nZoe;< 1 min\nZoe;83 min.\n") == [told(("Zoe", ""), 83)]


BBB_IN_FRENCH = "Nom,Modérateur,Score d’activité,Temps de parole,Votes au sondage,Arrivée,Départ,Durée"


@pytest.mark.parametrize(
    "poll", ["Durée", "Présence ?", "Nom", "E-mail", "Prénom,Nom de famille", "Salle d’attente", "Départ", "Minutes"]
)
def test_the_question_of_a_poll_is_no_column_of_the_report(poll: str) -> None:
    answers = ",Non" * len(poll.split(","))
    row = f"Zoë Durand,FALSE,3,-,1,15/12/2026 14:00:10,15/12/2026 15:23:04,01:22:54{answers}"
    assert participants(f"{BBB_IN_FRENCH},{poll}\n{row}\n".encode()) == [told(("Zoë Durand", ""), 82)]


def test_of_two_columns_with_one_name_the_first_counts() -> None:
    content = "Nom;E-mail;Durée;Durée;E-mail\nZoë Durand;zoe@example.org;75;trop long;autre@example.org\n"
    assert participants(content.encode()) == [told(ZOE, 75)]


TEAMS_WITH_REGISTRATIONS = """\
1. Summary
Registered participants\t4

2. Participants
{header}
Z. D.\t12/15/26, 2:00:00 PM\t12/15/26, 3:23:00 PM\t1h 23m\t\tAttendee\tZoë\tDurand\tzoe@example.org\tRegistered
Ali Ben (Invité)\t12/15/26, 2:00:00 PM\t12/15/26, 2:30:00 PM\t30m\tali@example.org\tAttendee\t\t\t\t
\t\t\t\t\t\tLéa\tAbsente\tlea@example.org\tRegistered
"""


@pytest.mark.parametrize(
    "header",
    [
        (
            "Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tRole\t"
            "Registration First Name\tRegistration Last Name\tRegistration Email\tRegistration Status"
        ),
        (
            "Nom\tPremière arrivée\tDernier départ\tDurée de la réunion\tE-mail\tRôle\t"
            "Prénom d’inscription\tNom d’inscription\tE-mail d’inscription\tStatut d’inscription"
        ),
    ],
)
def test_who_registered_with_teams_and_never_joined_is_not_present(header: str) -> None:
    content = TEAMS_WITH_REGISTRATIONS.format(header=header).encode("utf-16")
    assert participants(content) == [told(ZOE, 83), told(("Ali Ben (Invité)", "ali@example.org"), 30)]


@pytest.mark.parametrize("status", ["Canceled", "Annulée", "Waitlisted"])
def test_a_cancelled_registration_with_teams_is_no_presence(status: str) -> None:
    header = "Registration First Name\tRegistration Last Name\tRegistration Email\tRegistration Status"
    rows = f"Léa\tAbsente\tlea@example.org\t{status}\nZoë\tDurand\tzoe@example.org\tRegistered\n"
    assert participants(f"{header}\n{rows}".encode()) == [told(ZOE, None)]


WEBEX = """\
Meeting Name\tMeeting Start Time\tDisplay Name\tFirst Name\tLast Name\tRole\tAttendee Email\tJoin Time\tLeave Time\t\
Attendance Duration\tConnection Type
="Webinaire"\t="2026-12-15 14:00:00"\tZD\t="Zoë"\tDurand\tAttendee\t="zoe@example.org"\t="2026-12-15 14:00:00"\t\
="2026-12-15 15:23:00"\t83 mins\tDesktop app
"""


def test_webex_writes_its_cells_as_formulas() -> None:
    assert participants(WEBEX.encode("utf-16")) == [told(ZOE, 83)]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"Name,Email\nZo\0e,x@example.org\nAli,\n", ["Zoe", "Ali"]),
        (b"Name\nDurand\nZo\x81\xff\x01\x02\xfd\n", ["Durand"]),
        ("Nom;E-mail\nZoë;é\nJosé;\n".encode() + b"L\xe9a;\n", ["Zoë", "José", "L\ufffda"]),
        ("Nom;E-mail\nZoë;\n".encode("utf-16") + b"\x00\xd8", ["Zoë"]),
        ("Nom;E-mail\nZoë;\nAndré;".encode("cp1252"), ["Zoë", "André"]),
    ],
)
def test_an_odd_byte_costs_one_character_and_not_the_file(content: bytes, names: list[str]) -> None:
    assert [one.name for one in participants(content)][: len(names)] == names


def test_a_workbook_is_read_with_its_hours_and_lengths() -> None:
    day = datetime(2026, 12, 15, tzinfo=UTC).replace(tzinfo=None)
    rows: list[list[object]] = [
        ["Rapport de participation"],
        ["Nom", "E-mail", "Arrivée", "Départ", "Durée"],
        ["Zoë Durand", "zoe@example.org", day.replace(hour=14), day.replace(hour=15), time(1, 0)],
        ["Zoë Durand", "zoe@example.org", day.replace(hour=14, minute=30), day.replace(hour=15, minute=15), 45],
        ["Ali Ben", "ali@example.org", None, None, timedelta(hours=1, minutes=30)],
    ]
    assert participants(workbooks.xlsx({"Rapport": rows})) == [told(ZOE, 75), told(ALI, 90)]


def test_a_heading_of_a_hundred_thousand_brackets_is_read_past_at_once() -> None:
    assert participants(f"Nom,Structure,{'(' * 100_000}\nZoë Durand,,\n".encode()) == [told(("Zoë Durand", ""), None)]


def test_of_a_workbook_the_sheet_of_the_participants_is_read() -> None:
    people: list[list[object]] = [["Nom", "E-mail", "Durée"], ["Zoë Durand", "zoe@example.org", "75"]]
    content = workbooks.xlsx({"Résumé": [["Titre", "Un réseau"], ["Nom", "Webinaire"]], "Participants": people})
    assert participants(content) == [told(ZOE, 75)]
