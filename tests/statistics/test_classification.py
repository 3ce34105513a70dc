"""The estimated type of organisations and functions, for the many ways in which people write them."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from registrations.statistics import classification
from registrations.statistics.classification import Function, OrganisationType

ORGANISATIONS = {
    OrganisationType.COMMUNE: """
        Mairie de Nulle-Part | MAIRIE | Ville de Nulle-Part | VILLE D’ARGENTEUIL | ville d'argenteuil
        Commune de Trappes | CCAS | C.C.A.S. de Mantes | c c a s | CCAS - Ville de Poissy
        Centre communal d’action sociale | Hôtel de Ville | Mairie du 15e arrondissement
        Mairie de Sartrouville – service vie associative | Police municipale de Sannois
        Service jeunesse, mairie de Nanterre | Caisse des écoles | Ville | Villes de Houilles et Carrières
        Mairie de Clichy (direction de la politique de la ville) | Maison de quartier des Musiciens
    """,
    OrganisationType.INTERCOMMUNAL: """
        Communauté d’agglomération Saint-Quentin-en-Yvelines | Communauté d'agglo Val Parisis | CA Val Parisis
        Communauté urbaine GPS&O | C.U. Grand Paris Seine et Oise | Communauté de communes Gally-Mauldre
        Agglo de Cergy | Métropole du Grand Paris | EPT Vallée Sud - Grand Paris | EPT 3
        Établissement public territorial Boucle Nord | SIVOM de la Vallée | CIAS
        Centre intercommunal d’action sociale | Cergy-Pontoise Agglomération
    """,
    OrganisationType.DEPARTMENT: """
        Conseil départemental des Yvelines | CONSEIL DEPARTEMENTAL 92 | CD 78 | CD78 | CD-95 | CD du Val-d’Oise
        Département des Hauts-de-Seine | Département 78 | Conseil départ. | Conseil général | MDPH 92
        PMI de Conflans | Dépt 95 | Cd95
    """,
    OrganisationType.REGION: """
        Région Île-de-France | Conseil régional d'Ile de France | CONSEIL REGIONAL | Région IDF
    """,
    OrganisationType.PROTECTION: """
        CAF | CAF des Yvelines | Caf 78 | CAF92 | C.A.F. du Val-d’Oise
        Caisse d’allocations familiales des Hauts-de-Seine | caisse d'allocation familiale
        Caisse nationale d’allocations familiales | CNAF | CPAM 95 | Assurance Maladie | MSA Île-de-France
        Mutualité sociale agricole | CRAMIF | CNAV | France Travail Mantes | FRANCE TRAVAIL | Pôle emploi
        Mission locale des Mureaux | Cap emploi | URSSAF
    """,
    OrganisationType.STATE: """
        Préfecture des Yvelines | Sous-préfecture de Mantes-la-Jolie | PREFECTURE 92 | S/Préfecture | DDETS 78
        DDETSPP | DRIEETS Île-de-France | DREETS | DDT 95 | Rectorat de Versailles | Académie de Versailles
        DSDEN des Yvelines | Direction départementale de l’emploi, du travail et des solidarités | ANCT
        ARS Île-de-France | Éducation nationale | Agence régionale de santé | Région académique Île-de-France
        Ministère de la Ville | PJJ | SPIP 92 | Services de l'État | Banque des Territoires | DRAC
        Préfète déléguée à l’égalité des chances
    """,
    OrganisationType.EDUCATION: """
        Collège Jean-Moulin | Lycée J. Ferry | École élémentaire Victor-Hugo | Université Paris Nanterre
        Sciences Po | SciencesPo Saint-Germain-en-Laye | Sciences-Po Saint-Germain | IUT de Ville-d’Avray
        IRTS Île-de-France | CNFPT | Institut de travail social | CNRS | UVSQ | GRETA
        Lycée (académie de Versailles) | Étudiante | Master 2 Métiers du politique
    """,
    OrganisationType.ASSOCIATION: """
        Association Les Voisins | ASSOCIATION | Asso. des habitants | Association de la ville de Nulle-Part
        Centre social La Lucarne | Centres sociaux de Mantes | Fédération des centres sociaux
        MJC de Sartrouville | Secours populaire | Croix-Rouge française | Emmaüs | Les Restos du cœur
        Restos du coeur | CIDFF 78 | UDAF | Ligue de l’enseignement | Conseil citoyen du Val-Fourré
        Régie de quartier | Habitat et Humanisme | AFEV | Le Pôle ressources | Pôle Ressources
        Centre de ressources politique de la ville | Fondation de France | École des parents et des éducateurs
        Planning familial
    """,
    OrganisationType.HOUSING: """
        Val d’Oise Habitat | Hauts-de-Seine Habitat | CDC Habitat | Bailleur social | OPH de Nulle-Part | Adoma
        Les Résidences sociales
    """,
    OrganisationType.HEALTH: """
        Hôpital de Poissy | CHU | Centre hospitalier de Versailles | CPTS des Mureaux | Centre municipal de santé
        EHPAD
    """,
    OrganisationType.COMPANY: """
        Cabinet Durand | Durand Consulting | SCOP Le Lien | Bureau d’études X | Auto-entrepreneur
        auto entrepreneuse | La Poste | SARL Martin | Indépendante | Société Durand SAS
    """,
    OrganisationType.PERSONAL: """
        Particulier | habitante | À titre personnel | a titre individuel | Aucune | néant | retraitée
        Sans structure | Citoyen
    """,
    OrganisationType.UNRECOGNISED: """
        Nanterre | Zébulon | – | ??? | Café des possibles | Chaville | Cachan | Accueil de jour | 公司 | Mission
    """,
}
FUNCTIONS = {
    Function.ELECTED: """
        Élue | Elu | élu(e) | Élu·e à la cohésion sociale | Maire | MAIRE | Maire-adjointe | Adjoint au maire
        Adjointe à la politique de la ville | 1er adjoint | Première adjointe | Conseillère municipale
        Conseiller départemental | conseillère municipale déléguée | Conseiller communautaire | Députée
    """,
    Function.DIRECTION: """
        Directeur | Directrice générale adjointe | DGS | D.G.A. | DGA solidarités | Directeur·rice
        directeur/trice | Directeur(trice) | Dir. cohésion sociale | Présidente | Président d’association
        Gérant | Directeur de cabinet du maire | Secrétaire générale | Délégué général | Sous-préfète
        Co-directrice | Cheffe de cabinet
    """,
    Function.HEAD: """
        Responsable du service politique de la ville | RESPONSABLE | Resp. CTG | Cheffe de service
        Chef-fe de service | chef de bureau | Cadre | Responsable adjointe | Chef de pôle
    """,
    Function.PROJECT: """
        Cheffe de projet | Chef de projet politique de la ville | Chef·fe de projet | Chef.fe de projet
        Chef(fe) de projet | chef-de-projet | CDP politique de la ville | Chargé de mission
        Chargée de coopération CTG | Chargé·e de mission | Chargé(e) de projets | chargé.e.s de mission
        Coordinatrice CTG | Coordonnateur | Coord. PRE | Référente CTG | Conseillère technique
        Déléguée du préfet | délégué du Préfet | Agent de développement social local
        Chargé de développement territorial | Animatrice réseau | Pilote CTG
    """,
    Function.FIELD: """
        Assistante sociale | Assistant de service social | Travailleuse sociale | travailleur social
        Éducatrice spécialisée | Éducateur de jeunes enfants | Animateur | Animatrice famille | Médiatrice
        Adulte-relais | CESF | Psychologue | Conseiller en insertion professionnelle | Conseillère emploi
        Infirmière | Médecin de PMI | Conseiller numérique
    """,
    Function.STUDY: """
        Étudiante | étudiant·e en M2 | Stagiaire | Enseignante | Professeure des écoles | Formatrice | Chercheuse
        Sociologue | Doctorante | Alternant | Maître de conférences | Apprenti | Chargée d’études
    """,
    Function.SUPPORT: """
        Assistante de direction | Assistante du maire | Secrétaire de mairie | Chargée de communication
        Chargé d’accueil | Gestionnaire | Adjoint administratif | Comptable | Agent d'accueil
    """,
    Function.ADVICE: "Consultante | Experte | Urbaniste | Architecte | Ingénieur",
    Function.VOLUNTEER: """
        Bénévole | Habitante | Retraité | Membre du conseil citoyen | Administratrice | Trésorière | citoyen
    """,
    Function.UNRECOGNISED: "X | – | Zébulon | 42",
}


def forms(table: Mapping[Any, str]) -> list[tuple[str, str]]:
    lines = ((group, line) for group, words in table.items() for line in words.splitlines())
    return [(form.strip(), group) for group, line in lines for form in line.split(" | ") if form.strip()]


@pytest.mark.parametrize(("name", "group"), forms(ORGANISATIONS))
def test_the_type_of_an_organisation_follows_from_its_name(name: str, group: str) -> None:
    assert classification.organisation_type(name) == group
    assert classification.organisation_type(f"  {name.upper()} ") == group


@pytest.mark.parametrize(("title", "group"), forms(FUNCTIONS))
def test_the_function_follows_from_the_job_title(title: str, group: str) -> None:
    assert classification.function(title) == group
    assert classification.function(title.upper()) == group


def test_every_group_has_rules() -> None:
    assert {*classification.WORDS["organisation"], OrganisationType.UNRECOGNISED} == set(OrganisationType.values)
    assert {*classification.WORDS["function"], Function.UNRECOGNISED} == set(Function.values)


def test_an_empty_text_is_unrecognised() -> None:
    assert classification.organisation_type("") == "unrecognised"
    assert classification.function("  ") == "unrecognised"


def test_a_hostile_text_is_not_slow_to_classify() -> None:
    started = time.process_time()
    for name in ("a " * 127, "d e " * 63, "conseil " * 31, "." * 255, "a." * 127, "x" * 255):
        for _ in range(20):
            classification.organisation_type(name)
            classification.function(name)
    assert time.process_time() - started < 2  # 240 readings
