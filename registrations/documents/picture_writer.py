"""The child process that decodes a picture on its standard input, and writes it anew as WebP in a few widths.

Its argument is JSON: {"widths": […], "square": bool}. It answers on its standard output with a line of JSON,
{"refused": why} or {"files": [[width, height, bytes]…]}, followed by the files. Nothing of the original but its pixels
goes over: no EXIF, no place, no thumbnail. It runs without Django, under limits on CPU time and memory.
"""

import io
import json
import sys
import warnings
from typing import Any

from PIL import Image, ImageOps

from registrations.runtime.process_limits import limit_cpu, limit_memory

CPU_SECONDS = 10
MEMORY_BYTES = 900_000_000
PIXELS_MAX = 40_000_000  # what a telephone takes
FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "GIF"]
QUALITY = 72


def written_anew(content: bytes, widths: list[int], *, square: bool) -> tuple[dict[str, Any], bytes]:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > PIXELS_MAX:
            return {"refused": "too_heavy"}, b""
        image.draft("RGB", (2 * widths[-1], 2 * widths[-1]))  # a JPEG is decoded no larger than that
        upright = ImageOps.exif_transpose(image)
    clean = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    if square:
        side = min(clean.size)
        clean = ImageOps.fit(clean, (side, side), centering=(0.5, 0.3))  # faces are above the middle
    files = [resized(clean, width) for width in fitting(widths, clean.width)]
    sizes = [[width, height, len(file)] for width, height, file in files]
    return {"files": sizes}, b"".join(file for _width, _height, file in files)


def fitting(widths: list[int], own: int) -> list[int]:
    """No picture is made larger than it is."""
    return sorted({min(width, own) for width in widths})


def resized(image: Image.Image, width: int) -> tuple[int, int, bytes]:
    height = max(1, round(image.height * width / image.width))
    target = io.BytesIO()
    image.resize((width, height), Image.Resampling.LANCZOS).save(target, "WEBP", quality=QUALITY, method=5, exif=b"")
    return width, height, target.getvalue()


def main() -> None:
    limit_memory(MEMORY_BYTES)
    limit_cpu(CPU_SECONDS)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    wanted = json.loads(sys.argv[1])
    try:
        answer, content = written_anew(sys.stdin.buffer.read(), wanted["widths"], square=wanted["square"])
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        answer, content = {"refused": "too_heavy"}, b""
    except Exception:
        answer, content = {"refused": "damaged"}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
