"""The addresses of the demo: those of the site, and its mailbox. Only `manage.py demo` serves them.

May import: urls, views.
"""

from django.urls import path

from registrations import urls
from registrations.views import outbox

urlpatterns = [
    *urls.urlpatterns,
    path("outbox/", outbox.index, name="outbox"),
    path("outbox/<slug:name>/", outbox.message, name="outbox_message"),
    path("outbox/<slug:name>/<int:number>/", outbox.part, name="outbox_part"),
]
handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
