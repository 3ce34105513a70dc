"""Pictures that organisers upload: only their pixels go over, in a few widths; what is no picture is refused."""

import io
import struct
import zlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from registrations.documents import uploaded_picture
from registrations.documents.uploaded_picture import Use
from registrations.models import Picture, PictureFile
from registrations.worker import housekeeping
from tests.documents.pictures import busy_photograph, photograph
from tests.factories import make_picture, make_speaker


def rewritten(content: bytes, use: Use = Use.COVER) -> uploaded_picture.Rewritten:
    return uploaded_picture.rewritten(SimpleUploadedFile("image.jpg", content), use)


def refusal(content: bytes) -> Any:
    with pytest.raises(ValidationError) as refused:
        rewritten(content)
    return refused.value.code


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_photograph_becomes_webp_in_three_widths_without_place_and_camera() -> None:
    content = photograph(2000, 1000, place=b"GPS-de-la-maison")
    assert b"GPS-de-la-maison" in content
    files = rewritten(content).files
    assert [(width, height) for width, height, _file in files] == [(480, 240), (720, 360), (1376, 688)]
    for width, height, file in files:
        image = opened(file)
        assert (image.format, image.size, dict(image.getexif())) == ("WEBP", (width, height), {})
        assert b"GPS-de-la-maison" not in file


def test_a_small_picture_is_not_made_larger() -> None:
    assert [width for width, _height, _file in rewritten(photograph(600, 300)).files] == [480, 600]


@pytest.mark.parametrize(("use", "widths"), [(Use.COVER, [480, 720]), (Use.PORTRAIT, [160]), (Use.LOGO, [192, 384])])
def test_a_picture_full_of_details_weighs_no_more_than_a_page_can_bear(use: Use, widths: list[int]) -> None:
    files = rewritten(busy_photograph(1600, 800), use).files
    assert [width for width, _height, _file in files] == widths
    assert max(len(file) for _width, _height, file in files) <= use.value.bytes


def test_a_picture_too_busy_for_any_width_keeps_the_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Use.LOGO, "_value_", Use.LOGO.value._replace(bytes=10))
    assert [width for width, _height, _file in rewritten(busy_photograph(600, 200), Use.LOGO).files] == [192]


def test_a_photograph_taken_upright_stays_upright() -> None:
    [(width, height, _file), *_others] = rewritten(photograph(800, 400, orientation=6)).files
    assert height > width


def test_a_portrait_is_a_square() -> None:
    files = rewritten(photograph(900, 1200), Use.PORTRAIT).files
    assert [(width, height) for width, height, _file in files] == [(160, 160), (320, 320)]


def test_a_logo_keeps_its_transparency() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (400, 100), (0, 0, 0, 0)).save(target, "PNG")
    assert opened(rewritten(target.getvalue(), Use.LOGO).files[0][2]).mode == "RGBA"


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"%PDF-1.7", b"\xff\xd8\xff\xe0broken"],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    assert refusal(content) == "damaged"


def test_a_picture_cut_off_is_refused() -> None:
    content = photograph(800, 800)
    assert refusal(content[: len(content) // 3]) == "damaged"


def test_a_bomb_is_refused() -> None:
    assert refusal(bomb(30_000, 30_000)) == "too_heavy"


def bomb(width: int, height: int) -> bytes:
    """A PNG of some bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def test_a_file_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded_picture, "SIZE_MAX", 10)
    assert refusal(photograph(20, 20)) == "too_large"


@pytest.mark.django_db
def test_the_same_picture_twice_is_one_row() -> None:
    content = photograph(500, 500)
    first, second = rewritten(content).keep(), rewritten(content).keep()
    assert first == second
    assert Picture.objects.get().files.count() == 2


@pytest.mark.django_db
def test_a_picture_that_nothing_shows_is_deleted_after_a_day() -> None:
    shown, unused, fresh = make_picture(), make_picture(), make_picture()
    make_speaker(picture=shown)
    Picture.objects.exclude(pk=fresh.pk).update(made_at=timezone.now() - timedelta(days=2))
    housekeeping.remove_old_rows()
    assert list(Picture.objects.order_by("pk")) == [shown, fresh]
    assert not PictureFile.objects.filter(picture=unused.pk).exists()
