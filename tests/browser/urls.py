"""The addresses of the demo, and one that prepares a page of the table and leads to it."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import path

from registrations import demo_urls
from tests.browser import stage

urlpatterns = [
    *demo_urls.urlpatterns,
    path("prepare/<slug:name>/", stage.prepare),
    path("letter/<int:pk>/", stage.letter),
    *i18n_patterns(path("refused/<int:status>/", stage.refused, name="refused"), prefix_default_language=False),
]
handler400 = demo_urls.handler400
handler404 = demo_urls.handler404
handler500 = demo_urls.handler500
