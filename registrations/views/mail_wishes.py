"""Which mails a person wants: the address behind List-Unsubscribe, and the boxes of *Mon inscription*."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from registrations.domain import mail_wishes
from registrations.models import Registration
from registrations.views.self_service import counted, own_page
from registrations.web.responses import see_other


@csrf_exempt
@own_page
def stop_messages(request: HttpRequest, registration: Registration) -> HttpResponse:
    """Stop messages, not the seat. A GET only asks: scanners follow links.

    Mail programs send the POST without a cookie (RFC 8058, section 3.2), many from one address, and follow no
    redirection: neither the form's token nor the limit of forms applies, and the answer is a page.
    """
    context = {"registration": registration, "event": registration.event, "is_done": request.method == "POST"}
    if request.method == "POST":
        mail_wishes.wish(registration, messages=False)
    return render(request, "registrations/personal/stop_messages.html", context)


@own_page
@counted
def choose_mails(request: HttpRequest, registration: Registration) -> HttpResponse:
    if request.method == "POST" and not registration.is_cancelled:
        wanted = {name: name in request.POST for name in ("messages", "reminders")}
        mail_wishes.wish(registration, messages=wanted["messages"], mails_of_the_clock=wanted["reminders"])
        messages.success(request, _("Your choice is recorded."))
    return see_other("manage", manage_code=registration.manage_code)
