from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.utils.translation import gettext_lazy as _


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = _("Webinars")

    def ready(self) -> None:
        from registrations import checks, receivers, staff_receivers  # noqa: F401 - here: models must be there; they register themselves


class AdminConfig(StockAdminConfig):
    default_site = "registrations.desk.OrganisersDesk"
