"""The addresses of the demo, and one that prepares a page of the table and leads to it."""

from django.urls import path

from tests.browser import stage
from webinar import demo_urls

urlpatterns = [
    *demo_urls.urlpatterns,
    path("prepare/<slug:name>/", stage.prepare),
    path("letter/<int:pk>/", stage.letter),
]
handler400 = demo_urls.handler400
handler404 = demo_urls.handler404
handler500 = demo_urls.handler500
