"""Pictures as people upload them."""

import io

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
