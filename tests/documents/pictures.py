"""Pictures as people upload them."""

import io
import random

from PIL import Image

ORIENTATION, MAKER_NOTE = 0x0112, 0x010F


def photograph(width: int, height: int, *, place: bytes = b"", orientation: int = 1) -> bytes:
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKER_NOTE] = place.decode()
    target = io.BytesIO()
    image.save(target, "JPEG", exif=exif)
    return target.getvalue()


def busy_photograph(width: int, height: int, *, seed: int = 1) -> bytes:
    """As full of details as a crowd under trees: grain of several sizes in three colours."""
    channels = [_grain(width, height, seed + channel) for channel in range(3)]
    target = io.BytesIO()
    Image.merge("RGB", channels).save(target, "JPEG", quality=92)
    return target.getvalue()


def _grain(width: int, height: int, seed: int) -> Image.Image:
    source = random.Random(seed)  # noqa: S311 - no secret
    picture = Image.new("L", (width, height), 128)
    for size in (160, 40, 12, 4):
        across, down = width // size + 2, height // size + 2
        noise = Image.frombytes("L", (across, down), source.randbytes(across * down))
        picture = Image.blend(picture, noise.resize((width, height), Image.Resampling.BICUBIC), 0.35)
    return picture
