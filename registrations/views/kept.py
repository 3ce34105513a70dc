"""Pages that are made once and shown many times: each is kept under all that it shows, so that none is ever stale.

The database is asked at each request. Whatever of its answer is seen on the page is in the page's key, the state and
the seats at that moment as well: another answer is another page. What belongs to one visitor alone (the token and the
time stamp of a form) is a hole in the kept page, filled in anew each time.
"""

import functools
import gzip
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import re_accepts_gzip
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from registrations.models import Event
from registrations.views.site import facts

PAGES_KEPT = 64  # in each process, of some 10 kB
MARK = secrets.token_hex(16)


class Page:
    def __init__(self, text: str) -> None:
        self.text = text

    @functools.cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.text.encode(), mtime=0)

    def response(self, request: HttpRequest) -> HttpResponse:
        """For a page without secrets: as it is kept, compressed where the browser takes that."""
        if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response = HttpResponse(self.compressed)
            response["Content-Encoding"] = "gzip"
        else:
            response = HttpResponse(self.text)
        patch_vary_headers(response, ["Accept-Encoding"])
        return response


class KeptPages:
    """The pages shown last, by their key."""

    def __init__(self) -> None:
        self.pages: OrderedDict[Hashable, Page] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], str]) -> Page:
        with self.lock:
            if key in self.pages:
                self.pages.move_to_end(key)
                return self.pages[key]
        page = Page(make())
        with self.lock:
            self.pages[key] = page
            if len(self.pages) > PAGES_KEPT:
                self.pages.popitem(last=False)
        return page

    def clear(self) -> None:
        with self.lock:
            self.pages.clear()


pages = KeptPages()


def key_of(request: HttpRequest, event: Event, *more: Hashable) -> Hashable:
    """All that a page of this event shows at this moment, `more` included."""
    site = facts(request)
    return (
        request.path,
        get_language(),
        site["base_url"],
        tuple(site["legal"].values()),
        event.seen_at(timezone.now()),
        *more,
    )


def hole(name: str) -> str:
    """What stands in a kept page for something else; unguessable, so that nobody's words can hold it."""
    return f"{name}-{MARK}"


def filled(page: str, values: Mapping[str, str]) -> str:
    """The page with something in each of its holes."""
    for name, value in values.items():
        page = page.replace(hole(name), value)
    return page
