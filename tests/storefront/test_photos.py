"""Photos as phones make them, and files that only look like photos."""

from io import BytesIO
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from starlette.datastructures import UploadFile

from market.ground.errors import Malformed
from storefront import photos


def _bytes(image: Image.Image, kind: str, **how: object) -> bytes:
    packed = BytesIO()
    image.save(packed, kind, **how)
    return packed.getvalue()


def _lying() -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (1600, 1200), "red")
    image.paste("blue", (800, 0, 1600, 1200))
    return image


def _with_place() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def _kept(data: bytes, folder: Path, size: str = "page") -> Image.Image:
    content = await photos.keep(UploadFile(BytesIO(data)), folder)
    assert len(content) <= 64
    return Image.open(BytesIO((folder / f"{content}-{size}.webp").read_bytes()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_three_sizes_of_what_phones_make(tmp_path: Path, kind: str) -> None:
    content = await photos.keep(UploadFile(BytesIO(_bytes(_lying(), kind))), tmp_path)
    sides = {}
    for name in photos.SIZES:
        with Image.open(tmp_path / f"{content}-{name}.webp") as image:
            assert image.format == "WEBP"
            sides[name] = max(image.size)
    assert sides == dict(photos.SIZES)
    assert len(_files(tmp_path)) == 3


async def test_an_iphone_photo_is_read(tmp_path: Path) -> None:
    packed = BytesIO()
    pillow_heif.from_pillow(_lying()).save(packed, quality=60)
    image = await _kept(packed.getvalue(), tmp_path)
    assert image.size == (1080, 810)


async def test_the_photo_stands_upright_and_tells_no_place(tmp_path: Path) -> None:
    data = _bytes(_lying(), "JPEG", exif=_with_place(), quality=90)
    assert b"SecretPhone" in data
    image = await _kept(data, tmp_path)
    assert image.size == (810, 1080)
    top, bottom = image.convert("RGB").getpixel((400, 100)), image.convert("RGB").getpixel((400, 1000))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > bottom[0]
    assert not image.getexif()
    for data in _files(tmp_path).values():
        assert b"SecretPhone" not in data
        assert b"EXIF" not in data


async def test_the_same_photo_is_the_same_files(tmp_path: Path) -> None:
    data = _bytes(_lying(), "JPEG")
    first = await photos.keep(UploadFile(BytesIO(data)), tmp_path)
    before = _files(tmp_path)
    assert await photos.keep(UploadFile(BytesIO(data)), tmp_path) == first
    assert _files(tmp_path) == before


async def test_transparent_pictures_get_a_white_ground(tmp_path: Path) -> None:
    image = await _kept(_bytes(Image.new("RGBA", (300, 200), (0, 0, 0, 0)), "PNG"), tmp_path)
    assert image.convert("RGB").getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not a photo</html>",
        b"\xff\xd8\xff\xe0" + b"\x00" * 200,
        _bytes(_lying(), "JPEG")[:4000],
        _bytes(_lying(), "GIF"),
        _bytes(_lying(), "BMP"),
        _bytes(Image.new("RGB", (64, 64)), "PNG", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]),
    ],
    ids=["empty", "html", "only a head", "cut short", "gif", "bmp", "animated"],
)
async def test_what_is_no_photo_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        await photos.keep(UploadFile(BytesIO(data)), tmp_path)
    assert (refused.value.field, refused.value.problem) == ("photo", "not_a_photo")
    assert not _files(tmp_path)


async def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    bomb = _bytes(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(Malformed) as refused:
        await photos.keep(UploadFile(BytesIO(bomb)), tmp_path)
    assert refused.value.problem == "too_large"


async def test_more_than_twelve_megabytes_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refused:
        await photos.keep(UploadFile(BytesIO(b"\xff\xd8" + bytes(photos.MOST_BYTES))), tmp_path)
    assert refused.value.problem == "too_large"


async def test_a_large_camera_photo_is_kept(tmp_path: Path) -> None:
    noise = Image.effect_noise((4032, 3024), 40).convert("RGB")
    data = _bytes(noise, "JPEG", quality=96)
    assert 10_000_000 < len(data) < photos.MOST_BYTES
    kept = await photos.keep(UploadFile(BytesIO(data)), tmp_path)
    assert any(kept in name for name in _files(tmp_path))
