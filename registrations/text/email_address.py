"""Read an email address as it was typed or pasted: repair what is surely meant, and say what is wrong with the rest.

The domain is encoded by IDNA 2008 (RFC 5891), so that « faß.example » stays itself. What the mapping of UTS 46 would
change beyond capitals is not changed silently: the reader is asked.
"""

import re
import string
import unicodedata
from urllib.parse import unquote

import idna
from django.utils.translation import gettext as _

MAILTO = re.compile(r"mailto:([^?]*)", re.IGNORECASE)
NAME_AND_ADDRESS = re.compile(r"[^<>]*<([^<>]*)>[^<>]*")
WITH_COMMENT = re.compile(r"([^()]*)\(([^()]*)\)")
SIGNS = str.maketrans({"＠": "@", "﹫": "@", "‹": "<", "›": ">"})
HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d", "-"))
AROUND = " \t\n\"'«»<>()[],;:."  # no address begins or ends with one of these
BEFORE_AT = {*string.ascii_letters, *string.digits, *"!#$%&'*+/=?^_`{}|~-."}  # RFC 5322, section 3.2.3
PUNYCODE = "xn--"
DOMAIN_MAX = 253  # characters of a name (RFC 1035, section 2.3.4)


class NotAnAddress(ValueError):
    """The message says what is wrong, in the active language."""


class AnotherAddressMeant(NotAnAddress):
    """The message asks whether the address that it names was meant."""


def read(typed: str) -> str:
    """The address for SMTP without extensions: ASCII. Raises NotAnAddress."""
    local_part, domain = _parts(_repaired(typed))
    _check_before_at(local_part)
    return f"{local_part}@{_encoded(domain, local_part)}"


def _repaired(typed: str) -> str:
    """Without what surrounds it: a name, a scheme, punctuation, invisible characters; without spaces around the @.

    A typographic hyphen, which no address can hold, is the one of the keyboard.
    """
    text = typed.translate(SIGNS).translate(HYPHENS)
    text = "".join(char for char in text if unicodedata.category(char) not in {"Cf", "Cc"} or char == "\n")
    text = " ".join(text.split())
    if named := NAME_AND_ADDRESS.fullmatch(text):
        text = named[1]
    if commented := WITH_COMMENT.fullmatch(text):
        text = commented[1] if "@" in commented[1] else commented[2]
    text = text.strip(AROUND)
    if link := MAILTO.match(text):
        text = unquote(link[1]).strip(AROUND)
    return re.sub(r" ?@ ?", "@", text)


def _parts(text: str) -> tuple[str, str]:
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise NotAnAddress(_("The @ is missing."))
    if not domain or not local_part:
        raise NotAnAddress(
            _("The part after the @ is missing.") if local_part else _("The part before the @ is missing.")
        )
    if "@" in local_part:
        raise NotAnAddress(_("There is more than one @: enter one address."))
    if " " in text:
        raise NotAnAddress(_("There is a space in this address."))
    if "," in domain or ";" in domain:
        raise NotAnAddress(_("There is a comma in place of a full stop after the @."))
    return local_part, domain


def _check_before_at(local_part: str) -> None:
    for sign in local_part:
        if unicodedata.category(sign)[0] in "LM" and not sign.isascii():
            raise NotAnAddress(_("Before the @, only letters without accents are possible."))
        if sign not in BEFORE_AT:
            raise NotAnAddress(_("Before the @, the sign “%(sign)s” is not possible.") % {"sign": sign})
    if "" in local_part.split("."):
        raise NotAnAddress(_("Before the @, a full stop is neither doubled nor the last sign."))


def _encoded(domain: str, local_part: str) -> str:
    """The domain in ASCII. A browser may have encoded a typographic hyphen."""
    if len(domain) > DOMAIN_MAX:  # before it is decoded, whose time grows with the square of the length
        raise NotAnAddress(_("The part after the @ is not the name of a domain."))
    written = ".".join(_decoded(label) for label in domain.lower().split(".")).translate(HYPHENS)
    written = unicodedata.normalize("NFC", written)
    try:
        meant = idna.uts46_remap(written, std3_rules=True)
        encoded = idna.encode(meant).decode()
    except idna.IDNAError as error:
        raise NotAnAddress(_("The part after the @ is not the name of a domain.")) from error
    if "." not in encoded:
        raise NotAnAddress(_("The end of the address is missing, for example .fr or .org."))
    if meant != written:
        raise AnotherAddressMeant(_("Did you mean %(address)s?") % {"address": f"{local_part}@{encoded}"})
    return encoded


def _decoded(label: str) -> str:
    """The label as it was typed: browsers encode it, typographic hyphens included (RFC 3492)."""
    if not label.startswith(PUNYCODE):
        return label
    try:
        return label.removeprefix(PUNYCODE).encode("ascii").decode("punycode")
    except UnicodeError:
        return label
