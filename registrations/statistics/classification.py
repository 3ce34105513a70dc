"""Estimate the type of an organisation from its name, and the function of a person from a job title, by rules.

The rules of a group are regular expressions on `plain` text, separated by line ends or « | »; they match whole words
only. When several groups match, the earliest match in the text wins, since French puts the main noun first
(« Association de la ville de … », « CCAS, ville de … »); at the same position, the first group of the table.
"""

import re
from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from registrations.models.search import folded

INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")  # « C.C.A.S. »
SPACED_INITIALS = re.compile(r"\b(?:[a-z] ){2,}[a-z]\b")  # « c c a s »
ENDINGS = {
    "e",
    "es",
    "s",
    "fe",
    "fes",
    "ne",
    "ice",
    "rice",
    "trice",
    "euse",
    "ere",
    "iere",
}  # « chargé·e », « élu(e)s »


def plain(text: str) -> str:
    """Normalise a text: « C.C.A.S. – Chargé·e d’Évaluation » becomes « ccas charge d evaluation »."""
    normalised = folded(INITIALS.sub(lambda found: found[0].replace(".", ""), text))
    joined = SPACED_INITIALS.sub(lambda found: found[0].replace(" ", ""), normalised)
    return " ".join(word for word in joined.split() if word not in ENDINGS)


class OrganisationType(models.TextChoices):
    PERSONAL = "personal", _("In a personal capacity")
    PROTECTION = "protection", _("Social protection, employment")
    STATE = "state", _("State services and agencies")
    EDUCATION = "education", _("Education and research")
    INTERCOMMUNAL = "intercommunal", _("Intercommunal bodies")
    COMMUNE = "commune", _("Communes and CCAS")
    DEPARTMENT = "department", _("Departments")
    REGION = "region", _("Regions")
    ASSOCIATION = "association", _("Associations and foundations")
    HOUSING = "housing", _("Social housing")
    HEALTH = "health", _("Health and care")
    COMPANY = "company", _("Companies, cooperatives")
    UNRECOGNISED = "unrecognised", pgettext_lazy("group", "Not recognised")


