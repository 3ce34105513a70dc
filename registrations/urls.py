"""Every address of the site. French addresses stand at the root, English ones under /en/.

May import: views, web, models.
"""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from registrations.models.mail_states import returns_are_told
from registrations.views import (
    certificates,
    door,
    event_documents,
    health,
    home,
    legal,
    mail_wishes,
    personal,
    pictures,
    public,
    search,
    self_service,
    share_image,
)
from registrations.views.webhook import webhook
from registrations.web.context import favicon


class CodeConverter(StringConverter):
    """A personal code, or a text that looks like one. Any other text gets a 404 without a query."""

    regex = "[A-Za-z0-9_-]{20,64}"


register_converter(CodeConverter, "code")


def mail_events() -> list[URLPattern]:
    """The webhook of the configured mail provider, and of no other; none without its secret."""
    if not returns_are_told():
        return []
    view = webhook(settings.MAIL_EVENTS_VIEW)
    return [path(f"anymail/{settings.MAIL_PROVIDER}/tracking/", view, name="mail_events")]


urlpatterns = [
    path("favicon.ico", favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("robots.txt", search.robots),
    path("sitemap.xml", search.sitemap),
    path("images/<slug:digest>-<int:width>.webp", pictures.picture, name="picture"),
    path("images/partage/<slug:slug>/<slug:digest>.png", share_image.share_image, name="share_image"),
    path("documents/<slug:digest>.pdf", event_documents.public, name="public_document"),
    path("couleurs-<slug:digest>.css", pictures.colours, name="colours"),
    path("admin/", admin.site.urls),
    *mail_events(),
    *i18n_patterns(
        path("", home.home, name="home"),
        path("webinaires.atom", home.EventFeed(), name="feed"),
        path("webinaires.ics", home.calendar, name="calendar_feed"),
        path("evenements/<slug:slug>/", public.event_page, name="event"),
        path("evenements/<slug:slug>/inscription/", public.sign_up, name="sign_up"),
        path("evenements/<slug:slug>/merci/", public.thanks, name="thanks"),
        path("evenements/<slug:slug>/entrer/", door.enter, name="enter"),
        path("evenements/<slug:slug>/corriger/", public.correct_address, name="correct_address"),
        path("evenements/<slug:slug>/renvoyer/", public.resend, name="resend"),
        path("evenements/<slug:slug>/evenement.ics", public.public_calendar, name="public_calendar"),
        path("rejoindre/<code:join_code>/", personal.join, name="join"),
        path("rejoindre/<code:join_code>/rapport.pdf", personal.report, name="report"),
        path(
            "rejoindre/<code:join_code>/documents/<int:pk>.pdf",
            event_documents.of_registrant,
            name="registrant_document",
        ),
        path("rejoindre/<code:join_code>/invitation.ics", personal.personal_calendar, name="personal_calendar"),
        path("mon-inscription/<code:manage_code>/", self_service.manage, name="manage"),
        path("mon-inscription/<code:manage_code>/modifier/", self_service.correct, name="correct"),
        path("mon-inscription/<code:manage_code>/adresse/", self_service.change_address, name="change_address"),
        path("mon-inscription/<code:manage_code>/renvoyer/", self_service.send_again, name="send_again"),
        path("mon-inscription/<code:manage_code>/messages/", mail_wishes.stop_messages, name="stop_messages"),
        path("mon-inscription/<code:manage_code>/courriels/", mail_wishes.choose_mails, name="choose_mails"),
        path("mon-inscription/<code:manage_code>/annuler/", self_service.withdraw, name="withdraw"),
        path("mon-inscription/<code:manage_code>/revenir/", self_service.come_back, name="come_back"),
        path("mon-inscription/<code:manage_code>/pas-moi/", self_service.not_me, name="not_me"),
        path("mon-inscription/<code:manage_code>/supprimer/", self_service.erase, name="erase"),
        path("mon-inscription/<code:manage_code>/mes-donnees.json", self_service.my_data, name="my_data"),
        path("mon-inscription/<code:manage_code>/attestation.pdf", certificates.download, name="certificate"),
        path("attestation/", certificates.find, name="certificates"),
        path("attestation/<str:number>/", certificates.check, name="certificate_check"),
        path("nouvelle-adresse/<code:address_code>/", self_service.confirm_address, name="confirm_address"),
        path("donnees-personnelles/", legal.personal_data, name="personal_data"),
        path("accessibilite/", legal.accessibility, name="accessibility"),
        path("mentions-legales/", legal.legal_notice, name="legal_notice"),
        prefix_default_language=False,
    ),
]

handler400 = "registrations.web.errors.bad_request"
handler403 = "registrations.web.errors.forbidden"
handler404 = "registrations.web.errors.not_found"
handler500 = "registrations.web.errors.server_error"
