"""The pages of the desk for speakers, and for the logo and colour of the organisation."""

from registrations.models import SiteIdentity
from tests.browser.admin_pages import row
from tests.browser.scenes import SitePage, admin_page
from tests.factories import make_speaker


def an_identity() -> SiteIdentity:
    return SiteIdentity.objects.get_or_create(defaults={"accent": "#17504a"})[0]  # there is one at most


IDENTITY_PAGES = [
    SitePage(name, prepare, languages=("fr",), admin=True)
    for name, prepare in [
        ("admin-speakers", admin_page("registrations_speaker_changelist")),
        ("admin-speaker-new", admin_page("registrations_speaker_add")),
        ("admin-speaker", row("change", make_speaker)),
        ("admin-speaker-delete", row("delete", make_speaker)),
        ("admin-identity-list", admin_page("registrations_siteidentity_changelist")),
        ("admin-identity-new", admin_page("registrations_siteidentity_add")),
        ("admin-identity", row("change", an_identity)),
        ("admin-identity-delete", row("delete", an_identity)),
    ]
]
