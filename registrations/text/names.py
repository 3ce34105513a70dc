"""What a name is. It is the only text of a visitor that mails contain, so it must not carry a link or an advert."""

import re
import unicodedata

APOSTROPHES, HYPHENS = "'’‘`´", "-‐‑–"
JOINERS = "\u200c\u200d"  # used by several scripts inside words, and by emoji
DOTS = "\u1427\ua4f8\ua4f9\ua4fa\ua4fb\ua4fc\ua4fd\ua78f\u4e36"  # letters that look like a full stop
DOTTED_MARKS = "\u302e\u302f"  # tone marks of old Korean, drawn as dots beside a letter
MUSIC = range(0x1D000, 0x1D250)  # marks of notation, among them dots: no name has them
ENCLOSED_LETTERS = range(0x1F100, 0x1F200)
CATALAN = re.compile(r"(?<=l)·(?=l)", re.IGNORECASE)
ALPHABETS = {"LATIN", "CYRILLIC", "GREEK"}  # whose letters look like each other
WORDS_GREETED, LENGTH_GREETED = 2, 30

# In the shape of a name, each character stands for its kind: `A` a capital, `a` another letter of a script with
# capitals, `o` a letter of a script without, `m` a mark, `e` an emoji, `?` what no name has.
_LETTER = "[Aao]m{0,4}"
_WHAT_NO_NAME_HAS = re.compile(
    r"\?"
    r"|(?<![Aaome])m|m{5}"  # marks without a letter, or too many on one
    rf"|(?<![Aaom])\.|(?:{_LETTER}){{6}}\.(?=[Aao])"  # a full stop that ends no abbreviation: gagnez.Casino
    r"|\.(?=am*(?:[Aao]m*)*(?![Aaom.]))"  # and before small letters that are none: bit.ly, but Dr.med.
    r"|\.\."
    r"|/"  # other than in a/l
)
_LINEAGE = re.compile(r"(?<![^ ])[Aa]/[Aa](?![^ ])")  # a/l, s/o: "son of" in Malaysian names


def is_name(text: str) -> bool:
    """Letters of any script with their marks, spaces, apostrophes, hyphens, the full stop of an abbreviation, `a/l`.

    An emoji may stand beside letters. Digits, other dots and other signs belong to addresses and telephone numbers.
    """
    shape = _LINEAGE.sub("", _shape(text))
    return bool(re.search("[Aao]", shape)) and not _WHAT_NO_NAME_HAS.search(shape)


def may_be_greeted(name: str) -> bool:
    """Whether a name reads as one and nothing else. A mail to someone whose name is in doubt greets without it."""
    shape = _shape(name)
    return (
        is_name(name)
        and not re.search(rf"\.[Aao]|(?:{_LETTER}){{6}}\.|e", shape)
        and unicodedata.is_normalized("NFKC", name)
        and len(name) <= LENGTH_GREETED
        and len(name.split()) <= WORDS_GREETED
        and not any(len(_alphabets(word)) > 1 for word in name.split())
    )


def _shape(name: str) -> str:
    return "".join(_kind(character) for character in CATALAN.sub("", name))


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if character in JOINERS:
        return ""
    if character in APOSTROPHES or character in HYPHENS:
        return "-"
    if character in "./":
        return character
    if category == "Zs":
        return " "
    if category[0] == "L" and character not in DOTS:
        return "A" if category in {"Lu", "Lt"} else "a" if category == "Ll" else "o"
    if character in DOTTED_MARKS or ord(character) in MUSIC:
        return "?"
    if category[0] == "M":
        return "m"
    is_emoji = category in {"So", "Sk"} and not character.isascii() and ord(character) not in ENCLOSED_LETTERS
    return "e" if is_emoji else "?"


def _alphabets(word: str) -> set[str]:
    return {unicodedata.name(character, "").partition(" ")[0] for character in word} & ALPHABETS
