"""The child process that decodes a picture on its standard input, and writes it anew as WebP in a few widths.

Its argument is JSON: {"widths": […], "square": bool, "bytes": the most of one file}. It answers on its standard output
with a line of JSON, {"refused": why} or {"files": [[width, height, bytes]…]}, followed by the files. Nothing of the
original but its pixels goes over: no EXIF, no place, no thumbnail. It runs without Django, under limits on CPU time
and memory.
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
QUALITIES = [72, 56, 40, 24]  # the first that is small enough


def written_anew(content: bytes, widths: list[int], *, square: bool, bytes_max: int) -> tuple[dict[str, Any], bytes]:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > PIXELS_MAX:
            return {"refused": "too_heavy"}, b""
        image.draft("RGB", (2 * widths[-1], 2 * widths[-1]))  # a JPEG is decoded no larger than that
        upright = ImageOps.exif_transpose(image)
    clean = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    if square:
        side = min(clean.size)
        clean = ImageOps.fit(clean, (side, side), centering=(0.5, 0.3))  # faces are above the middle
    files = [resized(clean, width, bytes_max) for width in fitting(widths, clean.width)]
    files = [file for file in files if len(file[2]) <= bytes_max] or files[:1]
    sizes = [[width, height, len(file)] for width, height, file in files]
    return {"files": sizes}, b"".join(file for _width, _height, file in files)


def fitting(widths: list[int], own: int) -> list[int]:
    """No picture is made larger than it is."""
    return sorted({min(width, own) for width in widths})


def resized(image: Image.Image, width: int, bytes_max: int) -> tuple[int, int, bytes]:
    """(width, height, WebP). Larger than allowed only if the lowest quality is."""
    height = max(1, round(image.height * width / image.width))
    small = image.resize((width, height), Image.Resampling.LANCZOS)
    file = b""
    for quality in QUALITIES:
        target = io.BytesIO()
        small.save(target, "WEBP", quality=quality, method=5, exif=b"")
        file = target.getvalue()
        if len(file) <= bytes_max:
            break
    return width, height, file


def main() -> None:
    limit_memory(MEMORY_BYTES)
    limit_cpu(CPU_SECONDS)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    wanted = json.loads(sys.argv[1])
    try:
        answer, content = written_anew(
            sys.stdin.buffer.read(), wanted["widths"], square=wanted["square"], bytes_max=wanted["bytes"]
        )
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        answer, content = {"refused": "too_heavy"}, b""
    except Exception:
        answer, content = {"refused": "damaged"}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
