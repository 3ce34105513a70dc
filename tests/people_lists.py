"""A list of people to import, as a CSV file."""

HEADER = ["Nom", "Prénom", "Courriel", "Structure", "Fonction"]
ZOE = ["Durand", "Zoë", "zoe@example.org", "Ville de Nulle-Part", "Cheffe de projet"]
ALI = ["Ben", "Ali", "ali@example.org", "CAF", "Conseiller"]


def csv_of(*rows: list[str], delimiter: str = ";", encoding: str = "utf-8") -> bytes:
    return "".join(delimiter.join(row) + "\r\n" for row in rows).encode(encoding)


def people(count: int) -> list[list[str]]:
    return [["Nom", "Prénom", f"p{n}@example.org", "Structure", "Fonction"] for n in range(count)]
