"""The organiser's desk: Django's admin under our name.

Not in the `admin` package, whose modules register themselves on this site as they are imported.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class OrganisersDesk(admin.AdminSite):
    site_header = _("Le Pôle ressources – webinars")
    site_title = _("Webinars")
    index_title = _("Organiser’s desk")
    empty_value_display = "–"