ORGANISATION_WORDS: dict[str, str] = {
    OrganisationType.PERSONAL: r"""
        ^(aucune?|neant|non|rien|sans|x+|na|particulier|particuliere|habitante?s?|citoyen(ne)?|retraitee?)$
        ^(a )?titre (personnel|individuel|prive) | ^sans (structure|organisme|emploi) | ^en recherche d emploi
    """,
    OrganisationType.PROTECTION: r"""
        cafs? | caf ?\d{2,3} | cnaf | caisses? (nationale )?(de|du|des|d) ?allocations? familiales?
        allocations familiales | cpam | cnam | caisse primaire | assurance maladie | securite sociale | msa
        mutualite sociale agricole | carsat | cramif | cnav | assurance retraite | urssaf | agirc | arrco
        france travail | pole emploi | missions? locales? | cap emploi | plie | maisons? de l emploi | apec
    """,
    OrganisationType.STATE: r"""
        (sous )?prefectures? | (sous )?prefete?s? | prefecture de (region|police) | ddets(pp)? | ddcs(pp)?
        dd(ets|cs) ?\d+ | d?rieets | dreets | drdjscs | direccte | driea | drihl | drieat | ddtm? | deal | dreal
        drac | sgar | dgcs | dges | dgcl | anct | cget | anru | ars | agences? regionales? de sante | ademe
        insee | pjj | dtpjj | protection judiciaire | spip | administration penitentiaire | tribunal
        maison d arret | gendarmerie | police nationale | commissariat | ministeres? | rectorats?
        region academique | academie | dsden | sdjes | drajes | inspection academique | inspection du travail
        education nationale | delegation interministerielle | caisse des depots | banque des territoires
        directions? (departementales?|regionales?|interdepartementales?|generales? (de|du|des|d))
        services? de l etat | etat | agence nationale | arcom | defenseur des droits
    """,
    OrganisationType.EDUCATION: r"""
        ecoles?(?! des parents) | colleges? | lycees? | erea | universites? | univ | upec | uvsq | ufr | iut
        iep | sciences ?po | science po | instituts? | irts | its | ehess | cnrs | inserm | cnfpt | inset
        greta | afpa | cfa | organisme de formation | (centre|ecole) de formation | campus | laboratoire
        faculte | master ?\d? | etudiante?s? | enseignement | formation continue | gip fcip
    """,
    OrganisationType.INTERCOMMUNAL: r"""
        communautes? ((de|du|des|d) )?(communes?|agglo(meration)?s?|urbaines?) | agglo(meration)?s?
        metropoles? | grand paris | mgp | epci | ept | ept ?\d+ | etablissements? publics? territorial | ca | cu
        cc | cacp | intercommunalites? | intercommunal(es?)? | intercommunaux | sivom | sivu | sivos | cias
        petr | syndicat mixte | sqy | gpseo | pold
    """,
    OrganisationType.COMMUNE: r"""
        mairies? | villes? (de|du|des|d) | ^ville | communes? (de|du|des|d) | commune | hotel de ville | ccas
        centre communal | caisse des ecoles | municipalite | municipal(es?)? | municipaux | communal(es?)?
        police municipale | maisons? de quartier | maisons? des associations | conseil municipal
        arrondissement
    """,
    OrganisationType.DEPARTMENT: r"""
        conseils? departemental | conseils? departementaux | conseil dep[a-z]* | conseil general
        cd ?(0?\d|\d\d|2[ab]|97\d) | cd (de|du|des|d) | cg ?\d\d
        departements?(?! (de |d )?(sociologie|geographie|droit|recherche|sciences?|formation|etudes))
        dept( ?\d\d)? | mdph | pmi | mds | aide sociale a l enfance | ase | collectivite europeenne
        maison departementale | service departemental
    """,
    OrganisationType.REGION: r"""
        conseils? regional | conseils? regionaux | regions? | cr ?(idf|ile de france) | ceser
        institut paris region
    """,
    OrganisationType.ASSOCIATION: r"""
        associations? | assos? | assoc | amicale | centres? sociaux | centre social | centre socio ?culturel
        csc | espaces? de vie sociale | evs | mjc | maison des jeunes | federations? | fede | union | unions
        udaf | unaf | uraf | ligue | comite | collectif | reseau | fondation | secours (populaire|catholique)
        croix rouge | emmaus | atd | restos? du c(oe|œ)ur | cidff | ciff | planning familial | conseil citoyen
        regie de quartiers? | habitat et humanisme | apf | apes | ifac | leo lagrange | francas | ufcv | afev
        unicef | unis cite | (le )?pole ressources? | centre de ressources? | crpv
        profession banlieue | adil | pimms | crij | cij | point information jeunesse | groupe sos | uriopss
        loi 1901 | ecole des parents | mouvement | cooperative jeunesse | aurore | coallia
    """,
    OrganisationType.HOUSING: r"""
        bailleurs? | bailleur social | habitat | hlm | oph | opac | esh | ush | aorif | logements? | adoma
        action logement | cdc habitat | logis | immobiliere | residences? sociales?
    """,
    OrganisationType.HEALTH: r"""
        hopital | hopitaux | ch[uirs]? | centre hospitalier | aphp | ap hp | clinique | epsm | ghu | ehpad
        cpts | clsm | centres? (municipal )?de sante | maisons? de sante | maison des adolescents | cmpp?
        csapa | esat | ime | itep | sessad | savs | pharmacie | sante
    """,
    OrganisationType.COMPANY: r"""
        sarl | sasu? | eurl | scop | scic | scp | sa | cabinet(?! (du|de la|de l) ) | bureau d etudes?
        consultante?s? | consulting | conseil | conseils | agence (de communication|conseil|web) | entreprises?
        societe | auto ?entrepreneu(r|se) | micro ?entreprise | independante? | freelance | ei | cooperative
        banque | la poste | sncf | ratp | edf | engie | enedis | veolia | startup | mutuelle
    """,
}


class Function(models.TextChoices):
    FIELD = "field", _("Social work, mediation, care")
    ELECTED = "elected", _("Elected representatives")
    VOLUNTEER = "volunteer", _("Volunteers, residents")
    STUDY = "study", _("Teaching, research, studies")
    SUPPORT = "support", _("Assistance, administration")
    DIRECTION = "direction", _("Direction")
    HEAD = "head", _("Heads of service")
    PROJECT = "project", _("Projects, coordination")
    ADVICE = "advice", _("Consulting, expertise")
    UNRECOGNISED = "unrecognised", pgettext_lazy("group", "Not recognised")


