"""From the list of people to a message that is for them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.messages.broadcasts import has_readers
from registrations.admin.messages.review import address
from registrations.domain import broadcasts
from registrations.models import Event, Registration


@admin.action(description=gettext_lazy("Write to these people"), permissions=["write"])
def write_to(model_admin: Any, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse | None:
    """Nothing is sent: the form of a message opens, for these people."""
    people = Registration.objects.without_dry_runs().not_cancelled().filter(pk__in=queryset.order_by().values("pk"))
    events = Event.objects.filter(pk__in=people.order_by().values("event"))[:2]
    if len(events) != 1:
        messages.warning(
            request,
            _("A message is for people of one webinar: choose them in its own list.")
            if events
            else _("Nobody to write to: these registrations are cancelled."),
        )
        return None
    if not has_readers(events[0]):
        messages.warning(request, _("There is nobody to write to: the event is a draft, or nobody is on its list."))
        return None
    draft = broadcasts.address(events[0], people, account=int(request.user.pk or 0))
    return HttpResponseRedirect(address("correct_broadcast", draft))
