"""Bodies of requests for which there is no room: the web server would close the connection without a word.

waitress keeps a body of over 512 kB in the folder for temporary files. When that is full, the rest of the body is read
and thrown away, and the request goes on to the site, whose page says it.
"""

import io
import logging
import tempfile
from typing import Any

from waitress.buffers import OverflowableBuffer

logger = logging.getLogger(__name__)


class Lost(io.BytesIO):
    """Stands for a body that could not be kept."""


class Body(OverflowableBuffer):  # type: ignore[misc]  # waitress has no types
    is_lost = False

    def append(self, s: bytes) -> None:
        if self.is_lost:
            return
        try:
            super().append(s)
        except OSError as error:
            self.is_lost = True
            logger.warning("A request could not be kept in %s (%s)", tempfile.gettempdir(), error.strerror)
            self.close()

    def getfile(self) -> Any:
        return Lost() if self.is_lost else super().getfile()

    def close(self) -> None:
        """A full disk refuses once more, when what was left of a file is written at its end."""
        try:
            super().close()
        except OSError:
            self.buf = None
