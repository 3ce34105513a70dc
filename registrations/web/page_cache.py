"""Pages that are made once and shown many times: each is kept under all that it shows, so that none is ever stale.

The database is asked at each request. Whatever of its answer is seen on the page is in the page's key, the state and
the seats at that moment as well: another answer is another page. What belongs to one visitor alone (the token and the
time stamp of a form) is a hole in the kept page, filled in anew each time.
"""

import re
import secrets
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import re_accepts_gzip
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from registrations.models import Event
from registrations.web.context import facts

PAGES_KEPT = 64  # in each process, of some 10 kB
MARK = secrets.token_hex(16)
HOLE = re.compile(rf"{MARK}(\w+?){MARK}")
GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # deflate, no name, no time, no system
LAST_BLOCK = b"\x03\x00"  # an empty one, which says that it is the last


class Page:
    """A text with holes, each piece between them compressed once.

    A compressed answer is put together of the pieces (deflate blocks that refer to nothing before them, RFC 1951) and
    of what fills the holes, as it is: so the length of an answer tells nothing of it either.
    """

    def __init__(self, text: str) -> None:
        self.pieces = HOLE.split(text)  # text, name of a hole, text, …
        self.deflated = [_deflated(piece) for piece in self.pieces[::2]]

    def filled(self, **own: str) -> str:
        pieces = self.pieces.copy()
        pieces[1::2] = [own[name] for name in pieces[1::2]]
        return "".join(pieces)

    def response(self, request: HttpRequest, **own: str) -> HttpResponse:
        """Compressed where the browser takes that: for a page that shows no more of anyone than its own token."""
        text = self.filled(**own).encode()
        if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response = HttpResponse(self._gzip(text, own))
            response["Content-Encoding"] = "gzip"
        else:
            response = HttpResponse(text)
        patch_vary_headers(response, ["Accept-Encoding"])
        return response

    def _gzip(self, text: bytes, own: Mapping[str, str]) -> bytes:
        """RFC 1952."""
        blocks = self.deflated[:1]
        for name, piece in zip(self.pieces[1::2], self.deflated[1:], strict=True):
            blocks += [_deflated(own[name], level=0), piece]
        return b"".join([GZIP_HEAD, *blocks, LAST_BLOCK, struct.pack("<LL", zlib.crc32(text), len(text))])


def _deflated(text: str, *, level: int = zlib.Z_BEST_COMPRESSION) -> bytes:
    """Whole blocks; level 0 stores the text as it is."""
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return compressor.compress(text.encode()) + compressor.flush(zlib.Z_FULL_FLUSH)


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
    return f"{MARK}{name}{MARK}"
