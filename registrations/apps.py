from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = _("Webinars")

    def ready(self) -> None:
        from registrations.models import triggers
        from registrations.security import signals  # noqa: F401 - here: models must be there; they register themselves

        pre_migrate.connect(triggers.drop_before_migrate, sender=self)
        post_migrate.connect(triggers.install, sender=self)


class AdminConfig(StockAdminConfig):
    default_site = "registrations.admin_site.site.WebinarAdminSite"
