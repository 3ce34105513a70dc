"""What is done with one mail that needs somebody, from the page of its event."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from registrations.admin.shared import confirmation
from registrations.admin_site.pages import AdminPage, list_path
from registrations.domain import corrections, failed_mails
from registrations.models import Delivery, Registration
from registrations.security import audit
from registrations.text import email_typos
from registrations.web.fields import AddressField

WRITE, CHANGE = "registrations.write_to_registrants", "registrations.change_registration"
OF_PERSON = "of_person"  # name of a field: the page of the person has asked


@require_POST
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    mail = _found(pk)
    if failed_mails.mark_seen(Delivery.objects.filter(pk=pk)):
        messages.success(request, _("Seen: this mail is no longer to look at."))
    return _back(mail)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    mail = _found(pk)
    if failed_mails.send_again(Delivery.objects.filter(pk=pk)):
        audit.record(audit.Action.BULK_MAIL, act="send_again", count=1)
        messages.success(request, _("The mail is on its way to %(email)s.") % {"email": mail.address})
    else:
        messages.warning(request, _("Nothing to send again: its address is still the one that failed."))
    return _back(mail)


class CorrectForm(forms.Form):
    email = AddressField(label=gettext_lazy("Their address"))


def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the person's address; the confirmation leaves to it, and so does this mail."""
    mail = _found(pk)
    person = mail.registration
    back = _to_person(person) if person and OF_PERSON in request.POST else _back(mail)
    if person is None or not failed_mails.may_be_corrected(person):
        messages.warning(request, _("This person is no longer on the list: there is no address to correct."))
        return back
    form = CorrectForm(request.POST or None, initial={"email": person.email})
    if form.is_valid():
        try:
            failed_mails.correct_address(mail, email=form.cleaned_data["email"])
        except corrections.AddressTaken:
            form.add_error("email", _("This address is already registered for this event."))
    if not form.is_valid():
        return confirmation.form_page(
            request,
            Delivery,
            form,
            title=_("Correct the address and send again"),
            sentences=[_("%(person)s receives the mails of this webinar there from now on.") % {"person": person}],
            button=_("Correct and send again"),
            back=back.url,
            hidden=[(OF_PERSON, "yes")] if OF_PERSON in request.POST else [],
        )
    audit.record(audit.Action.ON_BEHALF, about=person, act="correct", fields=["email"])
    email = form.cleaned_data["email"]
    if slip := email_typos.question(email):
        messages.warning(request, slip)
    messages.success(request, _("Corrected: the mail is on its way to %(email)s.") % {"email": email})
    return back


def _found(pk: int) -> Delivery:
    return get_object_or_404(Delivery.objects.select_related("registration__event", "event"), pk=pk)


def _to_person(person: Registration) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:registrations_registration_change", args=[person.pk]))


def _back(mail: Delivery) -> HttpResponseRedirect:
    """To the mails of its event."""
    if mail.event_id is None:
        return HttpResponseRedirect(list_path(Delivery, look="all"))
    return HttpResponseRedirect(reverse("admin:registrations_event_timeline", args=[mail.event_id]))


PAGES = [
    AdminPage("<int:pk>/seen/", seen, name="seen", permissions=(WRITE,)),
    AdminPage("<int:pk>/again/", again, name="again", permissions=(WRITE,)),
    AdminPage("<int:pk>/correct/", correct, name="correct", permissions=(WRITE, CHANGE)),
]
