"""Every address of the site. French addresses stand at the root, English ones under /en/."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter
from django.utils.module_loading import import_string

from registrations.views import health, legal, personal, public
from registrations.views.site import favicon


class CodeConverter(StringConverter):
    """A personal code, or anything short that looks like one: the rest is not worth a query."""

    regex = "[A-Za-z0-9_-]{20,64}"


register_converter(CodeConverter, "code")


def mail_events() -> list[URLPattern]:
    """The webhook of the configured mail provider, and of no other; none without the secret that guards it."""
    if not settings.MAIL_EVENTS_VIEW or not settings.ANYMAIL_WEBHOOK_SECRET:
        return []
    view = import_string(settings.MAIL_EVENTS_VIEW).as_view()
    return [path(f"anymail/{settings.MAIL_PROVIDER}/tracking/", view, name="mail_events")]


urlpatterns = [
    path("favicon.ico", favicon),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    *mail_events(),
    *i18n_patterns(
        path("", public.home, name="home"),
        path("evenements/<slug:slug>/", public.event_page, name="event"),
        path("evenements/<slug:slug>/inscription/", public.sign_up, name="sign_up"),
        path("evenements/<slug:slug>/merci/", public.thanks, name="thanks"),
        path("evenements/<slug:slug>/evenement.ics", public.public_calendar, name="public_calendar"),
        path("rejoindre/<code:join_code>/", personal.join, name="join"),
        path("rejoindre/<code:join_code>/rapport.pdf", personal.report, name="report"),
        path("rejoindre/<code:join_code>/invitation.ics", personal.personal_calendar, name="personal_calendar"),
        path("mon-inscription/<code:manage_code>/", personal.manage, name="manage"),
        path("donnees-personnelles/", legal.personal_data, name="personal_data"),
        path("accessibilite/", legal.accessibility, name="accessibility"),
        path("mentions-legales/", legal.legal_notice, name="legal_notice"),
        prefix_default_language=False,
    ),
]

handler400 = "registrations.views.errors.bad_request"
handler403 = "registrations.views.errors.forbidden"
handler404 = "registrations.views.errors.not_found"
handler500 = "registrations.views.errors.server_error"
