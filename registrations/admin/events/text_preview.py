"""The text of an event's page as people will read it, in a frame beside the field in which it is typed."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.clickjacking import xframe_options_sameorigin

from registrations.admin_site.pages import AdminPage
from registrations.web.responses import private_page


def page(text: str | None) -> str:
    """HTML of a document of its own."""
    return render_to_string("admin/text_preview.html", {"text": text or ""})


@xframe_options_sameorigin
@private_page
def preview_text(request: HttpRequest) -> HttpResponse:
    """Of what is typed in the form; saves nothing."""
    return HttpResponse(page(request.POST.get("description")))


PAGES = [AdminPage("text/", preview_text, name="text", permissions=("registrations.view_event",))]
