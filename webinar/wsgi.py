"""WSGI entry point, for any WSGI server. An unsafe public site is refused here too."""

import os

from django.core.wsgi import get_wsgi_application

from registrations.monitoring.checks import require_safe_site

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar.settings")

application = get_wsgi_application()
require_safe_site()
