"""Whether this machine has Pango, without which WeasyPrint makes no PDF, and how to install it.

What else WeasyPrint 70 opens comes with it (gobject, harfbuzz, fontconfig) or can be absent: without harfbuzz-subset
it takes fontTools.
"""

import ctypes
import sys
from functools import cache

LIBRARIES = {
    "linux": ("libpango-1.0.so.0", "libpangoft2-1.0.so.0"),
    "darwin": ("libpango-1.0.dylib", "libpangoft2-1.0.dylib"),
}
HOW_TO_INSTALL = {
    "Debian, Ubuntu": "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0",
    "macOS": 'brew install pango && export DYLD_FALLBACK_LIBRARY_PATH="$(brew --prefix)/lib"',
}


def is_installed() -> bool:
    return not missing_libraries()


@cache
def missing_libraries() -> tuple[str, ...]:
    """Looked for once in the life of a process."""
    return tuple(name for name in LIBRARIES.get(sys.platform, ()) if not _loads(name))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
