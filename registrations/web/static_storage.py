"""Static files hashed and compressed by whitenoise, with imported style sheets put in the place of the import.

The colours are in one file, palette.css, which other style sheets import. An `@import` costs visitors a request that
delays the page, so it is replaced when the files are collected.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORT = re.compile(r'@import url\("([\w.-]+\.css)"\);\n')


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    def post_process(self, paths: dict[str, tuple[Any, str]], *args: Any, **options: Any) -> Iterator[Any]:
        """`paths`: by name, the storage of the original file and its path there."""
        with_imports = {
            name: (_WithImports(storage), path) if name.startswith("css/") else (storage, path)
            for name, (storage, path) in paths.items()
        }
        yield from super().post_process(with_imports, *args, **options)


class _WithImports:
    """A storage of style sheets that opens them with what they import."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def open(self, path: str) -> ContentFile[bytes]:
        folder = posixpath.dirname(path)
        text = IMPORT.sub(lambda match: self._text(posixpath.join(folder, match[1])), self._text(path))
        return ContentFile(text.encode())

    def _text(self, path: str) -> str:
        with self.storage.open(path) as file:
            return str(file.read().decode())
