"""What the web server reads of a request: little beyond the limit of its address, and no number without end."""

from copy import copy
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError

from registrations.runtime.request_body import Body
from registrations.web.request_guard import body_max

READ = 2  # times what request_guard accepts: a browser that is still sending may not see the page that refuses


class RequestParser(HTTPRequestParser):  # type: ignore[misc] # waitress has no types
    def parse_header(self, header_plus: bytes) -> None:
        """Answer 400 to what Python refuses: a number of 5000 digits, a broken IPv6 host. Waitress expects no
        ValueError, and would close the connection.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("The header cannot be read") from error
        self.adj: Any = copy(self.adj)
        self.adj.max_request_body_size = READ * body_max(self.path) + 1
        if self.content_length >= self.adj.max_request_body_size:
            self._leave_the_body()
        elif self.body_rcv is not None:
            self.body_rcv.buf = Body(self.adj.inbuf_overflow)

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.error:
            self.expect_continue = False  # else waitress asks for a body, and reads it as another header
        return consumed

    def _leave_the_body(self) -> None:
        """Read none of it: request_guard refuses by the length alone, with a page, and the connection ends."""
        self.body_rcv, self.content_length = None, 0
        self.expect_continue, self.headers["CONNECTION"] = False, "close"
