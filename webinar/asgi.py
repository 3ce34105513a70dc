"""ASGI entry point, for any ASGI server. An unsafe public site is refused here too."""

import os

from django.core.asgi import get_asgi_application

from registrations.monitoring.checks import require_safe_site

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar.settings")

application = get_asgi_application()
require_safe_site()
