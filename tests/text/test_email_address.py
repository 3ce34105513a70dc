"""An address as people type and paste it: repaired where it is sure what was meant, else told what is wrong."""

import pytest
from django.core.exceptions import ValidationError

from registrations.web.fields import AddressField


def cleaned(typed: str) -> str:
    return AddressField().clean(typed)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("zoe@example.org", "zoe@example.org"),
        ("zoe@EXAMPLE.org", "zoe@example.org"),
        ("Zoe@example.org", "Zoe@example.org"),
        ("mailto:zoe@example.org", "zoe@example.org"),
        ("MAILTO:zoe@example.org?subject=Webinaire", "zoe@example.org"),
        ("mailto:zoe%2Bpole@example.org", "zoe+pole@example.org"),
        ("Zoë Durand <zoe@example.org>", "zoe@example.org"),
        ('"Durand, Zoë" <zoe@example.org>', "zoe@example.org"),
        ("<zoe@example.org>", "zoe@example.org"),
        ("(zoe@example.org)", "zoe@example.org"),
        ("zoe@example.org (Zoë)", "zoe@example.org"),
        ("zoe@example.org(Zoë Durand)", "zoe@example.org"),
        ("Zoë (zoe@example.org)", "zoe@example.org"),
        ("<zoe@example.org> Zoë", "zoe@example.org"),
        ("Zoë ‹zoe@example.org›", "zoe@example.org"),
        ("‹zoe@example.org› Zoë", "zoe@example.org"),
        ("« zoe@example.org »", "zoe@example.org"),
        ("zoe@example.org.", "zoe@example.org"),
        ("zoe@example.org,", "zoe@example.org"),
        ("zoe@example.org ;", "zoe@example.org"),
        ("\ufeffzoe@example.org\u200b", "zoe@example.org"),
        ("zoe\u200d@exam\u00adple.org", "zoe@example.org"),
        ("\u00a0zoe @ example.org\n", "zoe@example.org"),
        ("zoe＠example.org", "zoe@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("zoe+pole@example.org", "zoe+pole@example.org"),
    ],
)
def test_what_is_surely_meant_is_repaired(typed: str, read: str) -> None:
    assert cleaned(typed) == read


@pytest.mark.parametrize("hyphen", "‐‑‒–—−﹣－")
def test_a_typographic_hyphen_leads_to_the_domain_of_somebody_else(hyphen: str) -> None:
    written = f"mairie{hyphen}poissy"
    by_browser = "xn--" + written.encode("punycode").decode()  # Chromium encodes what it sends
    assert cleaned(f"zoe@{written}.fr") == cleaned(f"zoe@{by_browser}.fr") == "zoe@mairie-poissy.fr"


@pytest.mark.parametrize("hyphen", "‐‑‒–—−﹣－")
def test_a_typographic_hyphen_before_the_at_sign_was_told_to_be_a_letter_with_an_accent(hyphen: str) -> None:
    assert cleaned(f"anne{hyphen}marie@example.org") == "anne-marie@example.org"


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("faß.example", "xn--fa-hia.example"),  # and not fass.example, another domain
        ("xn--fa-hia.example", "xn--fa-hia.example"),
        ("ÉTÉ.example", "xn--t-9fab.example"),
        ("e\u0301te\u0301.example", "xn--t-9fab.example"),
        ("中文.example", "xn--fiq228c.example"),
    ],
)
def test_a_domain_in_other_letters_stays_itself(typed: str, domain: str) -> None:
    assert cleaned(f"zoe@{typed}") == f"zoe@{domain}"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("zoe", "Il manque le signe @."),
        ("zoe.example.org", "Il manque le signe @."),
        ("zoe@", "Il manque le domaine, après le signe @."),
        ("@example.org", "Il manque ce qui précède le signe @."),
        ("zoe@example,org", "Il y a une virgule à la place du point, après le signe @."),
        ("zoe@example", "Il manque la fin de l’adresse, par exemple .fr ou .org."),
        ("zoe@example.org tom@example.org", "Il y a plus d’un signe @\u00a0: une seule adresse est attendue."),
        ("zoe durand@example.org", "Il y a une espace dans cette adresse."),
        ("zoé@example.org", "Avant le signe @, seules des lettres sans accent sont possibles."),
        ("zoe,durand@example.org", "Avant le signe @, le signe «\u00a0,\u00a0» n’est pas possible."),
        ("zoe;durand@example.org", "Avant le signe @, le signe «\u00a0;\u00a0» n’est pas possible."),
        ("zoe(durand@example.org", "Avant le signe @, le signe «\u00a0(\u00a0» n’est pas possible."),
        ("zoe…durand@example.org", "Avant le signe @, le signe «\u00a0…\u00a0» n’est pas possible."),
        ('"zoe"d@example.org', 'Avant le signe @, le signe «\u00a0"\u00a0» n’est pas possible.'),
        ("zoe..d@example.org", "Avant le signe @, un point n’est ni doublé ni placé à la fin."),
        ("zoe.@example.org", "Avant le signe @, un point n’est ni doublé ni placé à la fin."),
        ("zoe@exa_mple.org", "Ce qui suit le signe @ n’est pas un nom de domaine."),
        ("zoe@example..org", "Ce qui suit le signe @ n’est pas un nom de domaine."),
        ("zoe@[127.0.0.1]", "Ce qui suit le signe @ n’est pas un nom de domaine."),
        ("zoe@127.0.0.1", ""),
        pytest.param(  # 5 s of CPU, once
            f"zoe@xn--{'9' * 120_000}.fr", "Ce qui suit le signe @ n’est pas un nom de domaine.", id="very long"
        ),
    ],
)
def test_the_form_says_what_is_wrong(typed: str, reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        cleaned(typed)
    example = "Saisissez une adresse électronique complète, par exemple prenom.nom@exemple.fr."
    assert refused.value.messages == [f"{example} {reason}".strip()]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ｅxample.org", "example.org"),
        ("example。org", "example.org"),
        ("e\u2460xample.org", "e1xample.org"),
        ("ﬁrst.example", "first.example"),
    ],
)
def test_a_domain_is_not_changed_silently(typed: str, meant: str) -> None:
    with pytest.raises(ValidationError) as refused:
        cleaned(f"zoe@{typed}")
    assert refused.value.messages == [f"Vouliez-vous écrire zoe@{meant}\u00a0?"]
