"""Rendered public pages, kept in memory and reused as long as nothing that they show has changed.

The database is asked at each request. The key of a page holds all that the page shows of the answer, with the state
and the seats of the event at that moment: when one of them changes, another page is made. What belongs to one visitor
(the token and the time stamp of a form, a name) is a hole in the page. It is filled at each request, and escaped.
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
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from registrations.models import Event, shown_identity
from registrations.text import date_leaf
from registrations.web.context import facts

PAGES_KEPT = 64  # in each process, about 10 kB each
MARK = secrets.token_hex(16)
HOLE = re.compile(rf"{MARK}(\w+?){MARK}")
GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # deflate, no name, no time, no system
LAST_BLOCK = b"\x03\x00"  # empty; its header marks the end of the data


class Page:
    """A text with holes. Each piece between two holes is compressed once.

    A compressed answer is put together from the pieces (deflate blocks that do not refer to earlier ones, RFC 1951)
    and from the values in the holes, which are stored uncompressed: so the length of an answer tells nothing of them.
    """

    def __init__(self, text: str) -> None:
        self.pieces = HOLE.split(text)  # text, name of a hole, text, …
        self.deflated = [_deflated(piece) for piece in self.pieces[::2]]

    def filled(self, **values: str) -> str:
        """The page as text. Values are escaped as in a template: all but what is marked safe (SafeString)."""
        return self._joined(_escaped(values))

    def response(self, request: HttpRequest, **values: str) -> HttpResponse:
        """Compressed where the browser accepts it: only for pages that show nothing of a person but a token."""
        escaped = _escaped(values)
        text = self._joined(escaped).encode()
        if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response = HttpResponse(self._gzip(text, escaped))
            response["Content-Encoding"] = "gzip"
        else:
            response = HttpResponse(text)
        patch_vary_headers(response, ["Accept-Encoding"])
        return response

    def _joined(self, escaped: Mapping[str, str]) -> str:
        pieces = self.pieces.copy()
        pieces[1::2] = [escaped[name] for name in pieces[1::2]]
        return "".join(pieces)

    def _gzip(self, text: bytes, escaped: Mapping[str, str]) -> bytes:
        """A gzip file (RFC 1952) of `text`."""
        blocks = self.deflated[:1]
        for name, piece in zip(self.pieces[1::2], self.deflated[1:], strict=True):
            blocks += [_deflated(escaped[name], level=0), piece]
        return b"".join([GZIP_HEAD, *blocks, LAST_BLOCK, struct.pack("<LL", zlib.crc32(text), len(text))])


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    return {name: conditional_escape(value) for name, value in values.items()}


def _deflated(text: str, *, level: int = zlib.Z_BEST_COMPRESSION) -> bytes:
    """Complete deflate blocks; level 0 stores the text uncompressed."""
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return compressor.compress(text.encode()) + compressor.flush(zlib.Z_FULL_FLUSH)


class PageCache:
    """The pages shown most recently, by their key."""

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


pages = PageCache()


def key_of(request: HttpRequest, event: Event, *more: Hashable) -> Hashable:
    """Everything that a page of this event shows at this moment; `more`: what only this page shows."""
    site = facts(request)
    return (
        request.path,
        get_language(),
        site["base_url"],
        tuple(site["legal"].values()),
        shown_identity.current(),
        event.seen_at(timezone.now()),
        date_leaf.nearness(event),
        *more,
    )


def hole(name: str) -> str:
    """The mark of a hole in a cached page. It is random, so that no text typed by a person can contain it."""
    return f"{MARK}{name}{MARK}"
