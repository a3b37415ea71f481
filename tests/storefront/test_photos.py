"""Photos as phones make them, and files that only look like photos."""

from io import BytesIO
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageCms
from starlette.datastructures import UploadFile

from market.ground.errors import Malformed
from market.ground.settings import Settings
from storefront import photos
from storefront.storage import Storage, open_storage

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825
BLUE, GREEN, RED, YELLOW = (0, 0, 255), (0, 160, 0), (255, 0, 0), (255, 255, 0)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(Settings(demo=True, var=tmp_path))


def _bytes(image: Image.Image, kind: str, **how: object) -> bytes:
    packed = BytesIO()
    image.save(packed, kind, **how)
    return packed.getvalue()


def _heic(image: Image.Image, **how: object) -> bytes:
    packed = BytesIO()
    pillow_heif.from_pillow(image).save(packed, quality=90, **how)
    return packed.getvalue()


def _quarters() -> Image.Image:
    """Red and blue above, green and yellow below: every turn and every mirror of it is another picture."""
    image = Image.new("RGB", (1600, 1200))
    for at, colour in enumerate((RED, BLUE, GREEN, YELLOW)):
        image.paste(colour, (at % 2 * 800, at // 2 * 600, at % 2 * 800 + 800, at // 2 * 600 + 600))
    return image


def _exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, "SecretPhone"
    exif.get_ifd(GPS)[1], exif.get_ifd(GPS)[2] = "N", (37.0, 31.0, 12.5)
    return exif


def _files(storage: Storage) -> dict[str, bytes]:
    assert storage.folder is not None
    return {str(file.relative_to(storage.folder)): file.read_bytes() for file in storage.folder.glob("*/*")}


async def _kept(data: bytes, storage: Storage, size: str = "page", name: str = "a.jpg") -> Image.Image:
    content = await photos.keep(UploadFile(BytesIO(data), filename=name), storage)
    assert len(content) == 32
    return Image.open(BytesIO(await storage.read(f"photos/{content}-{size}.webp"))).convert("RGB")


def _corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """Which of the four colours stands in each quarter."""
    found = []
    for across, down in ((1, 1), (3, 1), (1, 3), (3, 3)):
        pixel = image.getpixel((image.width * across // 4, image.height * down // 4))
        assert isinstance(pixel, tuple)
        nearest = min((RED, BLUE, GREEN, YELLOW), key=lambda c: sum(abs(a - b) for a, b in zip(c, pixel, strict=True)))
        found.append(nearest)
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_three_sizes_of_what_phones_make(storage: Storage, kind: str) -> None:
    content = await photos.keep(UploadFile(BytesIO(_bytes(_quarters(), kind))), storage)
    sides = {}
    for name in photos.SIZES:
        with Image.open(BytesIO(await storage.read(f"photos/{content}-{name}.webp"))) as image:
            assert image.format == "WEBP"
            sides[name] = max(image.size)
    assert sides == dict(photos.SIZES)
    assert len(_files(storage)) == 3


async def test_an_iphone_photo_is_read(storage: Storage) -> None:
    image = await _kept(_heic(_quarters()), storage, name="IMG_0001.HEIC")
    assert image.size == (1080, 810)
    assert _corners(image) == [RED, BLUE, GREEN, YELLOW]


async def test_an_iphone_photo_taken_upright_stands_and_tells_no_place(storage: Storage) -> None:
    data = _heic(_quarters(), exif=_exif(6).tobytes())
    assert b"SecretPhone" in data
    image = await _kept(data, storage)
    assert image.size == (810, 1080)
    assert _corners(image) == [GREEN, RED, YELLOW, BLUE]
    assert not any(b"SecretPhone" in kept for kept in _files(storage).values())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, [RED, BLUE, GREEN, YELLOW]),
        (2, [BLUE, RED, YELLOW, GREEN]),
        (3, [YELLOW, GREEN, BLUE, RED]),
        (4, [GREEN, YELLOW, RED, BLUE]),
        (5, [RED, GREEN, BLUE, YELLOW]),
        (6, [GREEN, RED, YELLOW, BLUE]),
        (7, [YELLOW, BLUE, GREEN, RED]),
        (8, [BLUE, YELLOW, RED, GREEN]),
    ],
)
async def test_every_way_to_hold_a_phone_is_upright(
    storage: Storage, kind: str, orientation: int, corners: list[tuple[int, int, int]]
) -> None:
    image = await _kept(_bytes(_quarters(), kind, exif=_exif(orientation)), storage)
    assert _corners(image) == corners
    assert image.size == ((1080, 810) if orientation < 5 else (810, 1080))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_place_device_and_words_are_left_out(storage: Storage, kind: str) -> None:
    hidden: dict[str, object] = {"exif": _exif()}
    if kind == "JPEG":
        hidden |= {"comment": b"SecretComment", "xmp": b"<x:xmpmeta>SecretPlace</x:xmpmeta>"}
    if kind == "WEBP":
        hidden |= {"xmp": b"<x:xmpmeta>SecretPlace</x:xmpmeta>"}
    data = _bytes(_quarters(), kind, **hidden)
    assert b"SecretPhone" in data
    await photos.keep(UploadFile(BytesIO(data)), storage)
    for kept in _files(storage).values():
        assert b"Secret" not in kept
        assert b"EXIF" not in kept
        assert b"XMP " not in kept
        assert not Image.open(BytesIO(kept)).getexif()


@pytest.mark.parametrize("name", ["photo.png", "photo.heic", "报表.xlsx", "photo", "../../etc/passwd"])
async def test_what_counts_is_the_picture_not_its_name(storage: Storage, name: str) -> None:
    assert (await _kept(_bytes(_quarters(), "JPEG"), storage, name=name)).size == (1080, 810)
    assert all(kept.startswith("photos/") for kept in _files(storage))


async def test_the_same_photo_is_the_same_files(storage: Storage) -> None:
    data = _bytes(_quarters(), "JPEG")
    first = await photos.keep(UploadFile(BytesIO(data)), storage)
    before = _files(storage)
    assert await photos.keep(UploadFile(BytesIO(data)), storage) == first
    assert _files(storage) == before


async def test_transparent_pictures_get_a_white_ground(storage: Storage) -> None:
    for picture in (Image.new("RGBA", (300, 200), (0, 0, 0, 0)), Image.new("LA", (300, 200), (0, 0))):
        image = await _kept(_bytes(picture, "PNG"), storage)
        assert image.getpixel((10, 10)) == (255, 255, 255)


async def test_a_photo_in_printing_colours_is_shown_in_screen_colours(storage: Storage) -> None:
    image = await _kept(_bytes(Image.new("CMYK", (300, 200), (0, 255, 255, 0)), "JPEG", quality=95), storage)
    red, green, blue = image.getpixel((100, 100))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 90


def _red_is_green() -> bytes:
    """A colour profile whose red and green stand for each other, as sRGB's own with two entries exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)


async def test_a_phones_own_colours_are_shown_as_it_meant_them(storage: Storage) -> None:
    """A profile that is not sRGB is applied and left out: the numbers change so that the colours do not."""
    image = await _kept(_bytes(_quarters(), "PNG", icc_profile=_red_is_green()), storage)
    red, green, blue = image.getpixel((100, 100))  # type: ignore[misc]
    assert green > 200
    assert max(red, blue) < 60
    assert not any(Image.open(BytesIO(kept)).info.get("icc_profile") for kept in _files(storage).values())


async def test_an_odd_profile_leaves_the_colours_as_they_are(storage: Storage) -> None:
    image = await _kept(_bytes(_quarters(), "PNG", icc_profile=b"no profile at all"), storage)
    assert _corners(image) == [RED, BLUE, GREEN, YELLOW]


@pytest.mark.parametrize(("level", "shown"), [(0, 0), (32_768, 128), (65_535, 255)])
async def test_sixteen_bits_of_grey_become_eight(storage: Storage, level: int, shown: int) -> None:
    image = await _kept(_bytes(Image.new("I;16", (300, 200), level), "PNG"), storage)
    red, green, blue = image.getpixel((100, 100))  # type: ignore[misc]
    assert abs(red - shown) <= 3
    assert red == green == blue


def _film(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("black", "red", "blue")]
    return _bytes(frames[0], kind, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not a photo</html>",
        b"\xff\xd8\xff\xe0" + b"\x00" * 200,
        _bytes(_quarters(), "JPEG")[:4000],
        _bytes(_quarters(), "PNG")[:-400],
        _bytes(_quarters(), "WEBP")[:900],
        _heic(_quarters())[:2000],
        _bytes(_quarters(), "GIF"),
        _bytes(_quarters(), "BMP"),
        _bytes(_quarters(), "TIFF"),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7\n" + b"0" * 500,
        _film("PNG"),
        _film("WEBP"),
    ],
    ids=[
        "empty", "html", "only a head", "jpeg cut short", "png cut short", "webp cut short", "heic cut short", "gif",
        "bmp", "tiff", "svg", "pdf", "moving png", "moving webp",
    ],
)  # fmt: skip
async def test_what_is_no_photo_is_refused(storage: Storage, data: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        await photos.keep(UploadFile(BytesIO(data), filename="photo.jpg"), storage)
    assert (refused.value.field, refused.value.problem) == ("photo", "not_a_photo")
    assert not _files(storage)


async def test_the_second_picture_in_a_phones_file_is_not_the_photo(storage: Storage) -> None:
    """Phones put a depth or gain map behind the photo."""
    data = _bytes(_quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (400, 300), "white")])
    assert _corners(await _kept(data, storage)) == [RED, BLUE, GREEN, YELLOW]


@pytest.mark.parametrize(
    "bomb",
    [
        _bytes(Image.new("1", (20_000, 20_000)), "PNG"),
        _bytes(Image.new("L", (16_000, 16_000)), "JPEG", quality=1),
        _bytes(Image.new("RGB", (16_000, 4_000)), "WEBP", quality=1),
    ],
    ids=["png", "jpeg", "webp"],
)
async def test_a_bomb_is_refused_before_it_unpacks(storage: Storage, bomb: bytes) -> None:
    assert len(bomb) < 4_200_000
    with pytest.raises(Malformed) as refused:
        await photos.keep(UploadFile(BytesIO(bomb)), storage)
    assert refused.value.problem == "too_large"
    assert not _files(storage)


async def test_more_than_twelve_megabytes_is_too_large(storage: Storage) -> None:
    with pytest.raises(Malformed) as refused:
        await photos.keep(UploadFile(BytesIO(b"\xff\xd8" + bytes(photos.MOST_BYTES))), storage)
    assert refused.value.problem == "too_large"


async def test_a_large_camera_photo_is_kept(storage: Storage) -> None:
    noise = Image.effect_noise((4032, 3024), 40).convert("RGB")
    data = _bytes(noise, "JPEG", quality=96)
    assert 10_000_000 < len(data) < photos.MOST_BYTES
    kept = await photos.keep(UploadFile(BytesIO(data)), storage)
    files = _files(storage)
    assert any(kept in name for name in files)
    for size, most in photos.MOST_PACKED.items():  # nothing is harder to pack than noise
        assert len(files[f"photos/{kept}-{size}.webp"]) <= most


async def test_a_certificate_is_kept_apart_and_large_enough_to_read(storage: Storage) -> None:
    data = _bytes(_quarters().resize((3200, 2400)), "JPEG", exif=_exif())
    content = await photos.keep_paper(UploadFile(BytesIO(data)), storage)
    assert list(_files(storage)) == [f"papers/{content}-page.webp"]
    kept = await photos.paper(content, storage)
    assert Image.open(BytesIO(kept)).size == (1600, 1200)
    assert b"SecretPhone" not in kept
    assert storage.folder is not None
    assert (storage.folder / "papers").stat().st_mode & 0o077 == 0
