"""The child process that draws a share image. Its argument is JSON (share_image.py), its standard input the logo.

It answers with a line of JSON, {} or {"refused": why}, followed by the PNG. It runs without Django, under limits.
"""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from registrations.runtime.process_limits import limit_cpu, limit_memory

CPU_SECONDS = 10
MEMORY_BYTES = 600_000_000
FONTS = Path(__file__).parents[2] / "static/fonts"
BOLD, TEXT = "bricolage-grotesque-700.woff2", "source-serif-4-400-normal.woff2"
WIDTH, HEIGHT, EDGE = 1200, 630, 64
BAND = 200  # height of the coloured band at the foot
LEAF = 136
PAPER, INK, WHITE = "#fbf7f0", "#211c17", "#ffffff"
TITLE_TOP, TITLE_HEIGHT = 136, 266
TITLE_SIZES = range(62, 25, -4)  # the largest that fits


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / name), size)


def drawn(content: dict[str, Any], logo: bytes) -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, HEIGHT - BAND, WIDTH, HEIGHT), content["accent"])
    draw_brand(image, draw, content["brand"], logo)
    draw_title(draw, content["title"])
    if "date" in content:
        draw_date(draw, content)
    target = io.BytesIO()
    image.quantize(128).save(target, "PNG", optimize=True)
    return target.getvalue()


def draw_brand(image: Image.Image, draw: ImageDraw.ImageDraw, brand: str, logo: bytes) -> None:
    left = EDGE
    if logo:
        mark = Image.open(io.BytesIO(logo)).convert("RGBA")
        mark.thumbnail((240, 56))
        image.paste(mark, (left, 76 - mark.height // 2), mark)
        left += mark.width + 16
    draw.text((left, 76), brand, INK, font(BOLD, 32), anchor="lm")


def draw_title(draw: ImageDraw.ImageDraw, title: str) -> None:
    for size in TITLE_SIZES:
        face = font(BOLD, size)
        lines = list(broken(title, face, WIDTH - 2 * EDGE))
        height = len(lines) * size * 1.13
        if height <= TITLE_HEIGHT:
            break
    top = TITLE_TOP + (TITLE_HEIGHT - height) / 2
    draw.multiline_text((EDGE, top), "\n".join(lines), INK, face, spacing=size * 0.1)


def broken(text: str, face: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """Lines no wider than `width`; an ordinary space may break, a no-break space may not."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip(" ")
        if line and face.getlength(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


def draw_date(draw: ImageDraw.ImageDraw, content: dict[str, Any]) -> None:
    top, middle = HEIGHT - BAND + (BAND - LEAF) // 2, EDGE + LEAF // 2
    draw.rounded_rectangle((EDGE, top, EDGE + LEAF, top + LEAF), 8, WHITE)
    draw.rounded_rectangle((EDGE, top, EDGE + LEAF, top + 12), 8, content["hover"], corners=(True, True, False, False))
    draw.text((middle, top + 60), content["day"], INK, font(BOLD, 64), anchor="mm")
    draw.text((middle, top + 108), content["month"], INK, font(BOLD, 24), anchor="mm")
    left = EDGE + LEAF + 32
    draw.text((left, top + 48), content["date"], content["on_accent"], font(BOLD, 34), anchor="lm")
    draw.text((left, top + 92), content["hours"], content["on_accent"], font(TEXT, 32), anchor="lm")


def main() -> None:
    limit_memory(MEMORY_BYTES)
    limit_cpu(CPU_SECONDS)
    try:
        answer, png = {}, drawn(json.loads(sys.argv[1]), sys.stdin.buffer.read())
    except MemoryError:
        answer, png = {"refused": "too_heavy"}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + png)


if __name__ == "__main__":
    main()
