from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = _("Webinars")

    def ready(self) -> None:
        from registrations import checks, counting, receivers, staff_receivers  # noqa: F401 - here: models must be there; they register themselves

        pre_migrate.connect(counting.make_way, sender=self)
        post_migrate.connect(counting.keep, sender=self)


class AdminConfig(StockAdminConfig):
    default_site = "registrations.desk.OrganisersDesk"
