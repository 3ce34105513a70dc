"""Starts the product inside Django.

May import: monitoring, web, domain, mailing, security, models.
"""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = _("Webinars")

    def ready(self) -> None:
        # here, because models must be ready; these modules register themselves as they are imported
        from registrations.domain import decisions  # noqa: F401
        from registrations.mailing import tracking  # noqa: F401
        from registrations.models import broken_mails, search_index  # noqa: F401 - the first
        from registrations.monitoring import checks  # noqa: F401
        from registrations.security import signals  # noqa: F401
        from registrations.web import unverified

        unverified.install()
        post_migrate.connect(search_index.install, sender=self)


class AdminConfig(StockAdminConfig):
    default_site = "registrations.admin_site.site.WebinarAdminSite"