FUNCTION_WORDS: dict[str, str] = {
    Function.FIELD: r"""
        travailleu(r|se)s? soci(al|ale|aux) | assistante?s? (de service )?social(es?)? | assistants sociaux
        assistante? familiale? | ass? | cesf | conseillere? en economie sociale | educat(eur|rice)s?
        animat(eur|rice)s?(?! (de |du )?reseau) | mediat(eur|rice)s? | adultes? relais | cip
        conseillere? (en insertion|insertion|emploi|en emploi|numerique)
        conseillere? en (orientation|evolution professionnelle) | psycholog[a-z]+ | infirmiere?s? | ide
        medecins? | puericult[a-z]+ | sage femme | intervenante?s? social[a-z]* | tisf | accompagnat(eur|rice)s?
        auxiliaire | atsem | referente? (famille|familles|rsa|social|parcours|jeunesse) | agents? social[a-z]*
        prevention specialisee | ecoutante? | conseillere? conjugal[a-z]* | professionnel[a-z]* de sante
        ambassad[a-z]+ | chargee? d (insertion|accompagnement|intervention)
    """,
    Function.ELECTED: r"""
        elue?s? | maires? | (1ere?|premiere?|\deme|\de) adjointe?s?
        adjointe?s?(?= (au|aux|a la|a l) (?!chef|respons|direct|dg)) | adjointe? (deleguee?|chargee?)
        conseill(er|ere)s? (municipal|departemental|regional|communautaire|metropolitain|territorial)[a-z]*
        conseill(er|ere)s? deleguee?
        vice presidente? (de l agglo|de la communaute|du conseil|charge|delegue)[a-z]* | deputee?
        senat(eur|rice)
    """,
    Function.VOLUNTEER: r"""
        benevoles? | habitante?s? | citoyen(ne)?s? | retraitee?s? | membres?
        administrat(eur|rice)s?(?! reseau) | tresor(ier|iere) | conseill(er|ere) citoyen(ne)? | adherente?
        parent( d eleve)?s? | service civique | volontaires? | particulier
    """,
    Function.STUDY: r"""
        enseignante?s? | profs? | professeure?s? | instituteur | institutrice | format(eur|rice)s?
        chercheu(r|se|re)s? | chargee? (de |d )(recherche|enseignement|etudes?) | doctorante?s?
        maitre(sse)?s? de conferences? | mcf | etudiante?s? | stagiaires? | alternante?s? | apprentie?s?
        sociolog[a-z]+ | geograph[a-z]+ | politiste | universitaire | master ?\d? | m[12] | cpe
        conseill(er|ere) principal[a-z]* d education | principal[a-z]* (de college|adjoint[a-z]*) | proviseure?
        ia ipr | ien
    """,
    Function.SUPPORT: r"""
        assistante?s? | secretaires?(?! general) | gestionnaires? | agents? d accueil | chargee? d accueil
        comptables? | adjointe?s? administrati(f|ve)s? | redact(eur|rice)s? | communication
        chargee? (de )?(la )?communication | office manager | agents? administrati(f|ve)s?
        instruct(eur|rice)s? | webmaster | documentaliste | journaliste | juriste | rh | ressources humaines
        chargee? (de |des )?(recrutement|rh|ressources humaines) | informaticien(ne)?
    """,
    Function.DIRECTION: r"""
        (co)?(sous )?direct(eur|rice)s? | direction | dir | dg[as]? | dgas | pdg | gerante?s? | dirigeante?s?
        (co)?presidente?s? | vice presidente?s? | secretaires? general[a-z]*
        deleguee?s? (general|departemental|regional|territorial)[a-z]* | fondat(eur|rice)s?
        chef(fe)?s? (d |de )(etablissement|entreprise|cabinet) | (sous )?prefete? | ceo
    """,
    Function.HEAD: r"""
        responsables? | resp | chef(fe)?s?(?! (de |des )?(projet|file)) | cadres? | managers? | encadrante?s?
        adjointe?s? (au|a la) (chef|respons|direct)[a-z]* | superviseu(r|se)
    """,
    Function.PROJECT: r"""
        chef(fe)?s? (de |des )?(projets?|file) | cdp | cp | project manager | chargee?s? | cm
        coordinat(eur|rice)s? | coordonnat(eur|rice)s? | coord | coordo | coordination | pilotes? | referente?s?
        developpeu(r|se)s? | agents? de developpement | developpement social | dsl | conseill(er|ere)s? | ctg
        deleguee?s? (du|de la) prefete? | deleguee?s? | collaborat(eur|rice)s? | correspondante?s? | attachee?s?
        animat(eur|rice)s? | inspect(eur|rice)s?
    """,
    Function.ADVICE: r"""
        consultante?s? | expert(e|es|s)? | architectes? | urbanistes? | paysagistes? | evaluat(eur|rice)s?
        ingenieure?s? | independante?s? | auto ?entrepreneu(r|se) | coach | facilitat(eur|rice)s? | analystes?
        statistici[a-z]+ | data ?analyst
    """,
}


def _compiled(table: Mapping[str, str]) -> re.Pattern[str]:
    """One expression for the whole table, with a named group per row, so that a text is read once."""
    groups = (f"(?P<{group}>{_alternatives(words)})" for group, words in table.items())
    return re.compile(rf"\b(?:{'|'.join(groups)})(?!\w)")


def _alternatives(words: str) -> str:
    return "|".join(re.split(r"\s+\|\s+|\n\s*", words.strip())).replace("(", "(?:").replace("(?:?", "(?")


ORGANISATION_RULES = _compiled(ORGANISATION_WORDS)
FUNCTION_RULES = _compiled(FUNCTION_WORDS)


def organisation_type(name: str) -> str:
    """A value of OrganisationType; `unrecognised` for an empty name."""
    return _first(ORGANISATION_RULES, name)


def function(job_title: str) -> str:
    """A value of Function."""
    return _first(FUNCTION_RULES, job_title)


def _first(rules: re.Pattern[str], text: str) -> str:
    found = rules.search(plain(text))
    return str(found.lastgroup) if found else OrganisationType.UNRECOGNISED.value
