"""The product's own addresses: registrations/urls.py. Not by include(), which i18n_patterns does not allow."""

from registrations.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
