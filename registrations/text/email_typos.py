"""Likely typing errors in the domain of a mail address. They are pointed out and never refused."""

from django.utils.translation import gettext as _

COMMON_DOMAINS = {
    "aol.com",
    "bbox.fr",
    "free.fr",
    "gmail.com",
    "gmx.com",
    "gmx.fr",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "live.com",
    "live.fr",
    "mail.com",
    "msn.com",
    "neuf.fr",
    "numericable.fr",
    "orange.fr",
    "outlook.com",
    "outlook.fr",
    "proton.me",
    "protonmail.com",
    "sfr.fr",
    "wanadoo.fr",
    "yahoo.com",
    "yahoo.fr",
    "ymail.com",
}
SHORTEST = 6  # letters: among shorter domains one letter more or less is often another real one


def meant_domain(address: str) -> str:
    """The common domain that differs from the domain of this address by one typing error; empty when there is none."""
    domain = address.rpartition("@")[2].lower()
    if domain in COMMON_DOMAINS or len(domain) < SHORTEST:
        return ""
    return next((common for common in sorted(COMMON_DOMAINS) if is_one_slip_from(domain, common)), "")


def with_meant_domain(address: str) -> str:
    """The address with the domain that was probably meant."""
    local_part, at, domain = address.rpartition("@")
    return f"{local_part}{at}{meant_domain(address) or domain}"


def question(address: str) -> str:
    """To the organiser who gave this address: whether another one was meant. Empty when there is no slip."""
    meant = with_meant_domain(address)
    if meant.lower() == address.lower():
        return ""
    return _("%(typed)s may hold a slip: did you mean %(meant)s?") % {"typed": address, "meant": meant}


def is_one_slip_from(typed: str, meant: str) -> bool:
    """Whether one letter is missing, added or wrong, or two neighbours are swapped (Damerau, 1964)."""
    start = next(
        (i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant))
    )
    left, right = typed[start:], meant[start:]
    exchanged = left[1::-1] + left[2:] if len(left) > 1 else ""
    return right in {left[1:], exchanged} or left[1:] in {right, right[1:]} or left == right[1:]
