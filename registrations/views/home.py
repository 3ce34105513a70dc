"""The list of webinars: as a page, as an Atom feed, and as a calendar to subscribe to."""

from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from registrations.models import Event, EventDocument
from registrations.text import dates, typography
from registrations.web.responses import calendar_response

PAST_ON_A_PAGE = 50
PAGE = "page"  # in the query: of the past events
IN_THE_FEED = 30
ANNOUNCED = timedelta(weeks=52)  # before the start: an event that is to come is as old as this in the feed


@require_safe
@gzip_page
def home(request: HttpRequest) -> HttpResponse:
    """The events to come, the nearest first; then all that are past, by year."""
    everybody = Q(documents__audience=EventDocument.Audience.EVERYBODY)
    past = Event.objects.past().annotate_has_report().annotate(public_documents=Count("documents", filter=everybody))
    page = Paginator(past.order_by("-starts_at"), PAST_ON_A_PAGE).get_page(request.GET.get(PAGE))
    years = [(year, list(events)) for year, events in groupby(page, key=lambda event: event.start_date.year)]
    events = list(Event.objects.to_come().annotate_page_revision()) if page.number == 1 else []
    return render(request, "registrations/public/home.html", {"events": events, "years": years, "page": page})


class EventFeed(Feed[Event, None]):
    """Atom (RFC 4287). Addresses are on BASE_URL, not on the host of the request."""

    feed_type = Atom1Feed

    def title(self) -> str:
        return _("Webinars: %(name)s") % {"name": settings.LEGAL_NAME}

    def link(self) -> str:
        return settings.BASE_URL + reverse("home")

    def feed_url(self) -> str:
        return settings.BASE_URL + reverse("feed")

    def items(self) -> list[Event]:
        shown = Event.objects.published().exclude(status=Event.Status.POSTPONED)
        return list(shown.order_by("-starts_at")[:IN_THE_FEED])

    def item_title(self, item: Event) -> str:
        return typography.french(item.texts.title)

    def item_description(self, item: Event) -> str:
        return " ".join(line for line in (f"{dates.when(item)}.", typography.french(item.texts.summary)) if line)

    def item_link(self, item: Event) -> str:
        return settings.BASE_URL + item.get_absolute_url()

    def item_updateddate(self, item: Event) -> datetime:
        """What is known of it: a moved session, and one that is over, are shown again by the reader."""
        return item.ends_at if item.is_over else item.starts_at - ANNOUNCED


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    # imported here, so that a sign-up does not load the calendar library
    from registrations.documents import invitation

    events = Event.objects.published().exclude(status=Event.Status.POSTPONED)
    return calendar_response(invitation.public_feed(events, name=settings.LEGAL_NAME), "webinaires.ics")
