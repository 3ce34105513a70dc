"""The way into the room from the thank-you page, for who has signed up in the last hour.

Nothing of it can be passed on: what opens it is the session of the browser that sent the form. It also leads an
address that was known before into the room, without its personal link and with the same work: nobody learns who is
registered.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from registrations.domain import attendance
from registrations.views.public import shown_event
from registrations.web import signed_up
from registrations.web.responses import private_page, see_other


@require_POST
@private_page
def enter(request: HttpRequest, slug: str) -> HttpResponse:
    event = shown_event(slug)
    typed = signed_up.of(request, slug)
    is_open = event.room_is_open and bool(event.connection_url)
    if typed is None or not (is_open and signed_up.may_enter(event, typed)):
        return see_other("thanks", slug=slug)
    if signed_up.enters_now(request):
        attendance.note_entry_later(typed["registration"])
    return see_other(event.connection_url)
